//! The only place that prints: results on standard output, for people or as JSON lines; talk on standard error.

use super::exit::Stop;
use serde::Serialize;
use std::{
    borrow::Cow,
    env,
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// Where results go.
#[derive(Debug)]
pub(super) struct Out {
    stdout: io::Stdout,
    json: bool,
    terminal: bool,
    colour: bool,
}

/// How a word is set off on a terminal; the numbers are those of ECMA-48, "select graphic rendition".
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    /// Well.
    Good,
    /// To be looked at.
    Warning,
    /// Wrong.
    Bad,
    /// The word that counts.
    Strong,
    /// What only some readers need.
    Faint,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Warning => "33",
            Self::Bad => "31",
            Self::Strong => "1",
            Self::Faint => "2",
        }
    }
}

impl Out {
    /// Looks at what standard output is; `NO_COLOR` (no-color.org) is honoured.
    pub(super) fn new(json: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let colour = terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { stdout, json, terminal, colour }
    }

    /// True where JSON is wanted.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// True where a person looks at the output.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Returns `text` in a style, or as it is where there are no colours.
    pub(super) fn paint<'t>(&self, style: Style, text: &'t str) -> Cow<'t, str> {
        if self.colour {
            Cow::Owned(format!("\x1b[{}m{text}\x1b[0m", style.code()))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Prints one line.
    pub(super) fn line(&mut self, text: impl Display) -> Result<(), Stop> {
        self.write(&mut |stdout| writeln!(stdout, "{text}"))
    }

    /// Prints bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.write(&mut |stdout| stdout.write_all(bytes))
    }

    /// Prints one JSON object on a line of its own.
    pub(super) fn object(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        self.write(&mut |stdout| {
            serde_json::to_writer(&mut *stdout, value)?;
            stdout.write_all(b"\n")
        })
    }

    /// Prints one JSON document for people to read.
    pub(super) fn document(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        self.write(&mut |stdout| {
            serde_json::to_writer_pretty(&mut *stdout, value)?;
            stdout.write_all(b"\n")
        })
    }

    /// Tells the person something that is not part of the result; silent where JSON is wanted.
    pub(super) fn note(&self, text: impl Display) {
        if !self.json {
            complain_line(&format!("{text}"));
        }
    }

    fn write(&mut self, work: &mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Stop> {
        let mut stdout = io::BufWriter::new(self.stdout.lock());
        work(&mut stdout).and_then(|()| stdout.flush()).map_err(|error| Stop::of_output(&error))
    }
}

/// Says why a verb stopped: a sentence on standard error, and the same as an object where JSON is wanted.
pub(super) fn complain(json: bool, stop: &Stop) {
    if stop.is_quiet() {
        return;
    }
    if json {
        let error = serde_json::json!({ "error": stop.to_string(), "exit": stop.exit.code() });
        complain_line(&error.to_string());
    } else {
        complain_line(&format!("hookway: {stop}"));
    }
}

/// Writes a line to standard error; when even that fails, nobody is left to tell.
pub(super) fn complain_line(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Returns text from outside with what is not seen made visible, so that it can't drive the terminal or be read in another
/// order than it has.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unseen(character) {
            visible.extend(character.escape_default());
        } else {
            visible.push(character);
        }
    }
    Cow::Owned(visible)
}

/// True for controls, and for the format characters of Unicode that change order, break lines or show nothing.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(printable("plain Zürich"), "plain Zürich");
        assert_eq!(printable("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }

    #[test]
    fn text_from_outside_is_read_in_the_order_that_it_has() {
        for unseen in "\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}\u{200b}\u{feff}\u{e0041}\u{9b}".chars() {
            let shown = printable(&format!("a{unseen}b")).into_owned();
            assert_eq!(shown, format!("a\\u{{{:x}}}b", u32::from(unseen)));
        }
    }

    #[test]
    fn nothing_is_painted_without_a_terminal() {
        let plain = Out { stdout: io::stdout(), json: false, terminal: false, colour: false };
        assert_eq!(plain.paint(Style::Good, "✓"), "✓");
        let colourful = Out { stdout: io::stdout(), json: false, terminal: true, colour: true };
        assert_eq!(colourful.paint(Style::Good, "✓"), "\x1b[32m✓\x1b[0m");
    }
}

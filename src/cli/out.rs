//! The only place that prints: results on standard output, for people or as JSON lines; talk on standard error.

use super::exit::Stop;
pub(super) use crate::observe::unseen::printable;
use crate::observe::unseen::{printable_json, printable_lines};
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
    Good,
    Warning,
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

    /// Prints one line; what is not seen in it is made visible, besides line ends and colours.
    pub(super) fn line(&mut self, text: impl Display) -> Result<(), Stop> {
        let text = text.to_string();
        self.write(&mut |stdout| writeln!(stdout, "{}", printable_lines(&text)))
    }

    /// Prints bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.write(&mut |stdout| stdout.write_all(bytes))
    }

    /// Prints one JSON object on a line of its own.
    pub(super) fn object(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        let json = serde_json::to_string(value);
        self.json(json)
    }

    /// Prints one JSON document for people to read.
    pub(super) fn document(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        let json = serde_json::to_string_pretty(value);
        self.json(json)
    }

    fn json(&mut self, json: serde_json::Result<String>) -> Result<(), Stop> {
        let json = json.map_err(|error| Stop::of_output(&error.into()))?;
        self.write(&mut |stdout| writeln!(stdout, "{}", printable_json(&json)))
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
        complain_line(&printable_json(&error.to_string()));
    } else {
        complain_line(&format!("hookway: {stop}"));
    }
}

/// Writes a line to standard error, where nothing is coloured; when even that fails, nobody is left to tell.
pub(super) fn complain_line(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", printable_lines(text).replace('\x1b', "\\u{1b}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_painted_without_a_terminal() {
        let plain = Out { stdout: io::stdout(), json: false, terminal: false, colour: false };
        assert_eq!(plain.paint(Style::Good, "✓"), "✓");
        let colourful = Out { stdout: io::stdout(), json: false, terminal: true, colour: true };
        assert_eq!(colourful.paint(Style::Good, "✓"), "\x1b[32m✓\x1b[0m");
    }
}

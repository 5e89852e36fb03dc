//! Text from outside on its way to a person's eyes, in a log or on a terminal: what is not seen is made visible, so that it
//! can't drive the terminal, forge a line or be read in another order than it has.

use std::{borrow::Cow, fmt::Write as _, io};

/// Returns text with what is not seen as Rust escapes it: `\u{202e}`, `\n`.
pub fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, is_unseen, |character, visible| visible.extend(character.escape_default()))
}

/// Returns JSON in which what is not seen stands as `\u202e`; the document stays the same. Controls below a blank can only
/// be white space between its parts: inside of strings they are escaped already.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    let is_meant = |character: char| character >= '\u{7f}' && is_unseen(character);
    replaced(json, is_meant, |character, visible| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _written = write!(visible, "\\u{unit:04x}");
        }
    })
}

/// Returns the text of a program's own output, with its line ends and colours, and nothing else that is not seen.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    let is_meant = |character: char| !matches!(character, '\n' | '\t' | '\x1b') && is_unseen(character);
    replaced(text, is_meant, |character, visible| visible.extend(character.escape_default()))
}

fn replaced(
    text: &str,
    is_meant: impl Fn(char) -> bool,
    replace: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.chars().any(&is_meant) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_meant(character) {
            replace(character, &mut visible);
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

/// Writes the events of a log, each with one call as `tracing` does, and each on one line.
#[derive(Debug)]
pub(super) struct Lines<W> {
    pub(super) to: W,
    pub(super) json: bool,
}

impl<W: io::Write> io::Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let visible = if self.json {
            printable_json(line).into_owned()
        } else {
            printable_lines(line).replace('\n', "\\n")
        };
        self.to.write_all((visible + "\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    proptest! {
        #[test]
        fn what_is_printed_is_all_seen_and_says_no_less(text in "\\PC{0,24}|[\\x00-\\x9f\\u{200b}-\\u{206f}a-z\\n]{0,24}|.{0,24}") {
            for visible in [printable(&text), printable_lines(&text)] {
                let is_meant = |character: char| matches!(character, '\n' | '\t' | '\x1b');
                prop_assert!(!visible.chars().any(|character| is_unseen(character) && !is_meant(character)), "{:?}", visible);
                prop_assert!(visible.len() >= text.len(), "nothing is left out");
            }
            prop_assert!(!printable(&text).chars().any(is_unseen));
            if !text.chars().any(is_unseen) {
                prop_assert_eq!(printable(&text), text.as_str(), "what is seen stays");
                prop_assert_eq!(printable_lines(&text), text.as_str());
            }
            // What was made visible once is plain text.
            let once = printable(&text);
            prop_assert_eq!(printable(&once), once.as_ref());
        }

        #[test]
        fn a_document_whose_text_was_made_visible_is_the_same_document(
            texts in prop::collection::btree_map(".{0,8}", ".{0,12}|[\\u{200b}-\\u{206f}\\u{7f}-\\u{9f}\\u{e0000}-\\u{e007f}]{0,6}", 0..5),
        ) {
            let json = serde_json::to_string(&texts).unwrap();
            let visible = printable_json(&json);
            prop_assert!(!visible.chars().any(|character| character >= '\u{7f}' && is_unseen(character)), "{}", visible);
            let again: std::collections::BTreeMap<String, String> = serde_json::from_str(&visible).unwrap();
            prop_assert_eq!(again, texts);
        }
    }

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(printable("plain Zürich"), "plain Zürich");
        assert_eq!(printable("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }

    #[test]
    fn text_from_outside_is_read_in_the_order_that_it_has() {
        for unseen in "\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}\u{200b}\u{feff}\u{e0041}\u{9b}".chars() {
            let text = format!("a{unseen}b");
            let escaped = format!("a\\u{{{:x}}}b", u32::from(unseen));
            assert_eq!(printable(&text), escaped);
            assert_eq!(printable_lines(&text), escaped);
            let json = serde_json::to_string(&text).unwrap();
            let visible = printable_json(&json);
            assert!(visible.is_ascii(), "{visible}");
            assert_eq!(serde_json::from_str::<String>(&visible).unwrap(), text, "the document is the same");
        }
    }

    #[test]
    fn a_senders_text_makes_no_second_line_of_a_log() {
        let written = |json, event: &str| {
            let mut lines = Lines { to: Vec::new(), json };
            lines.write_all(event.as_bytes()).unwrap();
            String::from_utf8(lines.to).unwrap()
        };
        assert_eq!(written(false, "refused a\nERROR \u{202e}b\n"), "refused a\\nERROR \\u{202e}b\n");
        assert_eq!(written(true, "{\"a\":\"\u{202e}\"}\n"), "{\"a\":\"\\u202e\"}\n");
    }
}

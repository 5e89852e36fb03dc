//! Which characters a writer of JSON escapes, and how.

use std::fmt::Write as _;

/// A writer's habit.
#[derive(Clone, Copy)]
pub(super) struct Escape {
    /// What it does, for the end of a sentence.
    pub(super) described: &'static str,
    /// What it escapes besides what must be; `None` where a text stays as it stands.
    escapes: Option<fn(char) -> bool>,
    /// Whether its hex digits are capitals.
    is_upper: bool,
}

impl Escape {
    /// Every habit, the commonest first. The third is that of Python and of Ruby on Rails' older versions.
    pub(super) const ALL: [Self; 8] = [
        Self::KEPT,
        Self { described: ", its characters unescaped", escapes: Some(|_| false), is_upper: false },
        Self {
            described: ", all but ASCII escaped as `\\u00e9`",
            escapes: Some(is_foreign),
            is_upper: false,
        },
        Self {
            described: ", all but ASCII escaped and `/` written `\\/`, as PHP does",
            escapes: Some(|char| is_foreign(char) || char == '/'),
            is_upper: false,
        },
        Self { described: ", `/` written `\\/`", escapes: Some(|char| char == '/'), is_upper: false },
        Self {
            described: ", `<`, `>` and `&` escaped, as Go does",
            escapes: Some(|char| matches!(char, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')),
            is_upper: false,
        },
        Self {
            described: ", escaped as .NET does",
            escapes: Some(|char| {
                is_foreign(char) || matches!(char, '<' | '>' | '&' | '\'' | '"' | '+' | '`')
            }),
            is_upper: true,
        },
        Self { described: ", all but ASCII escaped as `\\u00E9`", escapes: Some(is_foreign), is_upper: true },
    ];

    /// As it stands.
    pub(super) const KEPT: Self = Self { described: "", escapes: None, is_upper: false };

    /// Writes a string, which stands in its quotes, by this habit.
    pub(super) fn write(self, quoted: &str, out: &mut String) {
        // A lone surrogate is no text: it stays as it is.
        let text =
            self.escapes.and_then(|escapes| Some((escapes, serde_json::from_str::<String>(quoted).ok()?)));
        let Some((escapes, text)) = text else { return out.push_str(quoted) };
        out.push('"');
        for char in text.chars() {
            self.char(char, escapes(char), out);
        }
        out.push('"');
    }

    fn char(self, char: char, is_escaped: bool, out: &mut String) {
        match char {
            '"' if !is_escaped => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if is_escaped => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Go and .NET differ here by version; the short forms are the newer ones.
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            _ if !is_escaped && char >= ' ' => out.push(char),
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _written = if self.is_upper {
                        write!(out, "\\u{unit:04X}")
                    } else {
                        write!(out, "\\u{unit:04x}")
                    };
                }
            }
        }
    }
}

fn is_foreign(char: char) -> bool {
    !char.is_ascii() || char == '\u{7f}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_habit_writes_as_its_library() {
        let written = |place: usize| {
            let mut out = String::new();
            Escape::ALL[place].write(r#""é/<\"\n😀""#, &mut out);
            out
        };
        assert_eq!(written(0), r#""é/<\"\n😀""#);
        assert_eq!(written(2), r#""\u00e9/<\"\n\ud83d\ude00""#);
        assert_eq!(written(3), r#""\u00e9\/<\"\n\ud83d\ude00""#);
        assert_eq!(written(5), r#""é/\u003c\"\n😀""#);
        assert_eq!(written(6), r#""\u00E9/\u003C\u0022\n\uD83D\uDE00""#);
    }
}

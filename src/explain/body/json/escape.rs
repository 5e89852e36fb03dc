//! Which characters a writer of JSON escapes, and how.

use std::fmt::Write as _;

/// A writer's habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it stands.
    Kept,
    /// Only what must be.
    Least,
    /// All but ASCII, as Python and Ruby on Rails' older versions do.
    Ascii,
    /// All but ASCII, and `/`, as PHP does.
    Php,
    /// `/` only.
    Slash,
    /// `<`, `>` and `&`, as Go does.
    Html,
    /// All but ASCII, and what HTML could mistake, in upper case, as .NET does.
    Net,
    /// All but ASCII, in upper case.
    Upper,
}

impl Escape {
    /// Every habit, the commonest first.
    pub(super) const ALL: [Self; 8] =
        [Self::Kept, Self::Least, Self::Ascii, Self::Php, Self::Slash, Self::Html, Self::Net, Self::Upper];

    /// Returns what it does, for the end of a sentence.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Least => ", its characters unescaped",
            Self::Ascii => ", all but ASCII escaped as `\\u00e9`",
            Self::Php => ", all but ASCII escaped and `/` written `\\/`, as PHP does",
            Self::Slash => ", `/` written `\\/`",
            Self::Html => ", `<`, `>` and `&` escaped, as Go does",
            Self::Net => ", escaped as .NET does",
            Self::Upper => ", all but ASCII escaped as `\\u00E9`",
        }
    }

    /// Writes a string, which stands in its quotes, by this habit.
    pub(super) fn write(self, quoted: &str, out: &mut String) {
        let text = (self != Self::Kept).then(|| serde_json::from_str::<String>(quoted).ok()).flatten();
        // A lone surrogate is no text: it stays as it is.
        let Some(text) = text else { return out.push_str(quoted) };
        out.push('"');
        for char in text.chars() {
            self.char(char, out);
        }
        out.push('"');
    }

    fn char(self, char: char, out: &mut String) {
        let is_plain = !self.escapes(char);
        match char {
            '"' if self != Self::Net => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if !is_plain => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Go and .NET differ here by version; the short forms are the newer ones.
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            _ if is_plain => out.push(char),
            _ => {
                let upper = matches!(self, Self::Net | Self::Upper);
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _written =
                        if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
                }
            }
        }
    }

    fn escapes(self, char: char) -> bool {
        let must = char < ' ';
        let foreign = !char.is_ascii() || char == '\u{7f}';
        must || match self {
            Self::Kept | Self::Least => false,
            Self::Ascii | Self::Upper => foreign,
            Self::Php => foreign || char == '/',
            Self::Slash => char == '/',
            Self::Html => matches!(char, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
            Self::Net => foreign || matches!(char, '<' | '>' | '&' | '\'' | '"' | '+' | '`'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_habit_writes_as_its_library() {
        let written = |escape: Escape| {
            let mut out = String::new();
            escape.write(r#""é/<\"\n😀""#, &mut out);
            out
        };
        assert_eq!(written(Escape::Kept), r#""é/<\"\n😀""#);
        assert_eq!(written(Escape::Ascii), r#""\u00e9/<\"\n\ud83d\ude00""#);
        assert_eq!(written(Escape::Php), r#""\u00e9\/<\"\n\ud83d\ude00""#);
        assert_eq!(written(Escape::Html), r#""é/\u003c\"\n😀""#);
        assert_eq!(written(Escape::Net), r#""\u00E9/\u003C\u0022\n\uD83D\uDE00""#);
    }
}

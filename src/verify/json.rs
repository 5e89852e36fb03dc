//! A JSON text as a tree of its own pieces: nothing is decoded, so numbers and strings keep the sender's writing
//! and members their order. Only the `message` forms that write a body again need it.
//!
//! `serde_json` first checks the whole text against the grammar; the walk after it may then trust the syntax.

use serde_json::value::RawValue;

/// Arrays and objects may stand in one another this deep: the walk and the writer recurse.
const DEEPEST: usize = 128;

pub(super) enum Node<'t> {
    /// `null`, a truth value or a number, as it stands.
    Plain(&'t str),
    /// A string with its quotes, as it stands.
    Text(&'t str),
    Array(Vec<Node<'t>>),
    /// The members of an object in their order; names with their quotes, repeated ones kept.
    Object(Vec<(&'t str, Node<'t>)>),
}

/// Reads one JSON text; `None` where it is not one, or too deep.
pub(super) fn read(text: &str) -> Option<Node<'_>> {
    serde_json::from_str::<&RawValue>(text).ok()?;
    Walk { rest: text }.value(0)
}

struct Walk<'t> {
    rest: &'t str,
}

impl<'t> Walk<'t> {
    fn value(&mut self, depth: usize) -> Option<Node<'t>> {
        match self.peek()? {
            b'{' | b'[' if depth >= DEEPEST => None,
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Node::Text),
            _ => {
                let end = self.rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(self.rest.len());
                self.take(end).map(Node::Plain)
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Node<'t>> {
        let mut members = Vec::new();
        self.take(1)?;
        while self.peek()? != b'}' {
            let name = self.string()?;
            self.peek()?;
            self.take(1)?; // the colon
            members.push((name, self.value(depth + 1)?));
            self.skip_comma()?;
        }
        self.take(1)?;
        Some(Node::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Node<'t>> {
        let mut elements = Vec::new();
        self.take(1)?;
        while self.peek()? != b']' {
            elements.push(self.value(depth + 1)?);
            self.skip_comma()?;
        }
        self.take(1)?;
        Some(Node::Array(elements))
    }

    fn string(&mut self) -> Option<&'t str> {
        let mut escaped = false;
        let close = self.rest.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        })?;
        self.take(close + 2)
    }

    fn skip_comma(&mut self) -> Option<()> {
        if self.peek()? == b',' {
            self.take(1)?;
        }
        Some(())
    }

    /// Returns the next byte that is not a blank.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.bytes().next()
    }

    fn take(&mut self, bytes: usize) -> Option<&'t str> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }
}

/// Returns the code points of a string as it stands in quotes; a lone surrogate is its own number.
pub(super) fn code_points(quoted: &str) -> impl Iterator<Item = u32> + '_ {
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    let mut chars = inner.chars();
    std::iter::from_fn(move || {
        let char = chars.next()?;
        if char != '\\' {
            return Some(u32::from(char));
        }
        match chars.next()? {
            'b' => Some(0x08),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'u' => {
                let unit = hex4(&mut chars)?;
                let mut ahead = chars.clone();
                let low = low_surrogate(&mut ahead).filter(|_| (0xd800..0xdc00).contains(&unit));
                if low.is_some() {
                    chars = ahead;
                }
                Some(low.map_or(unit, |low| 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)))
            }
            itself => Some(u32::from(itself)),
        }
    })
}

fn low_surrogate(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
    hex4(chars).filter(|unit| (0xdc00..0xe000).contains(unit))
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some((unit << 4) | chars.next()?.to_digit(16)?))
}

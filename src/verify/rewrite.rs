//! Writes a JSON text again the way a sender's serialiser would have written it: for senders that sign the object
//! and not the bytes that they send.
//!
//! How the serialisers differ: JavaScript's `JSON.stringify` (ECMA-262, 25.5.2) and Rails leave `/` and non-ASCII
//! as they are, PHP's `json_encode` escapes both, Python's `json.dumps` escapes all but printable ASCII and puts
//! a blank behind `:` and `,`. All write the hex digits of escapes in lower case.

use super::json::{self, Node};
use std::{collections::HashMap, io::Write};

/// A serialiser's habits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// No blanks; numbers and order as they are.
    Compact,
    /// As `Compact`, with `\/` and `\uXXXX`.
    CompactPhp,
    /// As `Compact`, with the members of every object sorted by name.
    CompactSorted,
    /// Blanks behind `:` and `,`, and `\uXXXX`.
    Python,
    /// What JavaScript writes for what it read: integer names first, the last of repeated members, numbers as
    /// it prints them.
    JavaScript,
}

/// Writes `text` again without its top-level members named `less`; `None` where it is not JSON, or too deep.
pub(super) fn rewrite(text: &str, style: Style, less: Option<&str>) -> Option<Vec<u8>> {
    let mut root = json::read(text)?;
    if let (Node::Object(members), Some(less)) = (&mut root, less) {
        members.retain(|(name, _)| !json::code_points(name).eq(less.chars().map(u32::from)));
    }
    let mut out = Vec::with_capacity(text.len());
    Writer { style, out: &mut out }.value(&root)?;
    Some(out)
}

struct Writer<'o> {
    style: Style,
    out: &'o mut Vec<u8>,
}

impl Writer<'_> {
    /// Writes one value; `None` cannot occur, since a `Vec` takes every write and every number parses.
    fn value(&mut self, node: &Node<'_>) -> Option<()> {
        match node {
            Node::Plain(text)
                if self.style == Style::JavaScript && !matches!(*text, "null" | "true" | "false") =>
            {
                self.out.extend(javascript_number(text.parse().ok()?)?.bytes());
            }
            Node::Plain(text) => self.out.extend(text.bytes()),
            Node::Text(quoted) => self.text(quoted)?,
            Node::Array(elements) => {
                self.out.push(b'[');
                for (place, element) in elements.iter().enumerate() {
                    self.comma(place);
                    self.value(element)?;
                }
                self.out.push(b']');
            }
            Node::Object(members) => {
                self.out.push(b'{');
                for (place, (name, value)) in ordered(members, self.style).into_iter().enumerate() {
                    self.comma(place);
                    self.text(name)?;
                    self.out.extend(if self.style == Style::Python { ": ".bytes() } else { ":".bytes() });
                    self.value(value)?;
                }
                self.out.push(b'}');
            }
        }
        Some(())
    }

    fn comma(&mut self, place: usize) {
        if place > 0 {
            self.out.extend(if self.style == Style::Python { ", ".bytes() } else { ",".bytes() });
        }
    }

    fn text(&mut self, quoted: &str) -> Option<()> {
        self.out.push(b'"');
        for code in json::code_points(quoted) {
            match (code, self.style) {
                (0x08, _) => self.out.extend(b"\\b"),
                (0x09, _) => self.out.extend(b"\\t"),
                (0x0a, _) => self.out.extend(b"\\n"),
                (0x0c, _) => self.out.extend(b"\\f"),
                (0x0d, _) => self.out.extend(b"\\r"),
                (0x22, _) => self.out.extend(b"\\\""),
                (0x5c, _) => self.out.extend(b"\\\\"),
                (0x2f, Style::CompactPhp) => self.out.extend(b"\\/"),
                (0x7f, Style::Python) | (0x80.., Style::CompactPhp | Style::Python) => self.escape(code)?,
                _ => match char::from_u32(code).filter(|char| *char >= ' ') {
                    Some(char) => self.out.extend(char.encode_utf8(&mut [0; 4]).bytes()),
                    None => self.escape(code)?,
                },
            }
        }
        self.out.push(b'"');
        Some(())
    }

    fn escape(&mut self, code: u32) -> Option<()> {
        match code.checked_sub(0x1_0000) {
            None => write!(self.out, "\\u{code:04x}").ok(),
            Some(high) => {
                write!(self.out, "\\u{:04x}\\u{:04x}", 0xd800 + (high >> 10), 0xdc00 + (high & 0x3ff)).ok()
            }
        }
    }
}

type Member<'n> = (&'n str, &'n Node<'n>);

/// Returns an object's members in the order in which `style` writes them.
fn ordered<'n>(members: &'n [(&'n str, Node<'n>)], style: Style) -> Vec<Member<'n>> {
    let as_sent = members.iter().map(|(name, value)| (*name, value));
    match style {
        Style::Compact | Style::CompactPhp | Style::Python => as_sent.collect(),
        Style::CompactSorted => {
            let mut sorted: Vec<Member<'n>> = as_sent.collect();
            sorted.sort_by_cached_key(|(name, _)| json::code_points(name).collect::<Vec<u32>>());
            sorted
        }
        Style::JavaScript => {
            let mut places: HashMap<Vec<u32>, usize> = HashMap::with_capacity(members.len());
            let mut kept: Vec<Member<'n>> = Vec::with_capacity(members.len());
            for member in as_sent {
                let place = *places.entry(json::code_points(member.0).collect()).or_insert(kept.len());
                match kept.get_mut(place) {
                    Some(earlier) => earlier.1 = member.1,
                    None => kept.push(member),
                }
            }
            kept.sort_by_cached_key(|(name, _)| array_index(name).map_or((1, 0), |index| (0, index)));
            kept
        }
    }
}

/// Returns the number that a name is, if JavaScript would count it among an array's indices.
fn array_index(quoted: &str) -> Option<u32> {
    let digits: String = json::code_points(quoted).map(char::from_u32).collect::<Option<_>>()?;
    let index: u32 = digits.parse().ok()?;
    (index != u32::MAX && index.to_string() == digits).then_some(index)
}

/// Returns the shortest digits that are read as this number, as ECMA-262 asks for: d.ddde±x. Where two such texts are
/// equally near, JavaScript takes the even one, as exact rounding does.
fn scientific(number: f64) -> String {
    let shortest = format!("{number:e}");
    let decimals =
        shortest.split(['.', 'e']).rev().nth(1).filter(|_| shortest.contains('.')).map_or(0, str::len);
    let nearest = format!("{number:.decimals$e}");
    if nearest.parse() == Ok(number) { nearest } else { shortest }
}

/// Writes a number as ECMA-262, 6.1.6.1.20 does; what is too large for a double becomes `null`.
fn javascript_number(number: f64) -> Option<String> {
    if !number.is_finite() {
        return Some("null".to_owned());
    }
    let scientific = scientific(number.abs());
    let (mantissa, exponent) = scientific.split_once('e')?;
    let digits = mantissa.replace('.', "");
    let point = exponent.parse::<i32>().ok()? + 1; // how many digits stand before the point
    let count = i32::try_from(digits.len()).ok()?;
    let sign = if number < 0.0 { "-" } else { "" };
    Some(if (count..=21).contains(&point) {
        format!("{sign}{digits}{}", "0".repeat(usize::try_from(point - count).ok()?))
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at_checked(usize::try_from(point).ok()?)?;
        format!("{sign}{whole}.{fraction}")
    } else if (-5..=0).contains(&point) {
        format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?))
    } else {
        let plus = if point > 0 { "+" } else { "" };
        format!("{sign}{mantissa}e{plus}{}", point - 1)
    })
}

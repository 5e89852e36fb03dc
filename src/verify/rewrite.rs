//! Writes a JSON text again as JavaScript's `JSON.stringify` would (ECMA-262, 25.5.2): for senders that sign the object and
//! not the bytes that they send. No blanks, `/` and non-ASCII as they are, integer names first, the last of repeated
//! members, numbers as JavaScript prints them.

use super::json::{self, Node};
use std::{collections::HashMap, io::Write};

/// Writes `text` again without its top-level members named `less`; `None` where it is not JSON, or too deep.
pub(super) fn rewrite(text: &str, less: Option<&str>) -> Option<Vec<u8>> {
    let mut root = json::read(text)?;
    if let (Node::Object(members), Some(less)) = (&mut root, less) {
        members.retain(|(name, _)| !json::code_points(name).eq(less.chars().map(u32::from)));
    }
    let mut out = Vec::with_capacity(text.len());
    write(&root, &mut out)?;
    Some(out)
}

/// Writes one value; `None` cannot occur, since a `Vec` takes every write and every number parses.
fn write(node: &Node<'_>, out: &mut Vec<u8>) -> Option<()> {
    match node {
        Node::Plain(text) if matches!(*text, "null" | "true" | "false") => out.extend(text.bytes()),
        Node::Plain(text) => out.extend(javascript_number(text.parse().ok()?)?.bytes()),
        Node::Text(quoted) => string(quoted, out)?,
        Node::Array(elements) => {
            out.push(b'[');
            for (place, element) in elements.iter().enumerate() {
                out.extend((place > 0).then_some(b','));
                write(element, out)?;
            }
            out.push(b']');
        }
        Node::Object(members) => {
            out.push(b'{');
            for (place, (name, value)) in ordered(members).into_iter().enumerate() {
                out.extend((place > 0).then_some(b','));
                string(name, out)?;
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
    }
    Some(())
}

fn string(quoted: &str, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'"');
    for code in json::code_points(quoted) {
        match code {
            0x08 => out.extend(b"\\b"),
            0x09 => out.extend(b"\\t"),
            0x0a => out.extend(b"\\n"),
            0x0c => out.extend(b"\\f"),
            0x0d => out.extend(b"\\r"),
            0x22 => out.extend(b"\\\""),
            0x5c => out.extend(b"\\\\"),
            _ => match char::from_u32(code).filter(|char| *char >= ' ') {
                Some(char) => out.extend(char.encode_utf8(&mut [0; 4]).bytes()),
                // Control characters, and surrogates that stand alone.
                None => write!(out, "\\u{code:04x}").ok()?,
            },
        }
    }
    out.push(b'"');
    Some(())
}

/// Returns an object's members in the order in which JavaScript writes them.
fn ordered<'n>(members: &'n [(&'n str, Node<'n>)]) -> Vec<(&'n str, &'n Node<'n>)> {
    let mut places: HashMap<Vec<u32>, usize> = HashMap::with_capacity(members.len());
    let mut kept: Vec<(&str, &Node<'_>)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let place = *places.entry(json::code_points(name).collect()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => earlier.1 = value,
            None => kept.push((name, value)),
        }
    }
    kept.sort_by_cached_key(|(name, _)| array_index(name).map_or((1, 0), |index| (0, index)));
    kept
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

//! The small templates by which a sender document says where an event's name, key or id stands. Their grammar
//! is in [`EventSpec`](super::EventSpec).

use super::{
    Unmappable,
    json::{Found, Pointers},
};
use crate::{delivery::Request, event::Reason};
use axum::http::HeaderName;
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, cell::OnceCell};
use uuid::Uuid;

/// A compiled template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Slot(Vec<Place>),
    Optional(Vec<Part>),
}

/// One alternative of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Body(usize),
    Header(HeaderName),
    Text(String),
    Digest(usize),
    Fresh,
}

/// Hex digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// What templates are rendered from.
#[derive(Debug)]
pub(super) struct Values<'a> {
    found: Found<'a>,
    request: &'a Request,
    digest: OnceCell<String>,
}

impl<'a> Values<'a> {
    pub(super) fn new(found: Found<'a>, request: &'a Request) -> Self {
        Self { found, request, digest: OnceCell::new() }
    }

    /// Tells whether a leaf holds a scalar.
    pub(super) fn has(&self, leaf: usize) -> bool {
        self.found.raw(leaf).is_some_and(is_scalar)
    }

    /// Returns a member on the way to a pointer that stands twice.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.found.repeated()
    }

    fn place<'v>(&'v self, place: &'v Place) -> Result<Option<Cow<'v, str>>, Unmappable> {
        Ok(match place {
            Place::Body(leaf) => return self.scalar(*leaf),
            Place::Header(name) => self.header(name)?.map(Cow::Borrowed),
            Place::Text(text) => Some(Cow::Borrowed(text.as_str())),
            Place::Digest(digits) => {
                let digest = self.digest.get_or_init(|| sha256_hex(&self.request.body));
                digest.get(..*digits).map(Cow::Borrowed)
            }
            Place::Fresh => Some(Cow::Owned(Uuid::now_v7().to_string())),
        })
    }

    /// Returns the text of a scalar; a number keeps the digits that the sender wrote.
    fn scalar(&self, leaf: usize) -> Result<Option<Cow<'_, str>>, Unmappable> {
        let Some(raw) = self.found.raw(leaf).filter(|raw| is_scalar(raw)) else { return Ok(None) };
        if !raw.starts_with('"') {
            return Ok(Some(Cow::Borrowed(raw)));
        }
        let plain = raw.get(1..raw.len().saturating_sub(1)).filter(|inner| !inner.contains('\\'));
        if let Some(plain) = plain {
            return Ok(Some(Cow::Borrowed(plain)));
        }
        let text: String = serde_json::from_str(raw)
            .map_err(|_| Unmappable::new(Reason::Malformed, "a string of the body is not valid Unicode"))?;
        Ok(Some(Cow::Owned(text)))
    }

    fn header(&self, name: &HeaderName) -> Result<Option<&str>, Unmappable> {
        let mut lines = self.request.headers.get_all(name).iter();
        let (first, second) = (lines.next(), lines.next());
        if second.is_some() {
            return Err(Unmappable::new(Reason::Ambiguous, format!("the header {name} stands twice")));
        }
        let Some(value) = first else { return Ok(None) };
        let text = value.to_str().map_err(|_| {
            Unmappable::new(Reason::Malformed, format!("the header {name} is not plain text"))
        })?;
        Ok(Some(text))
    }
}

fn is_scalar(raw: &str) -> bool {
    !raw.starts_with(['{', '['])
}

/// Returns the SHA-256 of `body` as 64 hex digits.
pub(super) fn sha256_hex(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

impl Template {
    /// Compiles a template; `root` is where `./` pointers begin. The error says what is wrong.
    pub(super) fn compile(text: &str, root: &str, pointers: &mut Pointers) -> Result<Self, String> {
        if begins_a_slot(text) {
            return Ok(Self(vec![Part::Slot(alternatives(text, root, pointers)?)]));
        }
        let mut rest = text;
        let parts = parts(&mut rest, false, root, pointers)?;
        Ok(Self(parts))
    }

    /// Returns the text, or `None` when a slot outside brackets is absent.
    pub(super) fn render(&self, values: &Values<'_>) -> Result<Option<String>, Unmappable> {
        let mut text = String::new();
        Ok(render(&self.0, values, &mut text)?.then_some(text))
    }

    /// Tells whether the template makes a fresh id each time.
    pub(super) fn is_minted(&self) -> bool {
        is_minted(&self.0)
    }
}

fn is_minted(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Slot(places) => places.contains(&Place::Fresh),
        Part::Optional(inner) => is_minted(inner),
        Part::Text(_) => false,
    })
}

fn render(parts: &[Part], values: &Values<'_>, text: &mut String) -> Result<bool, Unmappable> {
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Slot(places) => {
                let mut present = false;
                for place in places {
                    if let Some(value) = values.place(place)? {
                        text.push_str(&value);
                        present = true;
                        break;
                    }
                }
                if !present {
                    return Ok(false);
                }
            }
            Part::Optional(inner) => {
                let length = text.len();
                if !render(inner, values, text)? {
                    text.truncate(length);
                }
            }
        }
    }
    Ok(true)
}

fn begins_a_slot(text: &str) -> bool {
    text.starts_with('/') || text.starts_with("./") || text.starts_with("header:")
}

/// Reads parts up to the end, or to the closing bracket when `inside` one.
fn parts(rest: &mut &str, inside: bool, root: &str, pointers: &mut Pointers) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    loop {
        let at = rest.find(['{', '}', '[', ']']).unwrap_or(rest.len());
        let (literal, tail) = rest.split_at(at);
        if !literal.is_empty() {
            parts.push(Part::Text(literal.to_owned()));
        }
        let mut characters = tail.chars();
        let mark = characters.next();
        *rest = characters.as_str();
        match mark {
            Some('{') => {
                let (slot, behind) = rest.split_once('}').ok_or("a `{` is not closed by `}`")?;
                parts.push(Part::Slot(alternatives(slot, root, pointers)?));
                *rest = behind;
            }
            Some('[') if !inside => parts.push(Part::Optional(self::parts(rest, true, root, pointers)?)),
            Some(']') if inside => return Ok(parts),
            Some(mark) => return Err(format!("a `{mark}` stands where none belongs")),
            None if inside => return Err("a `[` is not closed by `]`".to_owned()),
            None => return Ok(parts),
        }
    }
}

fn alternatives(slot: &str, root: &str, pointers: &mut Pointers) -> Result<Vec<Place>, String> {
    slot.split('|').map(|place| self::place(place.trim(), root, pointers)).collect()
}

fn place(place: &str, root: &str, pointers: &mut Pointers) -> Result<Place, String> {
    if place.starts_with('/') {
        return Ok(Place::Body(pointers.add(place)));
    }
    if let Some(below) = place.strip_prefix('.').filter(|below| below.starts_with('/')) {
        return Ok(Place::Body(pointers.add(&format!("{root}{below}"))));
    }
    if let Some(name) = place.strip_prefix("header:") {
        let name = name.to_ascii_lowercase().parse();
        return name.map(Place::Header).map_err(|_| format!("`{place}` does not name a header"));
    }
    if let Some(text) = place.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Ok(Place::Text(text.to_owned()));
    }
    match place.split_once(':').unwrap_or((place, "")) {
        ("uuid", "") => Ok(Place::Fresh),
        ("sha256", "") => Ok(Place::Digest(DIGEST_DIGITS)),
        ("sha256", digits) => match digits.parse() {
            Ok(digits) if (16..=DIGEST_DIGITS).contains(&digits) => Ok(Place::Digest(digits)),
            Ok(_) | Err(_) => Err(format!("`{place}`: expected 16 to {DIGEST_DIGITS} digits")),
        },
        _ => Err(format!(
            "`{place}` is not a slot: expected a pointer as `/data/id` or `./id`, `header:NAME`, `'text'`, `sha256` or `uuid`"
        )),
    }
}

#[cfg(test)]
mod tests;

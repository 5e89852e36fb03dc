//! The small templates by which a sender document says where an event's name, key or id stands. Their grammar
//! is in [`EventSpec`](super::EventSpec), and `grammar` reads it.

pub(super) mod grammar;

use super::{Unmappable, values::Values};
use crate::delivery::slot::Slot;
use grammar::Grammar;

/// Room for what most templates give, in bytes; saves growing it piece by piece.
const ROOM: usize = 80;

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
pub(super) enum Place {
    /// A scalar of the whole body, by its leaf.
    Whole(usize),
    /// A scalar of the element.
    Element(usize),
    /// A scalar of the value that the element was taken from.
    Around(usize),
    /// Anything else of the request; whether verification covers it.
    Request { slot: Slot, is_covered: bool },
    /// Digits of the SHA-256 of the event's bytes.
    Digest(usize),
    /// The SHA-256 of the whole body.
    BodyDigest,
    /// The element's number; absent where the body was not divided.
    Index,
    /// A fresh id.
    Fresh,
}

impl Template {
    /// Compiles a template. The error says what is wrong.
    pub(super) fn compile(text: &str, grammar: &mut Grammar<'_>) -> Result<Self, String> {
        grammar.template(text).map(Self)
    }

    /// Returns the template of an id by the bytes alone: the body's digest, and which element of it.
    pub(super) fn digest() -> Self {
        let index = vec![Part::Text("/".to_owned()), Part::Slot(vec![Place::Index])];
        Self(vec![
            Part::Text("sha256:".to_owned()),
            Part::Slot(vec![Place::BodyDigest]),
            Part::Optional(index),
        ])
    }

    /// Returns the text, or `None` when a slot outside brackets is absent.
    pub(super) fn render(&self, values: &Values<'_>) -> Result<Option<String>, Unmappable> {
        let mut text = String::with_capacity(ROOM);
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
                    if let Some(value) = values.read(place)? {
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

#[cfg(test)]
mod tests;

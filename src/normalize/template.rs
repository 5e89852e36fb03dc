//! The small templates by which a sender document says where an event's name, key or id stands. Their grammar
//! is in [`EventSpec`](super::EventSpec), and `grammar` reads it.

pub(super) mod grammar;

use super::{Unmappable, place::Place, values::Values};
use crate::request::slot::template::Part;
use grammar::Grammar;

/// Room for what most templates give, in bytes; saves growing it piece by piece.
const ROOM: usize = 80;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Template(Vec<Part<Vec<Place>>>);

impl Template {
    pub(super) fn compile(text: &str, grammar: &mut Grammar<'_>) -> Result<Self, String> {
        grammar.template(text).map(Self)
    }

    /// Returns the text, or `None` when a slot outside brackets is absent. Empty where only brackets are in it.
    pub(super) fn render(&self, values: &Values<'_>) -> Result<Option<String>, Unmappable> {
        let mut text = String::with_capacity(ROOM);
        Ok(render(&self.0, values, &mut text)?.then_some(text))
    }

    /// Returns what `read` makes of the first alternative that it can read; of a template that is more than one slot, of
    /// the whole.
    pub(super) fn find<T>(
        &self,
        values: &Values<'_>,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Unmappable> {
        let [Part::Slot(places)] = self.0.as_slice() else {
            return Ok(self.render(values)?.and_then(|text| read(&text)));
        };
        for place in places {
            if let Some(found) = values.read(place)?.and_then(|text| read(&text)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// True for text alone, which no quotes or slot say to be one.
    pub(super) fn is_text(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Tells whether one of the places that the template may read is such a one.
    pub(super) fn reads(&self, is_wanted: impl Fn(&Place) -> bool) -> bool {
        reads(&self.0, &is_wanted)
    }
}

fn reads(parts: &[Part<Vec<Place>>], is_wanted: &dyn Fn(&Place) -> bool) -> bool {
    parts.iter().any(|part| match part {
        Part::Slot(places) => places.iter().any(is_wanted),
        Part::Optional(inner) => reads(inner, is_wanted),
        Part::Text(_) => false,
    })
}

fn render(parts: &[Part<Vec<Place>>], values: &Values<'_>, text: &mut String) -> Result<bool, Unmappable> {
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

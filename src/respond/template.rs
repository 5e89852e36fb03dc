//! The texts of an answer: literal text with slots in braces, filled from one request.

use super::{
    RespondError,
    value::{Fill, Value},
};
use crate::request::slot::{
    Slot,
    template::{BRACES, Part, parse},
};

#[derive(Debug)]
pub(super) struct Template(Vec<Part<Value>>);

impl Template {
    /// Reads a template, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts = parse(text, BRACES, &mut Value::parse);
        parts.map(Self).map_err(|problem| format!("`{text}`: {problem}"))
    }

    pub(super) fn render(&self, fill: &Fill<'_>) -> Result<String, RespondError> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Slot(value) => text.push_str(&value.read(fill)?),
                Part::Optional(_) => {} // brackets are text here
            }
        }
        Ok(text)
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        let values =
            self.0.iter().filter_map(|part| if let Part::Slot(value) = part { Some(value) } else { None });
        values.flat_map(Value::slots)
    }
}

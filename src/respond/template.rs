//! The texts of an answer: literal text with slots in braces, filled from one request.

use super::{
    RespondError,
    value::{Fill, Value, outside_quotes},
};
use crate::request::slot::Slot;

/// A text with slots.
#[derive(Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(Box<str>),
    Value(Value),
}

impl Template {
    /// Reads a template, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, behind)) = rest.split_once('{') {
            if !literal.is_empty() {
                parts.push(Part::Text(literal.into()));
            }
            let end = outside_quotes(behind, '}').ok_or_else(|| format!("`{text}` lacks a closing `}}`"))?;
            let (slot, behind) = behind.split_at_checked(end).unwrap_or((behind, ""));
            parts.push(Part::Value(Value::parse(slot)?));
            rest = behind.strip_prefix('}').unwrap_or(behind);
        }
        if rest.contains('}') {
            return Err(format!("`{text}` has a `}}` without a `{{`"));
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self(parts))
    }

    /// Returns the text for one request.
    pub(super) fn render(&self, fill: &Fill<'_>) -> Result<String, RespondError> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Value(value) => text.push_str(&value.read(fill)?),
            }
        }
        Ok(text)
    }

    /// Returns the slots that it reads.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0
            .iter()
            .filter_map(|part| if let Part::Value(value) = part { Some(value) } else { None })
            .flat_map(Value::slots)
    }
}

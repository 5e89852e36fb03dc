//! The texts of an answer, filled from one request: literal text with slots in braces, or the JSON that a document
//! writes, with every string in it such a text.

use super::{
    RespondError,
    value::{Fill, Value},
};
use crate::request::slot::{
    Slot,
    template::{BRACES, Part, parse},
};
use serde_json::Value as Tree;

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

/// A JSON text whose strings are templates.
#[derive(Debug)]
pub(super) struct Json {
    tree: Tree,
    /// In the order of the strings.
    pub(super) templates: Vec<Template>,
}

impl Json {
    /// Reads it, or says what is wrong with a template in it.
    pub(super) fn parse(mut tree: Tree) -> Result<Self, String> {
        let mut templates = Vec::new();
        strings(&mut tree, &mut |text| Template::parse(text).map(|template| templates.push(template)))?;
        Ok(Self { tree, templates })
    }

    pub(super) fn render(&self, fill: &Fill<'_>) -> Result<Tree, RespondError> {
        let (mut tree, mut templates) = (self.tree.clone(), self.templates.iter());
        strings(&mut tree, &mut |text| {
            let rendered = templates.next().map(|template| template.render(fill)).transpose()?;
            *text = rendered.unwrap_or_default();
            Ok(())
        })?;
        Ok(tree)
    }
}

/// Hands on every string of a tree, always in the same order.
fn strings<E>(tree: &mut Tree, take: &mut dyn FnMut(&mut String) -> Result<(), E>) -> Result<(), E> {
    match tree {
        Tree::String(text) => take(text),
        Tree::Array(items) => items.iter_mut().try_for_each(|item| strings(item, take)),
        Tree::Object(map) => map.values_mut().try_for_each(|value| strings(value, take)),
        Tree::Null | Tree::Bool(_) | Tree::Number(_) => Ok(()),
    }
}

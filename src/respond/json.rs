//! The JSON of an answer: whatever the document writes, with every string a template.

use super::{RespondError, template::Template, value::Fill};
use serde_json::Value as Tree;

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

//! The JSON of an answer: whatever the document writes, with every string a template.

use super::{RespondError, template::Template, value::Fill};
use serde_json::{Map, Value as Tree};

/// A JSON text whose strings are templates.
#[derive(Debug)]
pub(super) enum Json {
    Text(Template),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
    Plain(Tree),
}

impl Json {
    /// Reads it, or says what is wrong with a template in it.
    pub(super) fn parse(tree: &Tree) -> Result<Self, String> {
        Ok(match tree {
            Tree::String(text) => Self::Text(Template::parse(text)?),
            Tree::Array(items) => Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?),
            Tree::Object(map) => {
                let member = |(name, value): (&String, &Tree)| Ok((name.clone(), Self::parse(value)?));
                Self::Map(map.iter().map(member).collect::<Result<_, String>>()?)
            }
            Tree::Null | Tree::Bool(_) | Tree::Number(_) => Self::Plain(tree.clone()),
        })
    }

    /// Returns the JSON for one request.
    pub(super) fn render(&self, fill: &Fill<'_>) -> Result<Tree, RespondError> {
        Ok(match self {
            Self::Text(text) => Tree::String(text.render(fill)?),
            Self::List(items) => {
                Tree::Array(items.iter().map(|item| item.render(fill)).collect::<Result<_, _>>()?)
            }
            Self::Map(members) => {
                let member = |(name, value): &(String, Self)| Ok((name.clone(), value.render(fill)?));
                Tree::Object(members.iter().map(member).collect::<Result<Map<_, _>, RespondError>>()?)
            }
            Self::Plain(tree) => tree.clone(),
        })
    }

    /// Returns the templates in it.
    pub(super) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Map(members) => members.iter().flat_map(|(_, value)| value.templates()).collect(),
            Self::Plain(_) => Vec::new(),
        }
    }
}

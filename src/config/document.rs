//! YAML text as a tree whose every value knows its line.
//!
//! The tree is plain JSON data, so that documents can be merged and held to a schema; the places stand beside
//! it. Nothing that is said of a text that cannot be parsed quotes the text: it may hold a secret.

use super::keypath::KeyPath;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, SnippetMode, Spanned, UserMessageFormatter, options::DuplicateKeyPolicy};
use std::{collections::BTreeMap, fmt};

/// The place of every value of a document: of its key where it is a map or list, else its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(BTreeMap<KeyPath, Location>);

impl Places {
    /// Returns where a value stands, or what it would stand in.
    pub(super) fn find(&self, path: &KeyPath) -> Option<Location> {
        let mut path = path.clone();
        loop {
            if let Some(spot) = self.0.get(&path) {
                return Some(*spot);
            }
            path = path.parent()?;
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Document {
    /// Its values.
    pub(super) tree: Value,
    /// Where they stand.
    pub(super) places: Places,
    /// The keys that stand twice in one map, each with the line of its first value.
    pub(super) repeated: Vec<(KeyPath, u64)>,
}

/// Why a text is not YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    /// Where the parser stopped.
    pub(super) spot: Option<Location>,
    /// What it did not like, without any of the text.
    pub(super) message: String,
}

/// How deep values may stand in one another: several times what a configuration needs. The parser's own bound of
/// 64 exhausts a thread's stack of 2 MiB in an unoptimized build.
const MAX_DEPTH: usize = 24;

/// Parses one YAML document. An empty text is the value `null`.
pub(super) fn parse(text: &str) -> Result<Document, SyntaxError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    let root = serde_saphyr::from_str_with_options::<Spanned<Node>>(text, options).map_err(|error| {
        let rendering =
            serde_saphyr::render_options! { formatter: &UserMessageFormatter, snippets: SnippetMode::Off };
        let message = error.render_with_options(rendering);
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        SyntaxError { spot: error.location(), message }
    })?;
    let mut document = Document::default();
    document.tree = document.take(root, &KeyPath::default());
    Ok(document)
}

impl Document {
    fn take(&mut self, node: Spanned<Node>, at: &KeyPath) -> Value {
        self.places.0.entry(at.clone()).or_insert(node.referenced);
        match node.value {
            Node::Scalar(value) => value,
            Node::List(items) => Value::Array(
                items.into_iter().enumerate().map(|(n, item)| self.take(item, &at.index(n))).collect(),
            ),
            Node::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let at = at.key(&key.value);
                    if let Some(first) = self.places.0.get(&at) {
                        let line = first.line();
                        self.places.0.insert(at.clone(), key.referenced);
                        self.repeated.push((at, line));
                        continue;
                    }
                    if !matches!(value.value, Node::Scalar(_)) {
                        self.places.0.insert(at.clone(), key.referenced);
                    }
                    let value = self.take(value, &at);
                    map.insert(key.value, value);
                }
                Value::Object(map)
            }
        }
    }
}

/// A value of a document before its places are put aside.
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number without a value"))?;
        Ok(Node::Scalar(Value::Number(number)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Value::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

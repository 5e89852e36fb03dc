//! Finds values in a JSON body by pointer, in one pass and without building a tree.
//!
//! All pointers of a sender are merged into one trie at start. A scan follows only members that lie on the way
//! to a pointer and skips the rest; the whole text is checked for JSON's grammar, UTF-8 and a bounded depth,
//! since the body is published as it is.

use super::Unmappable;
use crate::{
    event::Reason,
    request::{
        slot::walk::{Finder, Walk, Wanted, index},
        unmarked,
    },
};
use serde::de::{DeserializeSeed as _, IgnoredAny};
use serde_json::value::RawValue;

/// Deepest nesting taken; the envelope is one level more.
const MAX_DEPTH: usize = 128;

#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    #[error("the body is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    #[error("the body is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("the body is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

impl From<ScanError> for Unmappable {
    fn from(error: ScanError) -> Self {
        Self::new(Reason::Malformed, error.to_string())
    }
}

/// The trie of all pointers of one sender.
#[derive(Debug)]
pub(super) struct Pointers {
    nodes: Vec<Node>,
    /// The pointer of each leaf, for messages.
    names: Vec<String>,
}

#[derive(Debug, Default)]
struct Node {
    children: Vec<(String, usize)>,
    leaf: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Found<'a> {
    values: Vec<Option<&'a RawValue>>,
    repeated: Option<String>,
}

impl<'a> Found<'a> {
    /// Returns the raw text at a leaf; `None` when it is absent or `null`.
    pub(super) fn raw(&self, leaf: usize) -> Option<&'a str> {
        self.values.get(leaf).copied().flatten().map(RawValue::get).filter(|raw| *raw != "null")
    }

    /// Returns a member on the way to a pointer that stands twice in its object.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }
}

impl Default for Pointers {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], names: Vec::new() }
    }
}

impl Pointers {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds a pointer (RFC 6901) and returns its leaf; the same pointer has one leaf.
    pub(super) fn add(&mut self, pointer: &str) -> usize {
        let mut at = 0;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            at = self.child(at, token);
        }
        let next = self.names.len();
        let leaf = self.nodes.get_mut(at).map_or(next, |node| *node.leaf.get_or_insert(next));
        if leaf == next {
            self.names.push(pointer.to_owned());
        }
        leaf
    }

    fn child(&mut self, at: usize, token: String) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        if let Some((_, child)) = node.children.iter().find(|(name, _)| *name == token) {
            return *child;
        }
        node.children.push((token, next));
        self.nodes.push(Node::default());
        next
    }

    /// Returns the result of a scan that found nothing.
    pub(super) fn nothing<'a>(&self) -> Found<'a> {
        Found { values: vec![None; self.names.len()], repeated: None }
    }

    /// Checks that `body` is one JSON text and returns what stands at the pointers.
    pub(super) fn scan<'a>(&self, body: &'a [u8]) -> Result<Found<'a>, ScanError> {
        let text = text(body)?;
        let mut found = self.nothing();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Walk { wanted: At { pointers: self, node: 0 }, finder: &mut found }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }
}

#[derive(Debug, Clone, Copy)]
struct At<'t> {
    pointers: &'t Pointers,
    node: usize,
}

impl<'t> At<'t> {
    fn children(self) -> &'t [(String, usize)] {
        self.pointers.nodes.get(self.node).map_or(&[], |node| &node.children)
    }
}

impl Wanted for At<'_> {
    fn text(self) -> Option<usize> {
        self.pointers.nodes.get(self.node)?.leaf
    }

    fn leads_on(self) -> bool {
        !self.children().is_empty()
    }

    fn member(self, name: &str) -> Option<(usize, Self)> {
        let mut children = self.children().iter().enumerate();
        let (number, (_, node)) = children.find(|(_, (child, _))| child == name)?;
        Some((number, Self { node: *node, ..self }))
    }

    fn element(self, at: usize) -> Option<Self> {
        let (_, node) = self.children().iter().find(|(child, _)| index(child) == Some(at))?;
        Some(Self { node: *node, ..self })
    }
}

impl<'a> Finder<'a, At<'_>> for Found<'a> {
    fn found(&mut self, number: usize, text: &'a RawValue) {
        if let Some(value) = self.values.get_mut(number) {
            *value = Some(text);
        }
    }

    fn repeated(&mut self, of: At<'_>, member: usize) {
        if self.repeated.is_none() {
            self.repeated = of.children().get(member).map(|(name, _)| name.clone());
        }
    }
}

/// Returns a body as text, if it is UTF-8 and not nested too deep to be read.
pub(super) fn text(body: &[u8]) -> Result<&str, ScanError> {
    let body = unmarked(body);
    let text = std::str::from_utf8(body).map_err(|error| ScanError::NotUtf8(error.valid_up_to()))?;
    if depth(body) > MAX_DEPTH { Err(ScanError::TooDeep) } else { Ok(text) }
}

/// Tells whether a body is one JSON text that can stand in an envelope.
pub(super) fn is_valid(body: &[u8]) -> bool {
    text(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Returns a bound of the nesting of arrays and objects in a JSON text: exact where it is above the limit.
fn depth(body: &[u8]) -> usize {
    // No text is nested deeper than it has opening brackets; counting them is many times quicker than following
    // them, and enough for nearly every body.
    // Counted in bytes, which the compiler does for many at once; a chunk has no more than one holds.
    let in_chunk = |chunk: &[u8]| {
        chunk.iter().fold(0_u8, |count, byte| count.wrapping_add(u8::from(matches!(byte, b'{' | b'['))))
    };
    let brackets = body.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_chunk(chunk))).sum();
    if brackets <= MAX_DEPTH {
        return brackets;
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;

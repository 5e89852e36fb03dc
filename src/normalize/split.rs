//! Divides a body that carries several events: which parts of it are the elements.
//!
//! Nothing is left behind: a part that does not go on as the document says stands for itself, and is mapped or
//! quarantined like any other. Elements are slices of the body; only one of several that were one element is a copy.

mod one_of;

use super::{Unmappable, json};
use crate::{
    event::Reason,
    request::slot::{Pointer, SlotError},
};
use bytes::Bytes;
use one_of::Lists;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// Elements taken of one request. More are no batch of any sender known, and each costs a record.
pub(super) const MAX_ELEMENTS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Split {
    ways: Vec<Way>,
    lines: bool,
    lists: Lists,
}

/// A pointer with `*`, cut at its stars: what leads from one value to the next; `None` leads nowhere.
type Way = Vec<Option<Pointer>>;

/// One part of a body that is an event of its own.
#[derive(Debug)]
pub(super) struct Element<'a> {
    /// Its text as it stands in the body, without its neighbours in a list that it shares with them.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Which of [`Division::around`] it was taken from.
    pub(super) around: usize,
    /// A member on the way to its own parts that stands twice, so that it could not be divided further.
    pub(super) repeated: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Division<'a> {
    /// The elements, in the order of the body.
    pub(super) elements: Vec<Element<'a>>,
    /// The values that the elements were taken from.
    pub(super) around: Vec<&'a str>,
}

impl Split {
    /// Reads the alternatives of `each`, as `/value/*` or `/*|lines`.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let mut split = Self::default();
        for way in text.split('|').map(str::trim) {
            if way == "lines" {
                split.lines = true;
            } else {
                split.ways.push(self::way(way)?);
            }
        }
        Ok(split)
    }

    /// Names the lists of an element of which an event holds one item.
    pub(super) fn with_lists(self, lists: &[String]) -> Result<Self, String> {
        Ok(Self { lists: Lists::compile(lists)?, ..self })
    }

    /// Returns the split of a body that is one array.
    pub(super) fn elements() -> Self {
        Self { ways: vec![vec![None, None]], ..Self::default() }
    }

    /// True where a body may be one JSON text per line.
    pub(super) fn takes_lines(&self) -> bool {
        self.lines
    }

    /// Divides a JSON text by every alternative whose array stands there; without any, the whole of it is the one
    /// element. An empty array gives none.
    pub(super) fn divide<'a>(&self, text: &'a str) -> Result<Division<'a>, Unmappable> {
        let ways: Vec<&[Option<Pointer>]> = self.ways.iter().map(Vec::as_slice).collect();
        let mut division = Division { elements: Vec::new(), around: vec![text] };
        division.add(text, &ways, 0)?;
        division.elements = self.lists.part(division.elements)?;
        Ok(division)
    }

    /// Divides a body into its lines, less empty ones.
    pub(super) fn lines(body: &[u8]) -> Result<Division<'_>, Unmappable> {
        let mut division = Division { elements: Vec::new(), around: vec![""] };
        for line in body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            if !line.is_empty() {
                division.push(line, 0, None)?;
            }
        }
        Ok(division)
    }
}

fn way(text: &str) -> Result<Way, String> {
    let wrong = || format!("`{text}` is no split: expected a pointer with `*`, as `/value/*`, or `lines`");
    let way = text.strip_prefix('/').map(|below| below.split('/')).ok_or_else(wrong)?.fold(
        vec![String::new()],
        |mut parts, token| {
            match (token, parts.last_mut()) {
                ("*", _) => parts.push(String::new()),
                (token, Some(last)) => last.extend(["/", token]),
                (_, None) => {}
            }
            parts
        },
    );
    if way.len() < 2 {
        return Err(wrong());
    }
    way.iter().map(|part| (!part.is_empty()).then(|| Pointer::parse(part)).transpose()).collect()
}

impl<'a> Element<'a> {
    /// Returns its bytes as a part of the body that it was taken from, where it is one.
    pub(super) fn of(&self, body: &Bytes) -> Bytes {
        match &self.bytes {
            Cow::Borrowed(bytes) => body.slice_ref(bytes),
            Cow::Owned(bytes) => Bytes::copy_from_slice(bytes),
        }
    }

    /// Returns what it is of the body, where that is text.
    fn text(&self) -> Option<&'a str> {
        match self.bytes {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok(),
            Cow::Owned(_) => None,
        }
    }
}

impl<'a> Division<'a> {
    /// Adds the elements of one value; the last part of a way leads to the element itself.
    fn add(&mut self, value: &'a str, ways: &[&[Option<Pointer>]], around: usize) -> Result<(), Unmappable> {
        let mut parts: Vec<(&Option<Pointer>, &'a str)> = Vec::new();
        for part in ways.iter().filter_map(|way| way.first()) {
            match follow(value, part.as_ref()) {
                // Ways that go on alike are followed together.
                Ok(Some(found)) if parts.iter().all(|(other, _)| *other != part) => parts.push((part, found)),
                Ok(_) => {}
                Err(repeated) => return self.push(value.as_bytes(), around, Some(repeated)),
            }
        }
        let (mut is_divided, mut source) = (false, None);
        for (part, found) in parts {
            let (ends, behind): (Vec<_>, Vec<_>) = ways
                .iter()
                .filter_map(|way| way.split_first())
                .filter_map(|(first, rest)| (first == part).then_some(rest))
                .partition(|rest| rest.is_empty());
            let items = if behind.is_empty() { None } else { items(found)? };
            if let Some(items) = items {
                let around = match source {
                    Some(around) => around,
                    None => *source.insert(self.taken_from(value, around)?),
                };
                items.into_iter().try_for_each(|item| self.add(item.get(), &behind, around))?;
            } else if part.is_some() && !ends.is_empty() {
                self.push(found.as_bytes(), around, None)?;
            } else {
                continue;
            }
            is_divided = true;
        }
        // What no way leads into stands for itself.
        if is_divided { Ok(()) } else { self.push(value.as_bytes(), around, None) }
    }

    fn body(&self) -> &'a str {
        self.around.first().copied().unwrap_or_default()
    }

    /// Returns the place of what elements are taken from; the body itself stands there already.
    fn taken_from(&mut self, value: &'a str, around: usize) -> Result<usize, Unmappable> {
        if around == 0 && std::ptr::eq(value, self.body()) {
            return Ok(0);
        }
        self.around.push(value);
        if self.around.len() > MAX_ELEMENTS { Err(too_many()) } else { Ok(self.around.len() - 1) }
    }

    fn push(&mut self, bytes: &'a [u8], around: usize, repeated: Option<String>) -> Result<(), Unmappable> {
        if self.elements.len() >= MAX_ELEMENTS {
            return Err(too_many());
        }
        self.elements.push(Element { bytes: Cow::Borrowed(bytes), around, repeated });
        Ok(())
    }
}

fn too_many() -> Unmappable {
    Unmappable::new(Reason::Malformed, format!("the body has more than {MAX_ELEMENTS} elements"))
}

/// Returns the value that a part of a way leads to; the error names a member that stands twice.
fn follow<'a>(value: &'a str, part: Option<&Pointer>) -> Result<Option<&'a str>, String> {
    let Some(pointer) = part else { return Ok(Some(value)) };
    match pointer.all(value) {
        Ok(found) => Ok(found.first().copied()),
        Err(SlotError::Repeated(name)) => Err(name),
        // A number that no float holds stands on the way: nothing that an array could be below.
        Err(SlotError::Malformed(_)) => Ok(None),
    }
}

/// Returns an array's elements; `None` where the value is no array.
fn items(value: &str) -> Result<Option<Vec<&RawValue>>, Unmappable> {
    if !value.trim_ascii_start().starts_with('[') {
        return Ok(None);
    }
    let items =
        serde_json::Deserializer::from_str(value).deserialize_seq(Items).map_err(json::ScanError::from)?;
    if items.len() > MAX_ELEMENTS { Err(too_many()) } else { Ok(Some(items)) }
}

/// Reads the elements of an array, up to the first one too many.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            if items.len() <= MAX_ELEMENTS {
                items.push(item);
            }
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests;

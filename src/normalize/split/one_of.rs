//! Elements that hold lists of events beside what all of these share: each item becomes an event of its own, whose
//! bytes are the element with no other item of these lists. So what they share stays with each of them.

use super::{Element, MAX_ELEMENTS, Unmappable, follow, items, too_many};
use crate::{event::Reason, request::slot::Pointer};
use serde_json::value::RawValue;
use std::{borrow::Cow, ops::Range};

/// What the elements of one request may take together, in bytes: each repeats what it shares with the others.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The lists of an element of which an event holds one item.
#[derive(Debug, Default)]
pub(super) struct Lists(Vec<Pointer>);

struct List<'a> {
    /// Where its text stands in the element's.
    at: Range<usize>,
    items: Vec<&'a str>,
}

impl Lists {
    /// Reads the pointers; none may lead to or into another's list.
    pub(super) fn compile(texts: &[String]) -> Result<Self, String> {
        for (nth, text) in texts.iter().enumerate() {
            if text.split('/').any(|token| token == "*") {
                return Err(format!("`{text}`: expected a pointer without `*`, as `/value/messages`"));
            }
            let into = |other: &String| other == text || other.starts_with(&format!("{text}/"));
            if texts.iter().enumerate().any(|(other, list)| other != nth && into(list)) {
                return Err(format!("`{text}` stands twice, or another pointer leads into it"));
            }
        }
        texts.iter().map(|text| Pointer::parse(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the elements with one item each; one whose lists hold no more is left as it is.
    pub(super) fn part<'a>(&self, elements: Vec<Element<'a>>) -> Result<Vec<Element<'a>>, Unmappable> {
        if self.0.is_empty() {
            return Ok(elements);
        }
        let (mut parted, mut room) = (Vec::with_capacity(elements.len()), MAX_BYTES);
        for mut element in elements {
            let Some(text) = element.text() else {
                parted.push(element);
                continue;
            };
            let lists = match self.lists(text)? {
                Ok(lists) => lists,
                Err(repeated) => {
                    element.repeated = element.repeated.or(Some(repeated));
                    Vec::new()
                }
            };
            let count: usize = lists.iter().map(|list| list.items.len()).sum();
            if count < 2 {
                parted.push(element);
                continue;
            }
            if parted.len() + count > MAX_ELEMENTS {
                return Err(too_many());
            }
            for bytes in singled(text, &lists) {
                room = room.checked_sub(bytes.len()).ok_or_else(too_large)?;
                parted.push(Element { bytes: Cow::Owned(bytes), around: element.around, repeated: None });
            }
        }
        Ok(parted)
    }

    /// Finds the lists of an element, in the order of its text; the inner error names a member that stands twice.
    fn lists<'a>(&self, text: &'a str) -> Result<Result<Vec<List<'a>>, String>, Unmappable> {
        let mut lists = Vec::new();
        for pointer in &self.0 {
            let found = match follow(text, Some(pointer)) {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(repeated) => return Ok(Err(repeated)),
            };
            let start = found.as_ptr().addr().saturating_sub(text.as_ptr().addr());
            if let Some(items) = items(found)? {
                let items = items.into_iter().map(RawValue::get).collect();
                lists.push(List { at: start..start + found.len(), items });
            }
        }
        lists.sort_by_key(|list| list.at.start);
        Ok(Ok(lists))
    }
}

/// Returns an element's text once for each item of its lists, with no other item in them.
fn singled<'t>(text: &'t str, lists: &'t [List<'t>]) -> impl Iterator<Item = Vec<u8>> {
    let items =
        lists.iter().enumerate().flat_map(|(nth, list)| list.items.iter().map(move |item| (nth, *item)));
    items.map(move |(own, item)| {
        let (mut single, mut from) = (String::new(), 0);
        for (nth, list) in lists.iter().enumerate() {
            single.push_str(text.get(from..list.at.start).unwrap_or_default());
            single.push('[');
            single.push_str(if nth == own { item } else { "" });
            single.push(']');
            from = list.at.end;
        }
        single.push_str(text.get(from..).unwrap_or_default());
        single.into_bytes()
    })
}

fn too_large() -> Unmappable {
    let detail = format!("the elements, each with what it shares, take more than {MAX_BYTES} bytes");
    Unmappable::new(Reason::Malformed, detail)
}

#[cfg(test)]
mod tests;

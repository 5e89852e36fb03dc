//! A signature that stands inside the body it signs, as a member of the top-level JSON object: finding it, cutting
//! it out of the raw bytes, and (to sign) adding it.
//!
//! Cutting leaves every other byte alone, so the result is what the sender hashed, whatever its spacing and
//! escaping, as long as it used one serialiser for both texts.

use super::{VerifyError, json};
use crate::request::{slot::scalar, unmarked_text};
use serde::{
    Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The member, and the body around it.
pub(super) struct Found<'b> {
    pub(super) before: &'b [u8],
    pub(super) after: &'b [u8],
    pub(super) value: Cow<'b, str>,
}

/// Finds the member `name` at the top level of `body`; names are compared after unescaping.
///
/// Several such members, another value than a string, and a body that is no JSON object are malformed.
pub(super) fn find<'b>(body: &'b [u8], name: &str) -> Result<Option<Found<'b>>, VerifyError> {
    let text = std::str::from_utf8(body).map_err(|_| VerifyError::malformed("the body is not UTF-8"))?;
    let mut parser = serde_json::Deserializer::from_str(unmarked_text(text));
    let cut = parser
        .deserialize_map(Members { text, name })
        .and_then(|cut| parser.end().map(|()| cut))
        .map_err(|error| {
            // The error's own text may quote the body, and this one is logged.
            let (line, column) = (error.line(), error.column());
            VerifyError::Malformed(format!(
                "the body is not a JSON object with one such member: line {line}, column {column}"
            ))
        })?;
    let Some(cut) = cut else { return Ok(None) };
    let text = Some(cut.value).filter(|value| value.starts_with('"')).and_then(|value| scalar(value).ok()?);
    let parts = (body.get(..cut.start), body.get(cut.end..), text);
    let (Some(before), Some(after), Some(value)) = parts else {
        return Err(VerifyError::Malformed(format!("member `{name}` is not a string")));
    };
    Ok(Some(Found { before, after, value }))
}

/// Adds the member behind all others, where `find` and its cut give back the very `body`.
///
/// `None` where `body` is not an object, or has such a member already.
pub(super) fn add(body: &[u8], name: &str, value: &str) -> Option<Vec<u8>> {
    find(body, name).ok()?.is_none().then_some(())?;
    let inner = body.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end();
    let comma = if inner.ends_with(b"{") { "" } else { "," };
    let member =
        format!("{comma}{}:{}", serde_json::to_string(name).ok()?, serde_json::to_string(value).ok()?);
    Some([inner, member.as_bytes(), body.get(inner.len()..)?].concat())
}

/// What is to be cut out, as places in the text.
struct Cut<'b> {
    start: usize,
    end: usize,
    value: &'b str,
}

/// Walks over the members of the top-level object and remembers the one to cut.
struct Members<'b, 'n> {
    text: &'b str,
    name: &'n str,
}

impl Members<'_, '_> {
    /// Returns where a fragment of the text begins in it.
    fn place(&self, fragment: &str) -> usize {
        fragment.as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    /// Returns where the comma stands between one member's end and the next one's start.
    fn comma(&self, end: usize, start: usize) -> usize {
        self.text.get(end..start).and_then(|between| between.find(',')).map_or(start, |comma| end + comma)
    }
}

impl<'b> Visitor<'b> for Members<'b, '_> {
    type Value = Option<Cut<'b>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut cut: Option<Cut<'b>> = None;
        let mut cut_is_first = false;
        let mut last_end = None;
        while let Some(name) = members.next_key::<&'b RawValue>()? {
            let value = members.next_value::<&'b RawValue>()?.get();
            let (start, end) = (self.place(name.get()), self.place(value) + value.len());
            if json::code_points(name.get()).eq(self.name.chars().map(u32::from)) {
                if cut.is_some() {
                    return Err(Error::custom("the signature's member stands twice"));
                }
                cut_is_first = last_end.is_none();
                let start = last_end.map_or(start, |last| self.comma(last, start));
                cut = Some(Cut { start, end, value });
            } else if cut_is_first && let Some(cut) = cut.as_mut() {
                cut.end = start;
                cut_is_first = false;
            }
            last_end = Some(end);
        }
        Ok(cut)
    }
}

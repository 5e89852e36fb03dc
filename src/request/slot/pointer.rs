//! JSON pointers (RFC 6901), looked up in a text without building a tree.
//!
//! Only the members on the way are entered; all else is skipped, but checked for JSON's grammar. Skipping needs no
//! stack, and the way is as long as the pointer, so that no body can nest too deep for a lookup.
//!
//! Here single values are read, by a check or a handshake; `normalize` walks along all pointers of a sender at once.

use super::{
    SlotError,
    walk::{Finder, Walk, Wanted, index},
};
use crate::request::unmarked_text;
use serde::de::DeserializeSeed as _;
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// A parsed pointer. The token `*` stands for every element of an array; in an object it leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Box<[Box<str>]>);

impl Pointer {
    /// Reads a pointer, as `/data/id`, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let below = text.strip_prefix('/').ok_or_else(|| format!("`{text}` does not begin with `/`"))?;
        let token = |token: &str| {
            let rest = token.replace("~0", "").replace("~1", "");
            let is_escaped = !rest.contains('~');
            is_escaped.then(|| token.replace("~1", "/").replace("~0", "~").into_boxed_str())
        };
        let tokens = below.split('/').map(token).collect::<Option<_>>();
        tokens.map(Self).ok_or_else(|| format!("`{text}` has a `~` that is neither `~0` nor `~1`"))
    }

    /// Returns the text of the scalar that stands there: a string's own, a number's digits as they were sent.
    /// `None` where nothing stands there, or `null`, an object or an array.
    pub fn scalar<'t>(&self, text: &'t str) -> Result<Option<Cow<'t, str>>, SlotError> {
        let (mut value, mut count) = (None, 0_usize);
        self.each(text, &mut |raw| {
            value = Some(raw);
            count += 1;
        })?;
        if count > 1 {
            return Err(SlotError::Repeated(format!("`{self}`")));
        }
        value.map_or(Ok(None), scalar)
    }

    /// Returns the texts of all values that stand there: several only where the pointer has a `*`.
    pub fn all<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, SlotError> {
        let mut values = Vec::new();
        self.each(text, &mut |raw| values.push(raw))?;
        Ok(values)
    }

    fn each<'t>(&self, text: &'t str, take: &mut dyn FnMut(&'t str)) -> Result<(), SlotError> {
        let mut parser = serde_json::Deserializer::from_str(unmarked_text(text));
        let mut each = Each { take, repeated: None };
        Walk { wanted: &*self.0, finder: &mut each }
            .deserialize(&mut parser)
            .and_then(|()| parser.end())
            .map_err(|error| SlotError::Malformed(format!("the body is not JSON: {error}")))?;
        each.repeated.map_or(Ok(()), |name| Err(SlotError::Repeated(format!("member `{name}` of `{self}`"))))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

/// Returns the text of a JSON scalar, a number with the digits that were sent; `None` for `null`, objects and arrays.
pub fn scalar(raw: &str) -> Result<Option<Cow<'_, str>>, SlotError> {
    if raw == "null" || raw.starts_with(['{', '[']) {
        return Ok(None);
    }
    let Some(inner) = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) else {
        return Ok(Some(Cow::Borrowed(raw)));
    };
    if !inner.contains('\\') {
        return Ok(Some(Cow::Borrowed(inner)));
    }
    serde_json::from_str(raw)
        .map(|text| Some(Cow::Owned(text)))
        .map_err(|_| SlotError::Malformed("a string of the body is not Unicode".to_owned()))
}

impl Wanted for &[Box<str>] {
    fn text(self) -> Option<usize> {
        self.is_empty().then_some(0)
    }

    fn leads_on(self) -> bool {
        !self.is_empty()
    }

    fn member(self, name: &str) -> Option<(usize, Self)> {
        // A `*` stands for elements of a list alone. Were it a name here too, an object with such a member would be one
        // element for this reader and none for another.
        let (_, rest) = self.split_first().filter(|(token, _)| ***token == *name && name != "*")?;
        Some((0, rest))
    }

    fn element(self, at: usize) -> Option<Self> {
        let (token, rest) = self.split_first()?;
        (**token == *"*" || index(token) == Some(at)).then_some(rest)
    }
}

struct Each<'f, 't> {
    take: &'f mut dyn FnMut(&'t str),
    /// The first member on the way that stands twice.
    repeated: Option<Box<str>>,
}

impl<'t> Finder<'t, &[Box<str>]> for Each<'_, 't> {
    fn found(&mut self, _: usize, text: &'t RawValue) {
        (self.take)(text.get());
    }

    fn repeated(&mut self, of: &[Box<str>], _: usize) {
        if self.repeated.is_none() {
            self.repeated = of.first().cloned();
        }
    }
}

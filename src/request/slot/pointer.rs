//! JSON pointers (RFC 6901), looked up in a text without building a tree.
//!
//! Only the members on the way are entered; all else is skipped, but checked for JSON's grammar. Skipping needs no
//! stack, and the way is as long as the pointer, so that no body can nest too deep for a lookup.
//!
//! `normalize` has a walk of its own, along a trie of all pointers of a sender at once: every event takes it, and it
//! refuses what an envelope can't carry. Here single values are read, by a check or a handshake.

use super::{super::mark::unmarked_text, SlotError};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
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
        let mut repeated = None;
        let mut parser = serde_json::Deserializer::from_str(unmarked_text(text));
        Walk { tokens: &self.0, take, repeated: &mut repeated }
            .deserialize(&mut parser)
            .and_then(|()| parser.end())
            .map_err(|error| SlotError::Malformed(format!("the body is not JSON: {error}")))?;
        repeated.map_or(Ok(()), |name| Err(SlotError::Repeated(format!("member `{name}` of `{self}`"))))
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

/// Reads the value to which the rest of a pointer is applied.
struct Walk<'p, 'f, 'de> {
    tokens: &'p [Box<str>],
    take: &'f mut dyn FnMut(&'de str),
    /// The first member on the way that stands twice.
    repeated: &'f mut Option<Box<str>>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.tokens.is_empty() {
            return deserializer.deserialize_any(self);
        }
        let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
        (self.take)(raw.get());
        Ok(())
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((token, tokens)) = self.tokens.split_first() else { return Ok(()) };
        // A `*` stands for elements of a list alone. Were it a name here too, an object with such a member would be one
        // element for this reader and none for another.
        let is_star = &**token == "*";
        let mut seen = false;
        while let Some(is_wanted) = map.next_key_seed(Named(token))? {
            if !is_wanted || is_star {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if seen {
                self.repeated.get_or_insert_with(|| token.clone());
            }
            seen = true;
            map.next_value_seed(Walk { tokens, take: &mut *self.take, repeated: &mut *self.repeated })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((token, tokens)) = self.tokens.split_first() else { return Ok(()) };
        let wanted = index(token);
        for at in 0_usize.. {
            let more = if &**token == "*" || wanted == Some(at) {
                let walk = Walk { tokens, take: &mut *self.take, repeated: &mut *self.repeated };
                seq.next_element_seed(walk)?.is_some()
            } else {
                seq.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// Returns the index that a token is: digits without a zero in front.
fn index(token: &str) -> Option<usize> {
    let is_index =
        token == "0" || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
    is_index.then(|| token.parse().ok()).flatten()
}

/// Tells of a member's name whether it is the wanted one, without copying it.
struct Named<'t>(&'t str);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

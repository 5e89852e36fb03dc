//! The JSON event format 1.0.2: one object that holds the attributes and the data.

use super::attributes::{Attributes, malformed};
use crate::{
    event::{Extension, Reason},
    normalize::{Unmappable, mapping::Data, media},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{collections::HashSet, fmt};

#[derive(Debug)]
pub(super) struct Document {
    pub(super) attributes: Attributes,
    pub(super) data: Data,
}

/// Reads an event; its data is a slice of `body`, in which `text` stands.
pub(super) fn read(body: &Bytes, text: &str) -> Result<Document, Unmappable> {
    let members: Members<'_> =
        serde_json::from_str(text).map_err(|error| malformed(format!("no CloudEvent: {error}")))?;
    let (mut attributes, mut plain, mut encoded) = (Attributes::default(), None, None);
    let mut names = HashSet::with_capacity(members.0.len());
    for (name, raw) in &members.0 {
        if !names.insert(name.as_str()) {
            return Err(Unmappable::new(Reason::Ambiguous, format!("the attribute {name:?} stands twice")));
        }
        match name.as_str() {
            "data" => plain = Some(raw.get()),
            "data_base64" => encoded = Some(raw.get()),
            // Section 2.2: `null` is an attribute that is not there.
            _ if raw.get() == "null" => {}
            name => attributes.take(name, value(name, raw.get())?)?,
        }
    }
    let data = match (plain, encoded.filter(|raw| *raw != "null")) {
        (Some(_), Some(_)) => return Err(malformed("the event has both data and data_base64")),
        (Some(raw), None) => data_of(body, raw, attributes.content_type.as_deref())?,
        (None, Some(raw)) => Data { bytes: decoded(raw)?, is_json: false },
        (None, None) => Data { bytes: Bytes::new(), is_json: false },
    };
    Ok(Document { attributes, data })
}

/// Returns an attribute's value: a string, a truth value or a whole number of 32 bits.
fn value(name: &str, raw: &str) -> Result<Extension, Unmappable> {
    let value = match raw {
        "true" => Some(Extension::Truth(true)),
        "false" => Some(Extension::Truth(false)),
        raw if raw.starts_with('"') => serde_json::from_str(raw).ok().map(Extension::Text),
        raw => raw.parse().ok().map(Extension::Number),
    };
    value.ok_or_else(|| {
        malformed(format!(
            "the attribute {name:?} is no string, no truth value and no whole number of 32 bits"
        ))
    })
}

/// Returns the data: JSON as it stands, or the text that a JSON string of another media type holds (section 3.1).
fn data_of(body: &Bytes, raw: &str, content_type: Option<&str>) -> Result<Data, Unmappable> {
    if raw.starts_with('"') && !content_type.is_none_or(media::is_json) {
        let text: String =
            serde_json::from_str(raw).map_err(|_| malformed("the event's data is not valid Unicode"))?;
        return Ok(Data { bytes: text.into(), is_json: false });
    }
    Ok(Data { bytes: body.slice_ref(raw.as_bytes()), is_json: true })
}

fn decoded(raw: &str) -> Result<Bytes, Unmappable> {
    let text: Option<String> = serde_json::from_str(raw).ok();
    let bytes = text.and_then(|text| STANDARD.decode(text).ok());
    bytes.map(Bytes::from).ok_or_else(|| malformed("the event's data_base64 is no base64"))
}

/// The members of an object, in their order, values unread.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(member) = map.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}

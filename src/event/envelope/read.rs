//! Reads an envelope back: its attributes and data from a record in either form, and the event that they describe.

use super::Binding;
use crate::{
    clock,
    event::{Event, Identity, Reason},
    verify::Assurance,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The attributes of an envelope, less its data.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, String>);

/// A record, as far as it is read: its headers, its value, and whose binding it keeps to.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'r, S> {
    /// Names and values.
    pub headers: &'r [(S, S)],
    /// The document, or the data.
    pub value: &'r Bytes,
    /// The NATS binding percent-encodes values, the Kafka binding does not.
    pub binding: Binding,
}

impl Attributes {
    /// Returns an attribute by its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns all of them as one JSON object.
    pub fn as_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Returns why the event is quarantined; `None` where it is not, an error where the reason is unknown.
    pub fn reason(&self) -> Result<Option<Reason>, String> {
        let named = |name| Reason::named(name).ok_or_else(|| format!("its reason {name} is unknown"));
        self.get("hookwayreason").map(named).transpose()
    }

    /// Returns the event that they describe, with its data and whether those are JSON. What is said of a quarantined one is
    /// not part of it. An error says what is wrong.
    pub fn event(&self, data: Bytes, data_is_json: bool) -> Result<Event, String> {
        let must = |name: &str| self.get(name).ok_or_else(|| format!("its envelope has no {name}"));
        let text = |name: &str| self.get(name).map(ToOwned::to_owned);
        let recorded = must("recordedtime")?.parse().map_err(|_| "its recordedtime is none")?;
        let assurance =
            Assurance::named(must("hookwayverified")?).ok_or("what was verified of it is unknown")?;
        Ok(Event {
            id: must("id")?.to_owned(),
            identity: Identity::Fresh,
            id_conflicts: self.get("hookwayidconflict").is_some(),
            in_turn: false,
            source: must("source")?.into(),
            source_name: must("hookwaysource")?.into(),
            kind: must("type")?.to_owned(),
            subject: text("subject"),
            key: text("partitionkey"),
            time: self.get("time").filter(|_| self.get("timesource").is_none()).and_then(clock::read),
            recorded,
            content_type: text("datacontenttype"),
            assurance,
            data,
            data_is_json,
            type_is_unsigned: self.get("typeunsigned").is_some(),
            carried: None,
            quarantine: None,
        })
    }
}

impl<S: AsRef<str>> Envelope<'_, S> {
    /// Returns the attributes, from the headers (binary) or the document (structured); none where the record is no envelope.
    pub fn attributes(&self) -> Attributes {
        if self.is_binary() {
            return Attributes(self.named());
        }
        let members: BTreeMap<String, &RawValue> = serde_json::from_slice(self.value).unwrap_or_default();
        let text = |(name, value): (String, &RawValue)| {
            serde_json::from_str(value.get()).ok().map(|value| (name, value))
        };
        Attributes(members.into_iter().filter(|(name, _)| name != "data").filter_map(text).collect())
    }

    /// Returns the sender's bytes, and whether they are one JSON text; `None` where the record is no envelope.
    pub fn data(&self) -> Option<(Bytes, bool)> {
        if self.is_binary() {
            let is_json = serde_json::from_slice::<&RawValue>(self.value).is_ok();
            return Some((self.value.clone(), is_json));
        }
        let members: BTreeMap<String, &RawValue> = serde_json::from_slice(self.value).ok()?;
        if let Some(data) = members.get("data") {
            return Some((Bytes::copy_from_slice(data.get().as_bytes()), true));
        }
        let Some(data) = members.get("data_base64") else { return Some((Bytes::new(), false)) };
        let text: String = serde_json::from_str(data.get()).ok()?;
        STANDARD.decode(text).ok().map(|data| (data.into(), false))
    }

    /// True where the attributes stand in headers.
    pub fn is_binary(&self) -> bool {
        self.headers.iter().any(|(name, _)| attribute_name(name.as_ref()) == Some("specversion"))
    }

    fn named(&self) -> BTreeMap<String, String> {
        let attribute = |(name, value): &(S, S)| {
            let name = if name.as_ref().eq_ignore_ascii_case("content-type") {
                "datacontenttype"
            } else {
                attribute_name(name.as_ref())?
            };
            let value = match self.binding {
                Binding::Nats => percent_decode_str(value.as_ref()).decode_utf8_lossy().into_owned(),
                Binding::Kafka => value.as_ref().to_owned(),
            };
            Some((name.to_owned(), value))
        };
        self.headers.iter().filter_map(attribute).collect()
    }
}

/// Returns the attribute that a header carries in binary mode.
fn attribute_name(header: &str) -> Option<&str> {
    header.strip_prefix("ce_").or_else(|| header.strip_prefix("ce-"))
}

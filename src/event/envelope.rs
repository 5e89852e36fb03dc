//! Writes an event as an envelope: `CloudEvents` 1.0.2, structured (JSON event format) or binary.
//!
//! In the structured form the sender's JSON stands in `data` byte for byte: it is copied, never parsed and
//! written again. Sources: `CloudEvents` specification and JSON event format 1.0.2; Kafka and NATS protocol
//! bindings 1.0.2.

pub mod read;

use super::{Cut, Event, Extension};
use crate::{clock, request::unmarked};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::borrow::Cow;

/// The media type of a structured envelope.
pub const STRUCTURED_TYPE: &str = "application/cloudevents+json; charset=UTF-8";

/// A record's headers, names and values, in their order.
pub type Headers = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// How much room the attributes of an ordinary event take, in bytes; a guess that saves growing the buffer.
const ATTRIBUTES_ROOM: usize = 768;

/// Which broker's header names and value rules a binary envelope follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// `ce_` names, values as they are.
    Kafka,
    /// `ce-` names, values percent-encoded outside printable ASCII.
    Nats,
}

/// What of an envelope depends on the replica and the way, not on the event.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// This replica's name.
    pub replica: &'a str,
    /// `direct`, `spool` or `replay`.
    pub path: &'static str,
}

/// Returns the event as one JSON document.
pub fn structured(event: &Event, origin: Origin<'_>) -> Bytes {
    let mut json = Vec::with_capacity(event.data.len() + ATTRIBUTES_ROOM);
    json.extend_from_slice(br#"{"specversion":"1.0""#);
    attributes(event, origin, |name, value| member(&mut json, name, value));
    if event.data_is_json {
        json.extend_from_slice(br#","data":"#);
        json.extend_from_slice(unmarked(&event.data));
    } else if !event.data.is_empty() {
        json.extend_from_slice(br#","data_base64":""#);
        json.extend_from_slice(STANDARD.encode(&event.data).as_bytes());
        json.push(b'"');
    }
    json.push(b'}');
    json.into()
}

/// Returns the headers of a structured record.
pub fn structured_headers() -> Headers {
    vec![(Cow::Borrowed("content-type"), Cow::Borrowed(STRUCTURED_TYPE))]
}

/// What begins the media types by which a record says that its value is the whole event (Kafka and NATS bindings,
/// section 3).
const STRUCTURED_STEM: &[u8] = b"application/cloudevents";

/// Returns the media type of a binary record's value. Where the sender calls its body a `CloudEvent`, consumers would take
/// that for the event, with whatever source and proof it claims, so such a body is called by its plain form. The name is
/// looked for anywhere in the text, so that no blank, list or quote hides it from us and not from them.
fn plain_type<'a>(event: &Event, named: &'a str) -> &'a str {
    let mut parts = named.as_bytes().windows(STRUCTURED_STEM.len());
    match parts.any(|part| part.eq_ignore_ascii_case(STRUCTURED_STEM)) {
        false => named,
        true if event.data_is_json => "application/json",
        true => "application/octet-stream",
    }
}

/// Returns the headers of a binary record, whose value is the sender's body.
pub fn binary_headers(event: &Event, origin: Origin<'_>, binding: Binding) -> Headers {
    let mut headers = Vec::with_capacity(16);
    let mut push = |name: &str, value: Value<'_>| {
        let (Value::Text(value) | Value::Bare(value)) = value;
        let value = if name == "datacontenttype" { plain_type(event, value) } else { value };
        let name = match (binding, name) {
            (_, "datacontenttype") => Cow::Borrowed("content-type"),
            (Binding::Kafka, name) => Cow::Owned(format!("ce_{name}")),
            (Binding::Nats, name) => Cow::Owned(format!("ce-{name}")),
        };
        let value = match binding {
            Binding::Kafka => value.to_owned(),
            Binding::Nats => utf8_percent_encode(value, NATS_VALUE).to_string(),
        };
        headers.push((name, Cow::Owned(value)));
    };
    push("specversion", Value::Text("1.0"));
    attributes(event, origin, &mut push);
    headers
}

/// What the NATS binding encodes in header values: space, `"`, `%` and all outside U+0021 to U+007E.
const NATS_VALUE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// An attribute's value as text.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    /// A JSON string.
    Text(&'a str),
    /// A JSON number or truth value, which stands without quotes.
    Bare(&'a str),
}

/// Names every attribute but `specversion`, in the order of the specification and then ours.
fn attributes(event: &Event, origin: Origin<'_>, mut attribute: impl FnMut(&str, Value<'_>)) {
    let mut text = |name: &str, value: &str| attribute(name, Value::Text(value));
    let recorded = clock::rfc3339(event.recorded);
    text("id", &event.id);
    text("source", &event.source);
    text("type", &event.kind);
    if let Some(subject) = &event.subject {
        text("subject", subject);
    }
    if let Some(time) = &event.time {
        text("time", &time.text);
    } else {
        text("time", &recorded);
        text("timesource", "receipt");
    }
    if let Some(content_type) = &event.content_type {
        text("datacontenttype", content_type);
    }
    if let Some(schema) = event.carried.as_ref().and_then(|carried| carried.data_schema.as_ref()) {
        text("dataschema", schema);
    }
    if let Some(key) = &event.key {
        text("partitionkey", key);
    }
    text("recordedtime", &recorded);
    text("hookwaysource", &event.source_name);
    text("hookwayreplica", origin.replica);
    text("hookwaypath", origin.path);
    text("hookwayverified", event.assurance.name());
    if let Some(quarantine) = &event.quarantine {
        text("hookwayreason", quarantine.reason.name());
        text("hookwaydetail", &printable(&quarantine.detail));
        text("hookwaymethod", quarantine.request.method.as_str());
        text("hookwaytarget", &quarantine.request.target);
        text("hookwayheaders", &quarantine.request.written_headers());
        match quarantine.cut {
            Cut::Nothing => {}
            Cut::Request => text("hookwaycut", "request"),
            Cut::Data => text("hookwaycut", "data"),
        }
    }
    if event.id_conflicts {
        attribute("hookwayidconflict", Value::Bare("true"));
    }
    if event.type_is_unsigned {
        attribute("typeunsigned", Value::Bare("true"));
    }
    for (name, value) in event.carried.iter().flat_map(|carried| &carried.extensions) {
        match value {
            Extension::Text(value) => attribute(name, Value::Text(value)),
            Extension::Truth(value) => attribute(name, Value::Bare(if *value { "true" } else { "false" })),
            Extension::Number(value) => attribute(name, Value::Bare(&value.to_string())),
        }
    }
}

/// Returns `text` without the control characters that an attribute must not hold.
fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn member(json: &mut Vec<u8>, name: &str, value: Value<'_>) {
    json.extend_from_slice(b",\"");
    json.extend_from_slice(name.as_bytes());
    json.extend_from_slice(b"\":");
    let value = match value {
        Value::Bare(value) => return json.extend_from_slice(value.as_bytes()),
        Value::Text(value) => value,
    };
    // Without a way out of the loop, the compiler looks at many bytes at once (RFC 8259, section 7).
    let is_escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if !value.bytes().fold(false, |found, byte| found | is_escaped(byte)) {
        json.push(b'"');
        json.extend_from_slice(value.as_bytes());
        json.push(b'"');
        return;
    }
    let start = json.len();
    if serde_json::to_writer(&mut *json, value).is_err() {
        // Writing a string into memory cannot fail; an empty value keeps the document whole all the same.
        json.truncate(start);
        json.extend_from_slice(b"\"\"");
    }
}

#[cfg(test)]
mod tests;

//! Shows records: a line or two for people, one JSON object a line for programs.

use super::row::{Place, Row};
use crate::cli::{
    exit::Stop,
    out::{Out, Style, printable},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// How much of an envelope is shown to people, in bytes.
const LONGEST: usize = 16 << 10;

#[derive(Debug)]
pub(in crate::cli) struct View<'a> {
    pub(in crate::cli) sink: &'a str,
    pub(in crate::cli) verbose: bool,
    pub(in crate::cli) json: bool,
}

/// A record as programs get it.
#[derive(Debug, Serialize)]
struct Object<'a> {
    sink: &'a str,
    destination: &'a str,
    #[serde(flatten)]
    place: &'a Place,
    key: Option<String>,
    headers: BTreeMap<&'a str, &'a str>,
    event: Option<Box<RawValue>>,
    /// The record's bytes where it is no envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

impl View<'_> {
    pub(in crate::cli) fn show(&self, row: &Row, out: &mut Out) -> Result<(), Stop> {
        if self.json { out.object(&self.object(row)) } else { self.lines(row, out) }
    }

    fn object<'r>(&'r self, row: &'r Row) -> Object<'r> {
        let event = row.event();
        let value_base64 = event.is_none().then(|| STANDARD.encode(&row.value));
        let headers = row.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // NATS has no keys of its own: there the envelope says it.
        let key = row.key.clone().or_else(|| row.attributes().get("partitionkey").map(ToOwned::to_owned));
        Object {
            sink: self.sink,
            destination: &row.destination,
            place: &row.place,
            key,
            headers,
            event,
            value_base64,
        }
    }

    fn lines(&self, row: &Row, out: &mut Out) -> Result<(), Stop> {
        let attributes = row.attributes();
        let or_dash = |name: &str| printable(attributes.get(name).unwrap_or("-")).into_owned();
        let key =
            printable(row.key.as_deref().or(attributes.get("partitionkey")).unwrap_or("-")).into_owned();
        let time = out.paint(Style::Faint, &time(row.timestamp_ms)).into_owned();
        let kind = or_dash("type");
        let kind = out.paint(Style::Strong, &kind).into_owned();
        let place = out.paint(Style::Faint, &self.place(row)).into_owned();
        let (source, verified, size) =
            (or_dash("hookwaysource"), or_dash("hookwayverified"), size(row.value.len()));
        out.line(format!("{time}  {source}  {kind}  {key}  {place}  {verified}  {size}"))?;
        if let Some(reason) = attributes.get("hookwayreason") {
            let reason = out.paint(Style::Warning, &printable(reason)).into_owned();
            out.line(format!("    {reason}: {}", or_dash("hookwaydetail")))?;
        }
        if self.verbose { envelope(row, out) } else { Ok(()) }
    }

    /// Returns where a record stands, as `orders/3@88213`, `WEBHOOKS#17` or `journal#4`.
    fn place(&self, row: &Row) -> String {
        let destination = printable(&row.destination);
        match &row.place {
            Place::Kafka { partition, offset } => format!("{destination}/{partition}@{offset}"),
            Place::Nats { stream, sequence } => format!("{stream}#{sequence} {destination}"),
            Place::Journal { sequence } => format!("{}#{sequence}", self.sink),
        }
    }
}

/// Shows an envelope, or as much of it as a person reads.
fn envelope(row: &Row, out: &mut Out) -> Result<(), Stop> {
    let Some(event) = row.event() else { return out.line("    (no envelope; --json shows its bytes)") };
    let text: String = event
        .get()
        .chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= LONGEST).then_some(c)
        })
        .collect();
    let cut = if text.len() < event.get().len() {
        format!(" … {} in all, --json shows them", size(event.get().len()))
    } else {
        String::new()
    };
    out.line(format!("    {}{cut}", printable(&text)))
}

/// Returns a time in UTC, as `2026-01-02 03:04:05.678`.
fn time(milliseconds: i64) -> String {
    let at = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn size(bytes: usize) -> String {
    bytesize::ByteSize(u64::try_from(bytes).unwrap_or(u64::MAX)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(place: Place) -> Row {
        Row {
            destination: "orders".to_owned(),
            place,
            key: Some("k".to_owned()),
            headers: vec![("content-type".to_owned(), "x".to_owned())],
            value: br#"{"id":"1"}"#.as_slice().into(),
            timestamp_ms: 1_767_323_045_678,
        }
    }

    #[test]
    fn every_place_has_its_own_members() {
        let view = View { sink: "bus", verbose: false, json: true };
        let json = |place| serde_json::to_string(&view.object(&row(place))).unwrap();
        assert_eq!(
            json(Place::Kafka { partition: 3, offset: 9 }),
            r#"{"sink":"bus","destination":"orders","partition":3,"offset":9,"key":"k","headers":{"content-type":"x"},"event":{"id":"1"}}"#
        );
        assert!(
            json(Place::Nats { stream: "S".to_owned(), sequence: 4 })
                .contains(r#""stream":"S","sequence":4"#)
        );
        assert!(json(Place::Journal { sequence: 4 }).contains(r#""orders","sequence":4"#));
    }

    #[test]
    fn a_record_that_is_no_envelope_keeps_its_bytes() {
        let view = View { sink: "bus", verbose: false, json: true };
        let row = Row { value: bytes::Bytes::from_static(b"hello"), ..row(Place::Journal { sequence: 1 }) };
        let json = serde_json::to_string(&view.object(&row)).unwrap();
        assert!(json.ends_with(r#""event":null,"value_base64":"aGVsbG8="}"#), "{json}");
    }

    #[test]
    fn times_are_written_to_the_millisecond() {
        assert_eq!(time(1_767_323_045_678), "2026-01-02 03:04:05.678");
    }
}

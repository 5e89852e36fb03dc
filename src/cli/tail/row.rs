//! One record as it was read from a sink, and the envelope in it.

use crate::event::envelope::{
    Binding,
    read::{Attributes, Envelope},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(in crate::cli) enum Place {
    Kafka { partition: i32, offset: i64 },
    Nats { stream: String, sequence: u64 },
    Journal { sequence: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Row {
    /// Topic or subject; empty in a journal without routes.
    pub(in crate::cli) destination: String,
    pub(in crate::cli) place: Place,
    pub(in crate::cli) key: Option<String>,
    pub(in crate::cli) headers: Vec<(String, String)>,
    pub(in crate::cli) value: Bytes,
    /// Milliseconds since 1970 UTC; 0 where the sink does not say.
    pub(in crate::cli) timestamp_ms: i64,
}

impl Row {
    /// Returns what orders the records of one sink; those of several partitions have only their time.
    pub(in crate::cli) fn rank(&self) -> i64 {
        match self.place {
            Place::Kafka { .. } => self.timestamp_ms,
            Place::Nats { .. } | Place::Journal { .. } => 0,
        }
    }

    /// Returns the envelope's attributes; none where the record is no envelope.
    pub(in crate::cli) fn attributes(&self) -> Attributes {
        self.envelope().attributes()
    }

    /// Returns the envelope as one line of JSON; `None` where the record is no envelope. The bytes are those of the
    /// record, but for line breaks, which in JSON can only stand between tokens: they become blanks.
    pub(in crate::cli) fn event(&self) -> Option<Box<RawValue>> {
        let json = if self.envelope().is_binary() {
            Cow::Owned(self.binary_event())
        } else {
            Cow::Borrowed(std::str::from_utf8(&self.value).ok()?)
        };
        let line =
            if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ") } else { json.into_owned() };
        RawValue::from_string(line).ok().filter(|event| event.get().starts_with('{'))
    }

    /// Returns the sender's bytes, and whether they are one JSON text; `None` where the record is no envelope.
    pub(in crate::cli) fn data(&self) -> Option<(Bytes, bool)> {
        self.envelope().data()
    }

    fn envelope(&self) -> Envelope<'_, String> {
        let binding = match self.place {
            Place::Nats { .. } => Binding::Nats,
            Place::Kafka { .. } | Place::Journal { .. } => Binding::Kafka,
        };
        Envelope { headers: &self.headers, value: &self.value, binding }
    }

    fn binary_event(&self) -> String {
        let mut json = self.attributes().as_json();
        json.pop();
        let data = match serde_json::from_slice::<&RawValue>(&self.value) {
            Ok(data) => format!(",\"data\":{}", data.get()),
            Err(_) if self.value.is_empty() => String::new(),
            Err(_) => format!(",\"data_base64\":\"{}\"", STANDARD.encode(&self.value)),
        };
        json + &data + "}"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// Any record that somebody may have put into a topic, a stream or a journal.
    fn rows() -> impl Strategy<Value = Row> {
        let place = prop_oneof![
            Just(Place::Kafka { partition: 0, offset: 1 }),
            Just(Place::Nats { stream: "S".to_owned(), sequence: 1 }),
            Just(Place::Journal { sequence: 1 }),
        ];
        let name = prop_oneof!["ce[_-](id|type|specversion|x)", "content-type|Content-Type", ".{0,6}"];
        let headers = prop::collection::vec((name, ".{0,8}"), 0..5);
        let value = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..24),
            ".{0,24}".prop_map(String::into_bytes),
            r#"[ \n\r]{0,2}\{("(id|data)": ?("[a-z]{0,3}"|[0-9]|\[\]),[\n ]?){0,2}"z":\{\}\}[\r\n]{0,2}"#
                .prop_map(String::into_bytes),
        ];
        (place, headers, value).prop_map(|(place, headers, value)| Row {
            destination: "t".to_owned(),
            place,
            key: None,
            headers,
            value: value.into(),
            timestamp_ms: 0,
        })
    }

    proptest! {
        #[test]
        fn whatever_a_record_is_its_event_is_one_line_of_json(row in rows()) {
            let _attributes = row.attributes();
            if let Some(event) = row.event() {
                prop_assert!(!event.get().contains(['\n', '\r']), "{}", event);
                prop_assert!(serde_json::from_str::<Value>(event.get()).is_ok_and(|event| event.is_object()), "{}", event);
            }
        }

        #[test]
        fn in_either_form_the_attributes_are_those_that_were_written(
            id in "[a-z%é\"]{1,8}", kind in "[a-z.]{1,8}", data in "[a-z\n\"]{0,8}",
        ) {
            let document = serde_json::json!({ "specversion": "1.0", "id": id, "type": kind, "data": { "text": data } });
            let structured = row(&[], &document.to_string());
            let escaped = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC).to_string();
            let headers = [("ce-specversion", "1.0"), ("ce-id", escaped.as_str()), ("ce-type", kind.as_str())];
            let binary = row(&headers, &serde_json::json!({ "text": data }).to_string());
            for row in [structured, binary] {
                let attributes = row.attributes();
                prop_assert_eq!(attributes.get("id"), Some(id.as_str()));
                prop_assert_eq!(attributes.get("type"), Some(kind.as_str()));
                let event: Value = serde_json::from_str(row.event().unwrap().get()).unwrap();
                prop_assert_eq!(&event, &document);
            }
        }
    }

    fn row(headers: &[(&str, &str)], value: &str) -> Row {
        Row {
            destination: "t".to_owned(),
            place: Place::Nats { stream: "S".to_owned(), sequence: 1 },
            key: None,
            headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            value: value.to_owned().into(),
            timestamp_ms: 0,
        }
    }

    #[test]
    fn a_structured_envelope_is_copied_and_stays_on_one_line() {
        let row = row(&[], "{\"id\":\"1\",\"data\":{ \"u\" : \"https:\\/\\/x\",\n \"n\" : 1.0 }}");
        assert_eq!(row.event().unwrap().get(), r#"{"id":"1","data":{ "u" : "https:\/\/x",  "n" : 1.0 }}"#);
        assert_eq!(row.attributes().get("id"), Some("1"));
        assert_eq!(row.attributes().get("data"), None);
    }

    #[test]
    fn a_binary_envelope_is_put_together_from_its_headers() {
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "a%20b"),
            ("content-type", "text/plain"),
            ("Nats-Msg-Id", "x"),
        ];
        let plain = row(&headers, "hello");
        assert_eq!(
            plain.event().unwrap().get(),
            r#"{"datacontenttype":"text/plain","id":"a b","specversion":"1.0","data_base64":"aGVsbG8="}"#
        );
        assert_eq!(plain.attributes().get("id"), Some("a b"));
        let json = row(&headers, "{\"n\":1.0}");
        assert!(json.event().unwrap().get().ends_with(r#""data":{"n":1.0}}"#));
    }

    #[test]
    fn what_is_no_envelope_has_no_event() {
        for value in ["hello", "", "7", "\u{0}"] {
            assert!(row(&[], value).event().is_none(), "{value}");
        }
        assert_eq!(row(&[], "hello").attributes(), Attributes::default());
    }
}

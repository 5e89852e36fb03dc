//! The consumers' side: what stands in a topic, a stream or a journal, as a consumer without Hookway's code reads
//! it. Each structured envelope that is looked at is also held to `schemas/envelope.schema.json`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use ::hookway::journal::Reader;
use jsonschema::Validator;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::support::kafka::Record;
use crate::support::nats::Message;

/// One structured envelope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Envelope {
    /// Every member but the data.
    pub(crate) attributes: Map<String, Value>,
    /// The bytes of `data`, just as they stand there.
    pub(crate) data: String,
}

impl Envelope {
    /// Reads a record's value; panics where the schema does not hold.
    pub(crate) fn parse(value: &[u8]) -> Self {
        let text = str::from_utf8(value).expect("an envelope is text");
        let whole: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        let problems: Vec<String> = schema().iter_errors(&whole).map(|problem| problem.to_string()).collect();
        assert!(problems.is_empty(), "the schema refuses {text}: {problems:?}");
        let mut members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(text).expect("it was read before");
        let data = members.remove("data").map_or_else(String::new, |data| data.get().to_owned());
        let attributes =
            members.into_iter().map(|(name, raw)| (name, raw.get().parse().expect("it was read before")));
        Self { attributes: attributes.collect(), data }
    }

    /// Returns an attribute; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", |value| value.as_str().expect("our attributes are texts"))
    }

    /// Returns the event's id.
    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    /// Returns the number that a reservation of the tests carries.
    pub(crate) fn number(&self) -> usize {
        let data: Value = self.data.parse().expect("the data are JSON");
        let number = data["context"]["number"].as_u64().expect("the data hold a number");
        usize::try_from(number).expect("the number is small")
    }
}

/// Reads the envelopes of Kafka records, which must carry their key and their media type.
pub(crate) fn of_records(records: &[Record]) -> Vec<Envelope> {
    let read = |record: &Record| {
        let envelope = Envelope::parse(&record.value);
        let key = record.key.as_ref().map(|key| String::from_utf8(key.clone()).expect("keys are text"));
        assert_eq!(key.unwrap_or_default(), envelope.text("partitionkey"));
        let header = ("content-type".to_owned(), b"application/cloudevents+json; charset=UTF-8".to_vec());
        assert_eq!(record.headers, [header]);
        envelope
    };
    records.iter().map(read).collect()
}

/// Reads the envelopes of JetStream messages, which must carry an id for the server.
pub(crate) fn of_messages(messages: &[Message]) -> Vec<Envelope> {
    let read = |message: &Message| {
        let header =
            |wanted: &str| message.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        assert!(header("nats-msg-id").is_some_and(|(_, id)| id.len() == 32), "{:?}", message.headers);
        assert_eq!(
            header("content-type").expect("a media type").1,
            "application/cloudevents+json; charset=UTF-8"
        );
        Envelope::parse(&message.payload)
    };
    messages.iter().map(read).collect()
}

/// Reads the envelopes of a journal.
pub(crate) fn of_journal(dir: &Path) -> Vec<Envelope> {
    let mut reader = Reader::open(dir, 0).expect("the journal can be read");
    let mut envelopes = Vec::new();
    while let Some(entry) = reader.read().expect("the journal can be read") {
        assert_eq!(entry.record.destination.as_ref(), "");
        envelopes.push(Envelope::parse(&entry.record.value));
    }
    assert_eq!(reader.lost(), 0);
    envelopes
}

fn schema() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/envelope.schema.json");
        let text = std::fs::read_to_string(path).expect("the schema is there");
        let schema = text.parse().expect("the schema is JSON");
        jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is one")
    })
}

//! Ids with characters that mean something to a broker, a header, a URL or a parser: they reach the consumer as the
//! sender wrote them, and in a subject they stay one token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::Case;
use crate::delivery::{self, Delivery};
use crate::envelope;
use crate::hookway::Hookway;
use crate::support::brokers::Brokers;
use crate::support::python;

/// The ids, of events and of their objects.
const AWKWARD: [&str; 12] = [
    "a.b.c",
    "*",
    ">",
    "a b",
    "\"quoted\" 'too'",
    "ключ-日本語-🛎️",
    "100%",
    "%2E%2A",
    "back\\slash/slash",
    "$JS.API.STREAM.PURGE.X",
    "a,b;c:d=e",
    "{key}",
];

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            awkward_ids_reach_kafka_and_nats_unchanged_in_both_forms;
        own:
    ]
}

fn awkward_ids_reach_kafka_and_nats_unchanged_in_both_forms(brokers: &Brokers) {
    let (kafka, nats) = (brokers.kafka(), brokers.nats());
    let (topic, stream, binary) = (brokers.name("awkward"), brokers.name("AWKWARD"), brokers.name("BINARY"));
    kafka.create_topic(&topic, 3);
    nats.create_stream(&stream, &[&format!("{stream}.>")]);
    nats.create_stream(&binary, &[&format!("{binary}.*")]);
    let hookway = hookway(brokers, &topic, &stream, &binary);
    for id in AWKWARD {
        Delivery::reservation(id, id, 1).accepted(&hookway);
    }

    let expected =
        AWKWARD.map(|id| [id.to_owned(), format!("RESERVATION:{id}"), format!("RESERVATION/{id}")]);
    let expected = sorted(expected);
    let records = kafka.read(&topic, AWKWARD.len()).into_iter().map(|record| {
        let headers = record.headers.iter().map(|(name, value)| (name.clone(), text(value)));
        let key = text(record.key.as_ref().expect("a key"));
        json!({"headers": headers.collect::<Map<_, _>>(), "key": key, "value": STANDARD.encode(record.value)})
    });
    assert_eq!(understood(&records.collect::<Vec<_>>()), expected);
    let messages = nats.read(&binary, AWKWARD.len()).into_iter().map(|message| {
        let headers = message.headers.iter().map(|(name, value)| (name.clone(), json!(value)));
        json!({"headers": headers.collect::<Map<_, _>>(), "key": null, "value": STANDARD.encode(message.payload)})
    });
    assert_eq!(understood(&messages.collect::<Vec<_>>()), expected);

    let messages = nats.read(&stream, AWKWARD.len());
    let seen = messages.iter().zip(envelope::of_messages(&messages)).map(|(message, envelope)| {
        assert_eq!(message.subject.split('.').count(), 4, "{}", message.subject);
        let token = message.subject.rsplit('.').next().expect("a token");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '%');
        assert!(token.chars().all(plain), "{token} means something to a server");
        let key = percent_decode_str(token).decode_utf8().expect("it is text").into_owned();
        [envelope.id().to_owned(), key, envelope.text("subject").to_owned()]
    });
    assert_eq!(sorted(seen), expected);
    assert!(envelope::of_journal(&hookway.home().join("kept")).is_empty(), "nothing is quarantined");
}

/// Starts Hookway: everything goes to a topic in binary form, and to two streams, one for each form.
fn hookway(brokers: &Brokers, topic: &str, stream: &str, binary: &str) -> Hookway {
    let (bootstrap, url) = (brokers.kafka().bootstrap(), brokers.nats().url());
    let hookway = delivery::hookway(&format!(
        "sinks:
  bus: {{ kafka: {{ brokers: [ \"{bootstrap}\" ], format: binary }} }}
  stream: {{ nats: {{ servers: [ \"{url}\" ], stream: {stream} }} }}
  binary: {{ nats: {{ servers: [ \"{url}\" ], stream: {binary}, format: binary }} }}
  kept: {{ journal: {{ dir: kept }} }}
routes:
  - to:
      - {{ sink: bus, topic: {topic} }}
      - {{ sink: stream, subject: \"{stream}.{{source}}.{{object}}.{{key}}\" }}
      - {{ sink: binary, subject: \"{binary}.{{key}}\" }}
quarantine: {{ sink: kept }}\n"
    ));
    hookway.until_ready();
    hookway
}

/// Returns id, key and subject of each message, as the official SDK understands it.
fn understood(messages: &[Value]) -> Vec<[String; 3]> {
    let attribute =
        |event: &python::Understood, name| event.attributes[name].as_str().expect("a text").to_owned();
    let one =
        |event: &python::Understood| ["id", "partitionkey", "subject"].map(|name| attribute(event, name));
    sorted(python::validated(messages).iter().map(one))
}

fn sorted(seen: impl IntoIterator<Item = [String; 3]>) -> Vec<[String; 3]> {
    let mut seen: Vec<_> = seen.into_iter().collect();
    seen.sort();
    seen
}

fn text(bytes: &[u8]) -> Value {
    json!(str::from_utf8(bytes).expect("it is text"))
}

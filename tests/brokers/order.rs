//! Where the events of one object stand: all on the partition that Java's clients would pick, and in the order in
//! which a sender that waits for each answer has sent them.

use std::collections::{BTreeMap, BTreeSet};

use crate::Case;
use crate::delivery::{self, Delivery};
use crate::envelope::{self, Envelope};
use crate::hookway::Hookway;
use crate::support::brokers::Brokers;
use crate::support::deadline::until;
use std::time::Duration;

/// Object ids at the edges: each length modulo 4 (the hash takes four bytes at a time), bytes above 127 (Java's
/// are signed), and all that means something to a broker, a shell or a parser.
const AWKWARD: [&str; 14] = [
    "a",
    "ab",
    "abc",
    "abcd",
    "QWERTYUI-1",
    "key-ä-ü",
    "ÿþý",
    "日本語のキー",
    "🛎️🏨",
    " leading and trailing ",
    "a.b.*.>",
    "\"'\\/{}[]",
    "%2A%20%",
    "$JS.API.STREAM.DELETE.X",
];

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            all_events_of_one_object_are_on_the_partition_that_java_picks,
            a_sender_that_waits_finds_its_order_per_object_on_both_brokers,
            a_long_list_of_one_object_stands_in_its_order;
        own:
    ]
}

fn all_events_of_one_object_are_on_the_partition_that_java_picks(brokers: &Brokers) {
    let kafka = brokers.kafka();
    let (ours, theirs) = (brokers.name("ours"), brokers.name("java"));
    kafka.create_topic(&ours, 12);
    kafka.create_topic(&theirs, 12);
    let hookway = delivery::hookway(&format!(
        "sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, topic: {ours} }} }} ]\nquarantine: {{ sink: kept }}\n",
        kafka.bootstrap()
    ));
    hookway.until_ready();
    for round in 0..3 {
        for object in AWKWARD {
            Delivery::reservation(&format!("{round}-{object}"), object, round).accepted(&hookway);
        }
    }

    let read = kafka.read(&ours, AWKWARD.len() * 3);
    let mut partitions: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for (record, envelope) in read.iter().zip(envelope::of_records(&read)) {
        partitions.entry(envelope.text("partitionkey").to_owned()).or_default().insert(record.partition);
    }
    let keys = AWKWARD.map(|object| format!("RESERVATION:{object}"));
    let picked = kafka.java_partitions(&theirs, &keys.each_ref().map(String::as_str));
    let expected = keys.into_iter().zip(picked.into_iter().map(|partition| BTreeSet::from([partition])));
    assert_eq!(partitions, expected.collect());
    assert_eq!(read.len(), AWKWARD.len() * 3);
}

fn a_sender_that_waits_finds_its_order_per_object_on_both_brokers(brokers: &Brokers) {
    const OBJECTS: usize = 6;
    const EVENTS: usize = 40;
    let (kafka, nats) = (brokers.kafka(), brokers.nats());
    let (topic, stream) = (brokers.name("ordered"), brokers.name("ORDERED"));
    kafka.create_topic(&topic, 12);
    nats.create_stream(&stream, &[&format!("{stream}.>")]);
    let hookway = delivery::hookway(&format!(
        "sinks:
  bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}
  stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}
  kept: {{ journal: {{ dir: kept }} }}
routes: [ {{ to: [ {{ sink: bus, topic: {topic} }}, {{ sink: stream, subject: \"{stream}.{{key}}\" }} ] }} ]
quarantine: {{ sink: kept }}\n",
        kafka.bootstrap(),
        nats.url()
    ));
    hookway.until_ready();
    std::thread::scope(|scope| {
        for object in 0..OBJECTS {
            let hookway = &hookway;
            scope.spawn(move || {
                for number in 0..EVENTS {
                    let delivery =
                        Delivery::reservation(&format!("{object}-{number}"), &format!("R{object}"), number);
                    delivery.accepted(hookway);
                }
            });
        }
    });

    let on_kafka = envelope::of_records(&kafka.read(&topic, OBJECTS * EVENTS));
    let on_nats = envelope::of_messages(&nats.read(&stream, OBJECTS * EVENTS));
    let sent: Vec<usize> = (0..EVENTS).collect();
    for envelopes in [on_kafka, on_nats] {
        let by_object = by_object(&envelopes);
        assert_eq!(by_object.len(), OBJECTS);
        for (object, numbers) in by_object {
            assert_eq!(numbers, sent, "{object}");
        }
    }
}

fn a_long_list_of_one_object_stands_in_its_order(brokers: &Brokers) {
    const EVENTS: usize = 1500;
    let (kafka, topic) = (brokers.kafka(), brokers.name("listed"));
    kafka.create_topic(&topic, 12);
    let hookway = Hookway::start(
        &format!(
            "sources:
  hotel:
    preset: token
    secrets: [ env:HOTEL_SECRET ]
    verify: {{ header: lm-webhook-secret, prefix: \"\" }}
    event: {{ format: json, each: /*, type: ./topic, object: ./objectType, object_id: ./objectId, id: ./id }}
sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: [ {{ sink: bus, topic: {topic} }}, {{ sink: kept }} ] }} ]\nquarantine: {{ sink: kept }}\n",
            kafka.bootstrap()
        ),
        &delivery::SECRETS,
    );
    hookway.until_ready();
    let list: Vec<_> =
        (0..EVENTS).map(|number| delivery::reservation(&format!("e{number}"), "R", number)).collect();
    let list = Delivery::hotel(&serde_json::Value::from(list).to_string());
    // A shared machine may be slow; then the retry adds what is missing, and the order is the same.
    until("the list is accepted", Duration::from_secs(30), || {
        (list.post(&hookway).status == 200).then_some(())
    });

    let sent: Vec<usize> = (0..EVENTS).collect();
    let on_kafka = envelope::of_records(&kafka.read(&topic, EVENTS));
    let in_journal = envelope::of_journal(&hookway.home().join("kept"));
    for envelopes in [on_kafka, in_journal] {
        let by_object = by_object(&envelopes);
        assert_eq!(by_object.into_values().collect::<Vec<_>>(), [sent.as_slice()]);
    }
}

/// Returns the numbers of each object's events, in the order in which they stand.
fn by_object(envelopes: &[Envelope]) -> BTreeMap<&str, Vec<usize>> {
    let mut numbers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for envelope in envelopes {
        numbers.entry(envelope.text("partitionkey")).or_default().push(envelope.number());
    }
    numbers
}

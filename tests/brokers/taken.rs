//! What Kafka takes of a record and of a batch: limits of size, topics that are compacted, names that senders fill.
//! What it refuses goes to the quarantine alone, and never takes along what travels beside it.

use serde_json::json;

use crate::Case;
use crate::envelope::{self, Envelope};
use crate::hookway::{Hookway, http};
use crate::support::brokers::Brokers;

/// Events that are sent at once.
const MANY: usize = 100;

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            small_events_are_published_though_more_are_sent_at_once_than_the_topic_takes_in_one_batch,
            a_limit_that_is_lowered_under_way_quarantines_only_what_does_not_fit_by_itself,
            a_topic_that_a_sender_names_and_that_does_not_exist_is_quarantined_until_it_is_made,
            topics_that_senders_name_are_made_where_the_configuration_says_so,
            a_record_that_a_compacted_topic_refuses_takes_none_along,
            a_compacted_quarantine_takes_an_event_without_a_key_under_its_id,
            the_largest_event_of_a_preset_is_accepted_though_topic_and_quarantine_take_a_megabyte,
            a_quarantine_whose_topic_does_not_exist_leaves_the_event_in_a_file_and_is_a_success;
        own:
    ]
}

/// Starts Hookway with one source that leads to topics; the quarantine is a journal.
fn hookway(brokers: &Brokers, topic: &str, more: &str) -> Hookway {
    let event = "{ format: json, id: \"{/id}\", key: \"{/key}\", object: /object, object_id: /key, type: /type, type_prefix: t }";
    let hookway = Hookway::start(
        &format!(
            "sources: {{ any: {{ preset: none, deadline: 25s, event: {event} }} }}
sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ]{more} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, topic: \"{topic}\" }} }} ]\nquarantine: {{ sink: kept }}\n",
            brokers.kafka().bootstrap()
        ),
        &[],
    );
    hookway.until_ready();
    hookway
}

/// Sends events all at once, and asserts that all are accepted.
fn accepted(hookway: &Hookway, events: impl IntoIterator<Item = serde_json::Value>) {
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    let sent: Vec<_> = events
        .into_iter()
        .map(|event| hookway.send("/hooks/any", &headers, event.to_string().as_bytes()))
        .collect();
    for connection in sent {
        let answer = http::receive(connection);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

fn event(id: &str, key: &str, bytes: usize) -> serde_json::Value {
    json!({"id": id, "key": key, "object": "door", "type": "opened", "filling": filling(bytes)})
}

/// Text that no compression makes much smaller: by the recurrence of Numerical Recipes, each character from the high bits.
fn filling(bytes: usize) -> String {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + u8::try_from(*state >> 26).expect("6 bits"))
    };
    let mut state = 1;
    (0..bytes).map(|_| next(&mut state)).collect()
}

/// Returns the sender's id and the reason of each event in the quarantine, in the order of the ids.
fn quarantined(hookway: &Hookway) -> Vec<(String, String)> {
    let id = |envelope: &Envelope| {
        let data: serde_json::Value =
            serde_json::from_slice(envelope.data.as_bytes()).expect("the data are JSON");
        data["id"].as_str().expect("an id").to_owned()
    };
    let one = |envelope: &Envelope| (id(envelope), envelope.text("hookwayreason").to_owned());
    let mut all: Vec<_> = envelope::of_journal(&hookway.home().join("kept")).iter().map(one).collect();
    all.sort();
    all
}

fn small_events_are_published_though_more_are_sent_at_once_than_the_topic_takes_in_one_batch(
    brokers: &Brokers,
) {
    let (kafka, topic) = (brokers.kafka(), brokers.name("small"));
    kafka.create_topic_with(&topic, 1, &[("max.message.bytes", "20000")]);
    let hookway = hookway(brokers, &topic, "");
    accepted(&hookway, (0..MANY).map(|n| event(&format!("e{n:03}"), &format!("K{n}"), 4000)));
    accepted(&hookway, [event("huge", "K", 30_000)]);
    assert_eq!(kafka.read(&topic, MANY).len(), MANY);
    assert_eq!(quarantined(&hookway), [("huge".to_owned(), "too_large".to_owned())]);
    kafka.delete_topic(&topic);
}

fn a_limit_that_is_lowered_under_way_quarantines_only_what_does_not_fit_by_itself(brokers: &Brokers) {
    let (kafka, topic) = (brokers.kafka(), brokers.name("lowered"));
    kafka.create_topic(&topic, 1);
    let hookway = hookway(brokers, &topic, "");
    accepted(&hookway, [event("before", "K", 30_000)]);
    kafka.alter_topic(&topic, &[("max.message.bytes", "20000")]);
    // A linger of the flood makes batches, which the brokers refuse until the limit is learnt.
    for round in 0..5 {
        accepted(&hookway, (0..MANY).map(|n| event(&format!("{round}-{n:03}"), &format!("K{n}"), 4000)));
    }
    accepted(&hookway, [event("huge", "K", 30_000)]);
    assert_eq!(quarantined(&hookway), [("huge".to_owned(), "too_large".to_owned())]);
    assert_eq!(kafka.read(&topic, 5 * MANY + 1).len(), 5 * MANY + 1);
    kafka.delete_topic(&topic);
}

fn a_topic_that_a_sender_names_and_that_does_not_exist_is_quarantined_until_it_is_made(brokers: &Brokers) {
    let (kafka, prefix) = (brokers.kafka(), brokers.name("named"));
    let hookway = hookway(brokers, &format!("{prefix}.{{object}}"), "");
    let named = |id: &str, object: &str| json!({"id": id, "key": "K", "object": object, "type": "opened"});
    accepted(&hookway, (0..MANY).map(|n| named(&format!("e{n:03}"), &format!("object-{n}"))));
    let all = quarantined(&hookway);
    assert_eq!(all.len(), MANY);
    assert!(all.iter().all(|(_, reason)| reason == "unroutable"), "{all:?}");

    let made = format!("{prefix}.object-7");
    kafka.create_topic(&made, 1);
    let mut tries = 0;
    crate::support::deadline::until("an event in the topic", std::time::Duration::from_secs(20), || {
        tries += 1;
        accepted(&hookway, [named(&format!("again-{tries}"), "object-7")]);
        (quarantined(&hookway).len() < MANY + tries).then_some(())
    });
    assert_eq!(kafka.read(&made, 1).len(), 1);
    kafka.delete_topic(&made);
}

fn topics_that_senders_name_are_made_where_the_configuration_says_so(brokers: &Brokers) {
    let (kafka, prefix) = (brokers.kafka(), brokers.name("created"));
    let create = ", create: { partitions: 1, replication: 1 }";
    let hookway = hookway(brokers, &format!("{prefix}.{{object}}"), create);
    accepted(&hookway, [json!({"id": "1", "key": "K", "object": "door", "type": "opened"})]);
    let topic = format!("{prefix}.door");
    assert_eq!(kafka.read(&topic, 1).len(), 1);
    assert_eq!(quarantined(&hookway), []);
    kafka.delete_topic(&topic);
}

fn a_record_that_a_compacted_topic_refuses_takes_none_along(brokers: &Brokers) {
    let (kafka, topic) = (brokers.kafka(), brokers.name("compacted"));
    kafka.create_topic_with(&topic, 1, &[("cleanup.policy", "compact")]);
    let rules = "[ { key: /key, object: /object, object_id: /key }, {} ]";
    let hookway = Hookway::start(
        &format!(
            "sources: {{ any: {{ preset: none, deadline: 25s, event: {{ format: json, id: \"{{/id}}\", type: /type, rules: {rules} }} }} }}
sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, topic: {topic} }} }} ]\nquarantine: {{ sink: kept }}\n",
            kafka.bootstrap()
        ),
        &[],
    );
    hookway.until_ready();
    // Each fourth has no key, which a compacted topic does not take; all are sent at once.
    let keyless = |number: usize| json!({"id": format!("e{number:03}"), "type": "opened"});
    let events = (0..MANY).map(|number| match number % 4 {
        0 => keyless(number),
        _ => event(&format!("e{number:03}"), &format!("k{number}"), 10),
    });
    accepted(&hookway, events);
    let refused: Vec<_> =
        (0..MANY).step_by(4).map(|number| (format!("e{number:03}"), "rejected".to_owned())).collect();
    assert_eq!(quarantined(&hookway), refused);
    assert_eq!(kafka.read(&topic, MANY - refused.len()).len(), MANY - refused.len());
}

fn a_compacted_quarantine_takes_an_event_without_a_key_under_its_id(brokers: &Brokers) {
    let (kafka, topic) = (brokers.kafka(), brokers.name("aside"));
    kafka.create_topic_with(&topic, 1, &[("cleanup.policy", "compact")]);
    let hookway = Hookway::start(
        &format!(
            "sources: {{ any: {{ preset: none, deadline: 25s, event: {{ format: json, id: \"{{/id}}\" }} }} }}
sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }} }}
routes: [ {{ to: {{ sink: bus, topic: {topic} }} }} ]\nquarantine: {{ sink: bus, topic: {topic} }}\n",
            kafka.bootstrap()
        ),
        &[],
    );
    hookway.until_ready();
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    let answer = http::receive(hookway.send("/hooks/any", &headers, b"this is not JSON"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let records = kafka.read(&topic, 1);
    let envelope = &envelope::of_records(&records)[0];
    assert_eq!(
        (records[0].key.as_deref(), envelope.text("hookwayreason")),
        (Some(envelope.id().as_bytes()), "malformed")
    );
}

fn the_largest_event_of_a_preset_is_accepted_though_topic_and_quarantine_take_a_megabyte(brokers: &Brokers) {
    let (kafka, topic) = (brokers.kafka(), brokers.name("largest"));
    kafka.create_topic(&topic, 1);
    let hookway = Hookway::start(
        &format!(
            "sources: {{ code: {{ preset: github, verify: {{ algorithm: none }}, deadline: 25s }} }}
sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }} }}
routes: [ {{ to: {{ sink: bus, topic: {topic} }} }} ]\nquarantine: {{ sink: bus, topic: {topic} }}\n",
            kafka.bootstrap()
        ),
        &[],
    );
    hookway.until_ready();
    let headers = [("Content-Type", "application/json"), ("X-GitHub-Event", "push")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let push = |bytes: usize| json!({"repository": {"id": 7}, "filling": filling(bytes)}).to_string();
    for bytes in [600_000, 24_000_000] {
        let answer = http::receive(hookway.send("/hooks/code", &headers, push(bytes).as_bytes()));
        assert_eq!(answer.status, 200, "{bytes} bytes: {answer:?}");
    }
    let records = envelope::of_records(&kafka.read(&topic, 2));
    assert_eq!(records[1].text("hookwayreason"), "too_large", "{}", records[1].id());
    kafka.delete_topic(&topic);
}

fn a_quarantine_whose_topic_does_not_exist_leaves_the_event_in_a_file_and_is_a_success(brokers: &Brokers) {
    let (kafka, topic) = (brokers.kafka(), brokers.name("missing"));
    kafka.create_topic(&topic, 1);
    let hookway = Hookway::start(
        &format!(
            "sources: {{ any: {{ preset: none, deadline: 25s, event: {{ format: json, id: \"{{/id}}\" }} }} }}
sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ match: {{ source: any }}, to: [ {{ sink: bus, topic: {topic} }}, {{ sink: kept }} ] }} ]
quarantine: {{ sink: bus, topic: \"{topic}.{{source}}\" }}\n",
            kafka.bootstrap()
        ),
        &[],
    );
    hookway.until_ready();
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    for _ in 0..2 {
        let answer = http::receive(hookway.send("/hooks/any", &headers, b"this is not JSON"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let files: Vec<_> = std::fs::read_dir(hookway.home().join("kept/aside")).expect("a folder").collect();
    assert_eq!(files.len(), 2, "{files:?}: nobody knows whether two of equal bytes are one");
    kafka.delete_topic(&topic);
}

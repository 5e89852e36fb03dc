//! One event, delivered more than once: by a sender that hung up, by one that heard a 503, by two at a time, and
//! after a restart. It stands at each destination once.

use crate::Case;
use crate::bus::Bus;
use crate::delivery::{self, Delivery};
use crate::envelope;
use crate::hookway::{Hookway, http};
use crate::support::brokers::Brokers;
use crate::support::nats::Nats;

use std::time::Duration;

use crate::support::deadline::until;

const SETTLE: Duration = Duration::from_secs(30);

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            two_subjects_of_one_stream_hold_an_event_once_each_even_after_a_restart,
            a_retry_after_one_sink_of_two_was_missing_adds_nothing_to_the_other,
            a_stream_holds_as_many_equal_bodies_as_came_where_no_repeats_are_recognised,
            a_stream_holds_each_of_two_events_of_one_id;
        own:
            a_sender_that_hangs_up_while_kafka_is_frozen_has_its_event_there_once,
            a_sender_that_hangs_up_while_nats_is_frozen_has_its_event_there_once,
            copies_sent_during_and_after_the_first_are_answered_as_it_was_and_stored_once,
            a_retry_after_nats_was_down_adds_nothing_to_kafka,
    ]
}

fn a_sender_that_hangs_up_while_kafka_is_frozen_has_its_event_there_once(_: &Brokers) {
    a_sender_that_hangs_up_has_its_event_there_once(Bus::kafka());
}

fn a_sender_that_hangs_up_while_nats_is_frozen_has_its_event_there_once(_: &Brokers) {
    a_sender_that_hangs_up_has_its_event_there_once(Bus::nats());
}

fn a_sender_that_hangs_up_has_its_event_there_once(mut bus: Bus) {
    let hookway = bus.hookway();
    hookway.until_ready();
    bus.pause();
    let delivery = Delivery::reservation("hung-up", "QWERTYUI-1", 1);
    let connection = delivery.send(&hookway);
    hookway.until_metric("hookway_events_in_flight", &[], 1.0);
    // A sender that has closed its half may still read, so nobody can tell yet that this one has gone.
    drop(connection);
    assert!((hookway.metric("hookway_events_in_flight", &[]) - 1.0).abs() < 0.5, "the work goes on");
    bus.resume();
    hookway.until_metric("hookway_events_published_total", &["source=\"hotel\""], 1.0);

    assert_eq!(delivery.accepted(&hookway), "hung-up");
    assert_eq!(bus.ids(1), ["hung-up"]);
    hookway.until_metric("hookway_events_suppressed_total", &[], 1.0);
    hookway.until_metric("hookway_unaccounted_events", &[], 0.0);
}

fn copies_sent_during_and_after_the_first_are_answered_as_it_was_and_stored_once(_: &Brokers) {
    let mut bus = Bus::nats();
    let hookway = bus.hookway();
    hookway.until_ready();
    bus.pause();
    let delivery = Delivery::reservation("copied", "QWERTYUI-1", 1);
    let copies: Vec<_> = (0..3).map(|_| delivery.send(&hookway)).collect();
    hookway.until_metric("hookway_events_in_flight", &[], 3.0);
    bus.resume();
    for copy in copies {
        let answer = http::receive(copy);
        assert_eq!((answer.status, answer.header("hookway-event-id")), (200, Some("copied")));
    }
    assert_eq!(delivery.accepted(&hookway), "copied");
    assert_eq!(bus.ids(1), ["copied"]);
    assert!((hookway.metric("hookway_events_suppressed_total", &[]) - 3.0).abs() < 0.5);
    assert!((hookway.metric("hookway_delivery_attempts_total", &["sink=\"bus\""]) - 1.0).abs() < 0.5);
}

fn two_subjects_of_one_stream_hold_an_event_once_each_even_after_a_restart(brokers: &Brokers) {
    let nats = brokers.nats();
    let stream = brokers.name("TWICE");
    nats.create_stream(&stream, &[&format!("{stream}.>")]);
    let mut hookway = delivery::hookway(&format!(
        "sinks: {{ stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: [ {{ sink: stream, subject: {stream}.one }}, {{ sink: stream, subject: {stream}.two }} ] }} ]
quarantine: {{ sink: kept }}
log: {{ level: 'info,hookway::told=debug' }}\n",
        nats.url()
    ));
    hookway.until_ready();
    let delivery = Delivery::reservation("twice", "QWERTYUI-1", 1);
    delivery.accepted(&hookway);
    // The memory of a killed Hookway is gone; the server's is not.
    hookway.kill();
    hookway.restart();
    hookway.until_ready();
    delivery.accepted(&hookway);
    assert!((hookway.metric("hookway_delivery_attempts_total", &["sink=\"stream\""]) - 2.0).abs() < 0.5);
    // It is answered as a success and is no new event: the stream said so.
    assert!((hookway.metric("hookway_delivery_duplicates_total", &["sink=\"stream\""]) - 2.0).abs() < 0.5);
    assert!((hookway.metric("hookway_events_suppressed_total", &[]) - 1.0).abs() < 0.5);
    assert!(hookway.metric("hookway_events_published_total", &[]).abs() < 0.5);
    let log = hookway.log();
    assert_eq!(
        log.matches("the stream had it already (its PubAck says duplicate) to stream").count(),
        2,
        "{log}"
    );
    hookway.until_metric("hookway_unaccounted_events", &[], 0.0);

    let messages = nats.read(&stream, 2);
    let mut subjects: Vec<&str> = messages.iter().map(|message| message.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, [format!("{stream}.one"), format!("{stream}.two")]);
    assert!(envelope::of_messages(&messages).iter().all(|envelope| envelope.id() == "twice"));
}

/// Starts Hookway with one more source, whose events go to a stream.
fn streaming(brokers: &Brokers, stream: &str, source: &str) -> Hookway {
    brokers.nats().create_stream(stream, &[&format!("{stream}.>")]);
    let rest = format!(
        "  own: {{ preset: token, secrets: [ env:HOTEL_SECRET ], verify: {{ header: lm-webhook-secret, prefix: '' }}, {source} }}
sinks: {{ stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: stream, subject: {stream}.all }} }} ]
quarantine: {{ sink: kept }}\n",
        brokers.nats().url()
    );
    let hookway = delivery::hookway(&rest);
    hookway.until_ready();
    hookway
}

fn own(body: &str) -> Delivery {
    Delivery { path: "/hooks/own".to_owned(), ..Delivery::hotel(body) }
}

fn a_stream_holds_as_many_equal_bodies_as_came_where_no_repeats_are_recognised(brokers: &Brokers) {
    for (name, source) in [
        ("OFF", "event: { id: '{/id}' }, dedup: { window: 0s }"),
        ("DIGEST", "event: { id: 'sha256:{sha256}' }, dedup: { window: 0s }"),
        ("FRESH", "event: {}"),
    ] {
        let stream = brokers.name(name);
        let hookway = streaming(brokers, &stream, source);
        for _ in 0..3 {
            own(r#"{"id":"1","door":"open"}"#).accepted(&hookway);
        }
        assert_eq!(brokers.nats().read(&stream, 3).len(), 3, "{name}");
        assert!((hookway.metric("hookway_events_published_total", &["source=\"own\""]) - 3.0).abs() < 0.5);
    }
}

fn a_stream_holds_each_of_two_events_of_one_id(brokers: &Brokers) {
    let stream = brokers.name("SHARED");
    let hookway = streaming(brokers, &stream, "event: { id: '{/id}' }");
    for n in [1, 2, 1, 2] {
        assert_eq!(own(&format!(r#"{{"id":"1","n":{n}}}"#)).accepted(&hookway), "1");
    }
    let messages = envelope::of_messages(&brokers.nats().read(&stream, 2));
    assert_eq!(messages.len(), 2);
    assert!((hookway.metric("hookway_event_id_conflicts_total", &["source=\"own\""]) - 1.0).abs() < 0.5);
}

/// Returns a configuration that publishes each event to a topic and to a stream's subject `STREAM.all`.
fn both(brokers: &Brokers, topic: &str, nats: &Nats, stream: &str) -> String {
    brokers.kafka().create_topic(topic, 1);
    format!(
        "sinks:
  bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}
  stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}
  kept: {{ journal: {{ dir: kept }} }}
routes: [ {{ to: [ {{ sink: bus, topic: {topic} }}, {{ sink: stream, subject: {stream}.all }} ] }} ]
quarantine: {{ sink: kept }}\n",
        brokers.kafka().bootstrap(),
        nats.url()
    )
}

fn a_retry_after_one_sink_of_two_was_missing_adds_nothing_to_the_other(brokers: &Brokers) {
    let (topic, stream) = (brokers.name("fan"), brokers.name("FAN"));
    let nats = brokers.nats();
    nats.create_stream(&stream, &[&format!("{stream}.>")]);
    let hookway = delivery::hookway(&both(brokers, &topic, nats, &stream));
    hookway.until_ready();
    nats.delete_stream(&stream);
    let delivery = Delivery::reservation("fanned", "QWERTYUI-1", 1);
    for _ in 0..3 {
        let answer = delivery.post(&hookway);
        assert!(answer.status == 503 && answer.body.contains("\"sink_unavailable\""), "{answer:?}");
        assert!(answer.header("retry-after").is_some());
    }
    nats.create_stream(&stream, &[&format!("{stream}.>")]);
    until("a 200 once the stream is there", SETTLE, || (delivery.post(&hookway).status == 200).then_some(()));

    assert_eq!(envelope::of_records(&brokers.kafka().read(&topic, 1)).len(), 1);
    assert_eq!(envelope::of_messages(&nats.read(&stream, 1)).len(), 1);
}

fn a_retry_after_nats_was_down_adds_nothing_to_kafka(brokers: &Brokers) {
    let topic = brokers.name("fan");
    let mut nats = Nats::start();
    nats.create_stream("FAN", &["FAN.>"]);
    let config = both(brokers, &topic, &nats, "FAN");
    let sources = delivery::SOURCES.replace("25s", "1s");
    let hookway = Hookway::start(&format!("{sources}{config}"), &delivery::SECRETS);
    hookway.until_ready();
    nats.kill();
    let delivery = Delivery::reservation("fanned", "QWERTYUI-1", 1);
    for _ in 0..2 {
        let answer = delivery.post(&hookway);
        assert!(answer.status == 503 && answer.header("retry-after").is_some(), "{answer:?}");
    }
    nats.restart();
    until("a 200 once NATS is back", SETTLE, || (delivery.post(&hookway).status == 200).then_some(()));

    assert_eq!(envelope::of_records(&brokers.kafka().read(&topic, 1)).len(), 1);
    assert_eq!(envelope::of_messages(&nats.read("FAN", 1)).len(), 1);
    assert_eq!(hookway.get("/readyz").status, 200, "an outage never changes readiness");
}

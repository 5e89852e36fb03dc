//! Brokers that are away, and destinations that are missing: the sender hears 503 in time, `/readyz` says why, and
//! nobody has to restart anything.

use std::time::{Duration, Instant};

use crate::Case;
use crate::bus::Bus;
use crate::delivery::{self, Delivery};
use crate::envelope;
use crate::hookway::Hookway;
use crate::hookway::http;
use crate::support::brokers::Brokers;
use crate::support::deadline::until;

/// How long a broker that is back may stay unnoticed.
const SETTLE: Duration = Duration::from_secs(30);

/// The deadline that these cases set, and how much later than it an answer may come on a busy machine.
const DEADLINE: &str = "1s";
const LATEST: Duration = Duration::from_secs(3);

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            a_missing_topic_is_named_by_readyz_and_works_once_it_is_made,
            a_missing_stream_is_named_by_readyz_and_works_once_it_is_made,
            a_missing_topic_and_stream_are_made_where_the_configuration_says_so;
        own:
            a_kafka_that_is_away_at_start_and_again_later_costs_503s_and_no_restart,
            a_nats_that_is_away_at_start_and_again_later_costs_503s_and_no_restart,
            a_frozen_kafka_costs_few_deadlines_and_then_no_time,
            a_frozen_nats_costs_few_deadlines_and_then_no_time,
            what_is_on_its_way_when_a_connection_to_nats_ends_goes_by_the_next,
    ]
}

/// Starts Hookway with the short deadline.
fn impatient(rest: &str) -> Hookway {
    let sources = delivery::SOURCES.replace("25s", DEADLINE);
    Hookway::start(&format!("{sources}{rest}"), &delivery::SECRETS)
}

/// Asserts that a delivery is refused in time, as a failure of ours.
fn refused_in_time(delivery: &Delivery, hookway: &Hookway) {
    #[expect(clippy::disallowed_methods, reason = "a deadline of a real process is measured in real time")]
    let start = Instant::now();
    let answer = delivery.post(hookway);
    assert!(start.elapsed() < LATEST, "{:?}", start.elapsed());
    assert_eq!(answer.status, 503, "{answer:?}");
    let pause: u32 =
        answer.header("retry-after").and_then(|pause| pause.parse().ok()).expect("a pause in seconds");
    assert!((1..=60).contains(&pause), "{pause}");
}

/// Waits until `/readyz?verbose` says this.
fn says(hookway: &Hookway, line: &str) {
    until(line, SETTLE, || hookway.get("/readyz?verbose").body.contains(line).then_some(()));
}

/// Sends until it is accepted.
fn accepted_soon(delivery: &Delivery, hookway: &Hookway) {
    until("a 200", SETTLE, || (delivery.post(hookway).status == 200).then_some(()));
}

fn a_kafka_that_is_away_at_start_and_again_later_costs_503s_and_no_restart(_: &Brokers) {
    a_broker_that_is_away_costs_503s_and_no_restart(Bus::kafka());
}

fn a_nats_that_is_away_at_start_and_again_later_costs_503s_and_no_restart(_: &Brokers) {
    a_broker_that_is_away_costs_503s_and_no_restart(Bus::nats());
}

fn a_broker_that_is_away_costs_503s_and_no_restart(mut bus: Bus) {
    let event = |name: &str| Delivery::reservation(name, "QWERTYUI-1", 1);
    bus.kill();
    let hookway = impatient(&bus.config());
    says(&hookway, "[!]sink.bus failed: the broker does not answer");
    assert_eq!(
        hookway.get("/readyz").status,
        200,
        "a broker that can't be reached does not change readiness"
    );
    assert_eq!(hookway.get("/startupz").status, 200, "nor does the start wait for it");
    assert_eq!(hookway.get("/livez").status, 200, "liveness never depends on a broker");
    refused_in_time(&event("before"), &hookway);
    bus.restart();
    accepted_soon(&event("before"), &hookway);

    bus.kill();
    // Without an event: the sink is looked at.
    says(&hookway, "[!]sink.bus failed: the broker does not answer");
    hookway.until_metric("hookway_sink_up", &["sink=\"bus\""], 0.0);
    refused_in_time(&event("during"), &hookway);
    refused_in_time(&event("during"), &hookway);
    assert_eq!(hookway.get("/readyz").status, 200, "a later outage never changes readiness");
    assert_eq!(hookway.get("/livez").status, 200);
    bus.restart();
    says(&hookway, "[+]sink.bus ok");
    hookway.until_metric("hookway_sink_up", &["sink=\"bus\""], 1.0);
    accepted_soon(&event("during"), &hookway);
    event("after").accepted(&hookway);
    assert_eq!(bus.ids(3), ["before", "during", "after"]);
    hookway.until_metric("hookway_unaccounted_events", &[], 0.0);
}

fn a_frozen_kafka_costs_few_deadlines_and_then_no_time(_: &Brokers) {
    a_frozen_broker_costs_few_deadlines_and_then_no_time(Bus::kafka());
}

fn a_frozen_nats_costs_few_deadlines_and_then_no_time(_: &Brokers) {
    a_frozen_broker_costs_few_deadlines_and_then_no_time(Bus::nats());
}

fn a_frozen_broker_costs_few_deadlines_and_then_no_time(mut bus: Bus) {
    let hookway = impatient(&bus.config());
    hookway.until_ready();
    let mut number = 0;
    let mut next = || {
        number += 1;
        Delivery::reservation(&format!("frozen-{number}"), "QWERTYUI-1", 1)
    };
    next().accepted(&hookway);
    bus.pause();
    let down = |hookway: &Hookway| hookway.metric("hookway_lane_down", &["sink=\"bus\""]);
    until("a destination that is known to be down", SETTLE, || {
        refused_in_time(&next(), &hookway);
        (down(&hookway) > 0.0).then_some(())
    });
    #[expect(clippy::disallowed_methods, reason = "a deadline of a real process is measured in real time")]
    let start = Instant::now();
    for _ in 0..20 {
        refused_in_time(&next(), &hookway);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "half of their deadlines: {:?}", start.elapsed());
    let refused = ["sink=\"bus\"", "reason=\"down\""];
    assert!(hookway.metric("hookway_delivery_errors_total", &refused) >= 10.0);
    bus.resume();
    accepted_soon(&next(), &hookway);
    next().accepted(&hookway);
    hookway.until_metric("hookway_lane_down", &["sink=\"bus\""], 0.0);
    hookway.until_metric("hookway_unaccounted_events", &[], 0.0);
}

fn what_is_on_its_way_when_a_connection_to_nats_ends_goes_by_the_next(_: &Brokers) {
    let mut bus = Bus::nats();
    let hookway = bus.hookway();
    hookway.until_ready();
    bus.pause();
    let connections: Vec<_> = (0..20)
        .map(|number| {
            Delivery::reservation(&format!("e{number:02}"), &format!("QWERTYUI-{number}"), 1).send(&hookway)
        })
        .collect();
    hookway.until_metric("hookway_events_in_flight", &[], 20.0);
    #[expect(clippy::disallowed_methods, reason = "a deadline of a real process is measured in real time")]
    let start = Instant::now();
    bus.kill();
    bus.restart();
    for connection in connections {
        assert_eq!(http::receive(connection).status, 200);
    }
    assert!(
        start.elapsed() < Duration::from_secs(9),
        "sooner than an answer is waited for: {:?}",
        start.elapsed()
    );
    let mut ids = bus.ids(20);
    ids.sort();
    assert_eq!(ids.len(), 20);
    ids.dedup();
    assert_eq!(ids.len(), 20, "each once");
    hookway.until_metric("hookway_events_published_total", &["source=\"hotel\""], 20.0);
    hookway.until_metric("hookway_unaccounted_events", &[], 0.0);
}

fn a_missing_topic_is_named_by_readyz_and_works_once_it_is_made(brokers: &Brokers) {
    let topic = brokers.name("missing");
    let hookway = impatient(&format!(
        "sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, topic: {topic} }} }} ]\nquarantine: {{ sink: kept }}\n",
        brokers.kafka().bootstrap()
    ));
    hookway.until_not_ready_for(&format!("topic {topic} does not exist"));
    let delivery = Delivery::reservation("early", "QWERTYUI-1", 1);
    refused_in_time(&delivery, &hookway);
    brokers.kafka().create_topic(&topic, 1);
    hookway.until_ready();
    accepted_soon(&delivery, &hookway);
    assert_eq!(envelope::of_records(&brokers.kafka().read(&topic, 1)).len(), 1);
}

fn a_missing_stream_is_named_by_readyz_and_works_once_it_is_made(brokers: &Brokers) {
    let (nats, stream) = (brokers.nats(), brokers.name("MISSING"));
    let hookway = impatient(&format!(
        "sinks: {{ bus: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, subject: {stream}.events }} }} ]\nquarantine: {{ sink: kept }}\n",
        nats.url()
    ));
    hookway.until_not_ready_for(&format!("stream {stream} does not exist"));
    let delivery = Delivery::reservation("early", "QWERTYUI-1", 1);
    refused_in_time(&delivery, &hookway);
    nats.create_stream(&stream, &[&format!("{stream}.other")]);
    hookway.until_not_ready_for(&format!("stream {stream} does not hold subject"));
    nats.delete_stream(&stream);
    nats.create_stream(&stream, &[&format!("{stream}.>")]);
    hookway.until_ready();
    accepted_soon(&delivery, &hookway);
    assert_eq!(envelope::of_messages(&nats.read(&stream, 1)).len(), 1);
}

fn a_missing_topic_and_stream_are_made_where_the_configuration_says_so(brokers: &Brokers) {
    let (topic, stream) = (brokers.name("made"), brokers.name("MADE"));
    let hookway = delivery::hookway(&format!(
        "sinks:
  bus: {{ kafka: {{ brokers: [ \"{}\" ], create: {{ partitions: 5, replication: 1 }} }} }}
  stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream}, create: {{ subjects: [ \"{stream}.>\" ] }} }} }}
  kept: {{ journal: {{ dir: kept }} }}
routes: [ {{ to: [ {{ sink: bus, topic: {topic} }}, {{ sink: stream, subject: {stream}.events }} ] }} ]
quarantine: {{ sink: kept }}\n",
        brokers.kafka().bootstrap(),
        brokers.nats().url()
    ));
    hookway.until_ready();
    for number in 0..40 {
        Delivery::reservation(&number.to_string(), &format!("R{number}"), number).accepted(&hookway);
    }
    let records = brokers.kafka().read(&topic, 40);
    let partitions: std::collections::BTreeSet<i32> = records.iter().map(|record| record.partition).collect();
    assert_eq!(partitions, (0..5).collect());
    assert_eq!(brokers.nats().read(&stream, 40).len(), 40);
    brokers.kafka().delete_topic(&topic);
    brokers.nats().delete_stream(&stream);
}

//! Deaths under load, with a ledger: every 2xx that a sender has heard is a promise, and after the death of
//! Hookway or of the broker every promised event stands at its destination, once, byte for byte, with nothing
//! beside it that nobody sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::Case;
use crate::bus::Bus;
use crate::envelope::{self, Envelope};
use crate::hookway::Hookway;
use crate::load::github::{self, Deliveries, Endpoint};
use crate::load::{Load, Outcome, Promise, Until};
use crate::support::brokers::Brokers;
use crate::support::deadline::until;

const SECRET: &str = "the secret of the load";

/// Different bodies; deliveries beyond that repeat a body under another id.
const BODIES: u32 = 1000;

/// Senders at once.
const SENDERS: usize = 16;

/// The longest a loaded process may take for what is waited for here.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            a_killed_hookway_has_on_kafka_all_that_it_acknowledged,
            a_killed_hookway_has_on_nats_all_that_it_acknowledged,
            a_killed_hookway_has_in_its_journal_all_that_it_acknowledged,
            a_terminated_hookway_answers_all_that_it_published_and_exits_0;
        own:
            a_killed_kafka_costs_no_acknowledged_event,
            a_killed_nats_costs_no_acknowledged_event,
    ]
}

/// A Hookway under load, and all that it has promised.
struct Trial {
    hookway: Hookway,
    runtime: Runtime,
    load: Load,
    ledger: Vec<Promise>,
    sent: u64,
}

impl Trial {
    /// Starts Hookway with one source and the rest of a configuration, and opens the senders' connections.
    fn start(rest: &str) -> Self {
        let source = "sources: { load: { preset: github, secrets: [ env:LOAD_SECRET ], deadline: 1s } }\n";
        let hookway = Hookway::start(&format!("{source}{rest}"), &[("LOAD_SECRET", SECRET)]);
        hookway.until_ready();
        let runtime = Runtime::new().expect("a runtime can be built");
        let endpoint = Endpoint { path: "/hooks/load".to_owned(), secret: SECRET.to_owned() };
        let deliveries = Arc::new(Deliveries::sign(&endpoint, BODIES));
        let load = runtime.block_on(Load::connect(hookway.webhooks(), deliveries, SENDERS));
        let load = load.expect("Hookway accepts connections").with_ledger();
        Self { hookway, runtime, load, ledger: Vec::new(), sent: 0 }
    }

    /// Sends `count` deliveries; once `accepted` of them were accepted, does to Hookway what is to be done
    /// while the others are on their way.
    fn run(&mut self, count: u64, accepted: u32, meanwhile: impl FnOnce(&mut Hookway)) -> Outcome {
        let Self { hookway, runtime, load, .. } = self;
        let mut outcome = std::thread::scope(|scope| {
            let sending = scope.spawn(|| runtime.block_on(load.run(Until::Sent(count))));
            until("some accepted events", PATIENCE, || {
                let events = hookway.metric("hookway_events_accepted_total", &[]);
                (events >= f64::from(accepted)).then_some(())
            });
            meanwhile(hookway);
            sending.join().expect("the load runs to its end")
        });
        self.sent += count;
        self.ledger.append(&mut outcome.ledger);
        outcome
    }

    /// Kills Hookway under load and starts it again, three times.
    fn kill_thrice(&mut self) {
        for _ in 0..3 {
            let outcome = self.run(1500, 300, Hookway::kill);
            assert!(outcome.unaccepted() > 0, "the death came in the midst of the load");
            self.hookway.restart();
            self.hookway.until_ready();
            self.load.redirect(self.hookway.webhooks());
        }
        let outcome = self.run(100, 1, |_| ());
        assert_eq!(outcome.accepted, 100, "all is well in the end");
    }

    /// Holds what stands at the destination to the ledger. Returns how many events nobody was promised.
    fn check(&self, stored: &[Envelope]) -> usize {
        let mut seen: BTreeMap<&str, &Envelope> = BTreeMap::new();
        let mut runs: Vec<u64> = Vec::new();
        for envelope in stored {
            assert!(seen.insert(envelope.id(), envelope).is_none(), "twice: {}", envelope.id());
            let (run, sequence, digest) = split(envelope.id());
            assert!(sequence < self.sent, "nobody sent {}", envelope.id());
            let body = github::body(sequence % u64::from(BODIES));
            assert_eq!(envelope.data.as_bytes(), body, "the sender's bytes survive");
            let sha256 = hex::encode(Sha256::digest(&body));
            assert!(digest.len() == 32 && sha256.starts_with(digest), "{} is not of its body", envelope.id());
            let issue: serde_json::Value = envelope.data.parse().expect("the body is JSON");
            let number = &issue["issue"]["number"];
            assert_eq!(envelope.text("partitionkey"), format!("issue:{}:{number}", github::REPOSITORY));
            runs.push(run);
        }
        runs.dedup();
        assert_eq!(runs.len(), 1, "events of another run");
        let missing = |promise: &&Promise| !seen.contains_key(promise.event_id.as_str());
        let lost: Vec<&Promise> = self.ledger.iter().filter(missing).collect();
        assert!(
            lost.is_empty(),
            "{} of {} acknowledged events are lost: {lost:?}",
            lost.len(),
            self.ledger.len()
        );
        let told =
            |promise: &Promise| split(&promise.event_id).1 == promise.sequence && promise.status == 200;
        assert!(self.ledger.iter().all(told), "an answer names another event");
        stored.len() - self.ledger.len()
    }
}

/// Returns the run, the sequence and the body's digest that stand in an event's id.
fn split(id: &str) -> (u64, u64, &str) {
    let (uuid, digest) = id.split_at(36);
    let (run, sequence) = Uuid::parse_str(uuid).expect("the id begins with the delivery's").as_u64_pair();
    (run, sequence & !(1 << 63), digest.trim_start_matches('-'))
}

/// Returns a configuration that publishes everything to one sink.
fn to(sink: &str, target: &str) -> String {
    format!(
        "sinks: {{ bus: {{ {sink} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, {target} }} }} ]\nquarantine: {{ sink: kept }}\n"
    )
}

fn to_kafka(brokers: &Brokers, topic: &str) -> String {
    brokers.kafka().create_topic(topic, 6);
    to(&format!("kafka: {{ brokers: [ \"{}\" ] }}", brokers.kafka().bootstrap()), &format!("topic: {topic}"))
}

fn a_killed_hookway_has_on_kafka_all_that_it_acknowledged(brokers: &Brokers) {
    let topic = brokers.name("killed");
    let mut trial = Trial::start(&to_kafka(brokers, &topic));
    trial.kill_thrice();
    trial.check(&envelope::of_records(&brokers.kafka().read(&topic, trial.ledger.len())));
}

fn a_killed_hookway_has_on_nats_all_that_it_acknowledged(brokers: &Brokers) {
    let (nats, stream) = (brokers.nats(), brokers.name("KILLED"));
    nats.create_stream(&stream, &[&format!("{stream}.>")]);
    let sink = format!("nats: {{ servers: [ \"{}\" ], stream: {stream} }}", nats.url());
    let mut trial = Trial::start(&to(&sink, &format!("subject: \"{stream}.{{key}}\"")));
    trial.kill_thrice();
    trial.check(&envelope::of_messages(&nats.read(&stream, trial.ledger.len())));
}

fn a_killed_hookway_has_in_its_journal_all_that_it_acknowledged(_: &Brokers) {
    // No sinks and no routes: everything goes to the embedded journal.
    let mut trial = Trial::start("");
    trial.kill_thrice();
    trial.check(&envelope::of_journal(&trial.hookway.home().join("hookway-data/journal")));
}

fn a_terminated_hookway_answers_all_that_it_published_and_exits_0(brokers: &Brokers) {
    let topic = brokers.name("terminated");
    let mut trial = Trial::start(&to_kafka(brokers, &topic));
    let mut status = None;
    let outcome = trial.run(3000, 500, |hookway| status = Some(hookway.terminate()));
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    assert!(outcome.unaccepted() > 0, "the end came in the midst of the load");
    assert!(outcome.statuses.keys().all(|status| *status == 200), "{:?}", outcome.statuses);
    assert!(trial.hookway.log().contains("\"message\":\"stopped\""));
    let unheard = trial.check(&envelope::of_records(&brokers.kafka().read(&topic, trial.ledger.len())));
    assert_eq!(unheard, 0, "a request that was accepted was answered");
}

fn a_killed_kafka_costs_no_acknowledged_event(_: &Brokers) {
    a_killed_broker_costs_no_acknowledged_event(Bus::kafka());
}

fn a_killed_nats_costs_no_acknowledged_event(_: &Brokers) {
    a_killed_broker_costs_no_acknowledged_event(Bus::nats());
}

fn a_killed_broker_costs_no_acknowledged_event(mut bus: Bus) {
    let mut trial = Trial::start(&bus.config());
    let outcome = trial.run(2500, 500, |hookway| {
        bus.kill();
        until("a refusal", PATIENCE, || {
            (hookway.metric("hookway_events_rejected_total", &[]) >= 1.0).then_some(())
        });
        bus.restart();
    });
    assert!(outcome.statuses[&503] > 0 && outcome.failures.is_empty(), "{outcome:?}");
    until("the end of what is in flight", PATIENCE, || {
        (trial.hookway.metric("hookway_events_in_flight", &[]) < 0.5).then_some(())
    });
    let outcome = trial.run(100, 1, |_| ());
    assert_eq!(outcome.accepted, 100, "all is well in the end");
    let unheard = trial.check(&bus.read(trial.ledger.len()));
    // Nothing is sent again here: what nobody was promised came late, or its ack died with the broker.
    let (late, unknown) = ("hookway_events_late_total", "hookway_delivery_errors_total");
    let (late, unknown) = (trial.hookway.metric(late, &[]), trial.hookway.metric(unknown, &["sink=\"bus\""]));
    let unheard = f64::from(u32::try_from(unheard).expect("few"));
    assert!((late..=late + unknown).contains(&unheard), "{unheard} beside {late} late and {unknown} unknown");
    trial.hookway.until_metric("hookway_unaccounted_events", &[], 0.0);
}

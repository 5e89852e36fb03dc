//! Level `available` with real brokers: senders that wait for each answer and send again what was refused, an outage, deaths
//! within it, and an independent reader afterwards: nothing that heard a 2xx is lost, and no object's events have changed
//! places.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::Case;
use crate::bus::Bus;
use crate::delivery::{self, Delivery};
use crate::envelope;
use crate::hookway::Hookway;
use crate::support::brokers::Brokers;
use crate::support::deadline::until;
use crate::support::nats::Nats;
use async_nats::jetstream::stream::{Config, DiscardPolicy};

/// Objects, each with a sender that waits for its answers.
const OBJECTS: usize = 8;

/// How long an outage is: long enough that every attempt of before it has missed its deadline.
const OUTAGE: Duration = Duration::from_secs(6);

/// The longest a loaded machine may take for what is waited for here.
const PATIENCE: Duration = Duration::from_secs(90);

/// The deadline that these cases set, and how much later than it an answer may come on a busy machine.
const DEADLINE: &str = "4s";
const LATEST: Duration = Duration::from_secs(7);

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared: ;
        own:
            a_frozen_kafka_costs_nothing_with_a_spool,
            a_frozen_nats_costs_nothing_with_a_spool,
            a_hookway_that_is_killed_within_an_outage_of_kafka_loses_and_swaps_nothing,
            a_hookway_that_is_killed_within_an_outage_of_nats_loses_and_swaps_nothing,
            a_topic_that_a_sender_names_is_drained_once,
            a_topic_that_is_deleted_holds_its_own_events_and_no_others,
            a_stream_that_is_full_holds_its_events_until_there_is_room,
            a_directory_that_a_dead_replica_left_is_listed_exported_and_emptied,
    ]
}

/// Starts Hookway with a spool.
fn spooling(bus: &Bus) -> Hookway {
    let sources = delivery::SOURCES.replace("25s", DEADLINE);
    let config = format!("{sources}{}spool: {{ dir: spool, allow_volatile: true }}\n", bus.config());
    Hookway::start(&config, &delivery::SECRETS)
}

/// Senders, each of which sends the events of one object in their order: the next goes once the one before was accepted.
#[derive(Default)]
struct Senders {
    /// Where Hookway listens; it changes when it is started again.
    at: Mutex<Option<SocketAddr>>,
    is_over: AtomicBool,
    accepted: AtomicU64,
    refused: AtomicU64,
    /// Answers that tell the sender to change something, and those that came too late.
    wrong: Mutex<Vec<String>>,
}

impl Senders {
    fn at(&self, hookway: &Hookway) {
        *self.at.lock().expect("nobody panics with it") = Some(hookway.webhooks());
    }

    /// Has one sender for each object send until it is over; returns how many events each got accepted.
    fn start<'s>(&'s self, scope: &'s thread::Scope<'s, '_>) -> Vec<ScopedJoinHandle<'s, usize>> {
        (0..OBJECTS).map(|object| scope.spawn(move || self.send(object))).collect()
    }

    fn send(&self, object: usize) -> usize {
        let mut number = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let id = format!("{object}-{number}");
            let delivery = Delivery::reservation(&id, &format!("QWERTYUI-{object}"), number);
            let at = *self.at.lock().expect("nobody panics with it");
            #[expect(
                clippy::disallowed_methods,
                reason = "a deadline of a real process is measured in real time"
            )]
            let start = Instant::now();
            match at.and_then(|at| status(at, &delivery)) {
                Some(200..=299) => {
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                    number += 1;
                }
                Some(503) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    thread::park_timeout(Duration::from_millis(50));
                }
                Some(other) => self.wrong.lock().expect("nobody panics with it").push(other.to_string()),
                // It was killed.
                None => thread::park_timeout(Duration::from_millis(50)),
            }
            if at.is_some() && start.elapsed() > LATEST {
                let late = format!("an answer took {:?}", start.elapsed());
                self.wrong.lock().expect("nobody panics with it").push(late);
            }
            thread::park_timeout(Duration::from_millis(2));
        }
        number
    }

    /// Waits until so many more events were accepted.
    fn until_accepted(&self, more: u64) {
        let wanted = self.accepted.load(Ordering::Relaxed) + more;
        until("accepted events", PATIENCE, || {
            (self.accepted.load(Ordering::Relaxed) >= wanted).then_some(())
        });
    }
}

/// Sends a delivery and returns the answer's status; `None` where there is none.
fn status(at: SocketAddr, delivery: &Delivery) -> Option<u16> {
    let mut connection = TcpStream::connect(at).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut head = format!("POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", delivery.path);
    for (name, value) in &delivery.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.extend(["Content-Length: ", &delivery.body.len().to_string(), "\r\n\r\n"]);
    connection.write_all(&[head.as_bytes(), &delivery.body].concat()).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// Has senders send while something is done to the broker and to Hookway, and holds what the broker has in the end to what
/// was accepted.
fn trial(bus: &mut Bus, hookway: &mut Hookway, meanwhile: impl FnOnce(&mut Bus, &mut Hookway, &Senders)) {
    let senders = Senders::default();
    senders.at(hookway);
    let accepted: Vec<usize> = thread::scope(|scope| {
        let sending = senders.start(scope);
        senders.until_accepted(100);
        meanwhile(bus, hookway, &senders);
        senders.until_accepted(100);
        senders.is_over.store(true, Ordering::Relaxed);
        sending.into_iter().map(|sender| sender.join().expect("a sender ends")).collect()
    });
    until_drained(hookway);
    let wrong = senders.wrong.into_inner().expect("nobody panics with it");
    assert!(wrong.is_empty(), "{wrong:?}");
    is_in_order(&bus.ids(accepted.iter().sum()), &accepted);
}

/// Has Hookway killed three times within an outage, and terminated once.
fn die(hookway: &mut Hookway, senders: &Senders) {
    for _ in 0..3 {
        senders.until_accepted(50);
        hookway.kill();
        hookway.restart();
        senders.at(hookway);
    }
    senders.until_accepted(50);
    #[expect(clippy::disallowed_methods, reason = "the end of a real process is measured in real time")]
    let start = Instant::now();
    assert_eq!(hookway.terminate().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(6), "no broker is waited for: {:?}", start.elapsed());
    hookway.restart();
    senders.at(hookway);
    senders.until_accepted(50);
}

fn until_drained(hookway: &Hookway) {
    until("a spool that is empty", PATIENCE, || {
        let waits = hookway.metric("hookway_lanes_spooling", &[])
            + hookway.metric("hookway_spool_pending_records", &[]);
        (waits < 0.5).then_some(())
    });
    hookway.until_metric("hookway_unaccounted_events", &[], 0.0);
}

/// Each accepted event is there, and the first occurrences of each object's events are in their order.
fn is_in_order(ids: &[String], accepted: &[usize]) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, id) in ids.iter().enumerate() {
        first.entry(id).or_insert(at);
    }
    let mut copies: BTreeMap<usize, usize> = BTreeMap::new();
    for (object, count) in accepted.iter().enumerate() {
        let places: Vec<usize> = (0..*count)
            .map(|number| {
                let id = format!("{object}-{number}");
                *first.get(id.as_str()).unwrap_or_else(|| panic!("{id} of {count} was accepted and is lost"))
            })
            .collect();
        assert!(places.is_sorted(), "events of object {object} have changed places: {places:?}");
        *copies.entry(object).or_default() += count;
    }
}

fn a_frozen_kafka_costs_nothing_with_a_spool(_: &Brokers) {
    a_frozen_broker_costs_nothing_with_a_spool(Bus::kafka());
}

fn a_frozen_nats_costs_nothing_with_a_spool(_: &Brokers) {
    a_frozen_broker_costs_nothing_with_a_spool(Bus::nats());
}

fn a_frozen_broker_costs_nothing_with_a_spool(mut bus: Bus) {
    let mut hookway = spooling(&bus);
    hookway.until_ready();
    trial(&mut bus, &mut hookway, |bus, hookway, senders| {
        bus.pause();
        until("a destination that spools", PATIENCE, || {
            (hookway.metric("hookway_lanes_spooling", &["sink=\"bus\""]) > 0.5).then_some(())
        });
        thread::park_timeout(outage());
        senders.until_accepted(200);
        assert_eq!(senders.refused.load(Ordering::Relaxed), 0, "none heard 503");
        die(hookway, senders);
        bus.resume();
    });
    assert!(hookway.metric("hookway_spool_settled_records_total", &["result=\"published\""]) > 100.0);
    assert!(hookway.log().contains("a destination is up to date"));
}

/// Returns how long an outage is to be: `HOOKWAY_TEST_OUTAGE` seconds where that is said.
fn outage() -> Duration {
    let said = std::env::var("HOOKWAY_TEST_OUTAGE").ok().and_then(|text| text.parse().ok());
    said.map_or(OUTAGE, Duration::from_secs)
}

fn a_hookway_that_is_killed_within_an_outage_of_kafka_loses_and_swaps_nothing(_: &Brokers) {
    a_hookway_that_is_killed_within_an_outage_loses_and_swaps_nothing(Bus::kafka());
}

fn a_hookway_that_is_killed_within_an_outage_of_nats_loses_and_swaps_nothing(_: &Brokers) {
    a_hookway_that_is_killed_within_an_outage_loses_and_swaps_nothing(Bus::nats());
}

fn a_hookway_that_is_killed_within_an_outage_loses_and_swaps_nothing(mut bus: Bus) {
    let mut hookway = spooling(&bus);
    hookway.until_ready();
    trial(&mut bus, &mut hookway, |bus, hookway, senders| {
        bus.kill();
        die(hookway, senders);
        let inherited = hookway.metric("hookway_spool_taken_records_total", &["how=\"inherited\""]);
        assert!(inherited > 200.0, "{inherited}");
        bus.restart();
        // And once more while what waits is published.
        senders.until_accepted(50);
        hookway.kill();
        hookway.restart();
        senders.at(hookway);
    });
}

/// No route names it, so that its place on disk is made when several events need it at the same moment.
fn a_topic_that_a_sender_names_is_drained_once(_: &Brokers) {
    let mut bus = Bus::kafka();
    let Bus::Kafka(kafka) = &bus else { return };
    kafka.create_topic("made.RESERVATION", 1);
    let sources = delivery::SOURCES.replace("25s", DEADLINE);
    let routes = bus.config().replace("topic: events", "topic: 'made.{object}'");
    let config = format!("{sources}{routes}spool: {{ dir: spool, allow_volatile: true }}\n");
    let hookway = Hookway::start(&config, &delivery::SECRETS);
    hookway.until_ready();
    let senders = Senders::default();
    senders.at(&hookway);
    let accepted: Vec<usize> = thread::scope(|scope| {
        let sending = senders.start(scope);
        senders.until_accepted(100);
        bus.pause();
        senders.until_accepted(300);
        bus.resume();
        senders.until_accepted(100);
        senders.is_over.store(true, Ordering::Relaxed);
        sending.into_iter().map(|sender| sender.join().expect("a sender ends")).collect()
    });
    until_drained(&hookway);
    let Bus::Kafka(kafka) = &bus else { return };
    let count = accepted.iter().sum();
    let read = envelope::of_records(&kafka.read("made.RESERVATION", count));
    let ids: Vec<String> = read.iter().map(|event| event.id().to_owned()).collect();
    is_in_order(&ids, &accepted);
    assert!(ids.len() <= count + OBJECTS, "{} copies of {count}", ids.len() - count);
}

fn a_topic_that_is_deleted_holds_its_own_events_and_no_others(_: &Brokers) {
    let mut bus = Bus::kafka();
    let Bus::Kafka(kafka) = &bus else { return };
    kafka.create_topic("other", 1);
    let sources = delivery::SOURCES.replace("25s", DEADLINE);
    let routes = format!(
        "sinks: {{ bus: {{ kafka: {{ brokers: [ \"{}\" ] }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes:
  - {{ match: {{ source: hotel }}, to: {{ sink: bus, topic: events }} }}
  - {{ to: {{ sink: bus, topic: other }} }}
quarantine: {{ sink: kept }}
spool: {{ dir: spool, allow_volatile: true }}\n",
        kafka.bootstrap()
    );
    let mut hookway = Hookway::start(&format!("{sources}{routes}"), &delivery::SECRETS);
    hookway.until_ready();
    kafka.delete_topic("events");
    trial(&mut bus, &mut hookway, |bus, hookway, senders| {
        let Bus::Kafka(kafka) = bus else { return };
        let held = ["sink=\"bus\"", "lane=\"events\""];
        until("a destination that is held", PATIENCE, || {
            (hookway.metric("hookway_lanes_held", &held) > 0.5).then_some(())
        });
        senders.until_accepted(100);
        assert!(hookway.log().contains("a destination refuses what waits for it"), "loudly");
        let units = r#"{"event":"sync","integrationId":"i1"}"#;
        assert_eq!(Delivery::units(units).post(hookway).status, 200, "the other is not held");
        die(hookway, senders);
        kafka.create_topic("events", 1);
    });
}

fn a_stream_that_is_full_holds_its_events_until_there_is_room(_: &Brokers) {
    let nats = Nats::start();
    let stream = |max_messages| Config {
        name: "events".to_owned(),
        subjects: vec!["events".to_owned()],
        discard: DiscardPolicy::New,
        max_messages,
        ..Config::default()
    };
    nats.create_stream_with(stream(150));
    let mut bus = Bus::Nats(nats);
    let mut hookway = spooling(&bus);
    hookway.until_ready();
    trial(&mut bus, &mut hookway, |bus, hookway, senders| {
        until("a destination that is held", PATIENCE, || {
            (hookway.metric("hookway_lanes_held", &["sink=\"bus\""]) > 0.5).then_some(())
        });
        senders.until_accepted(100);
        die(hookway, senders);
        let Bus::Nats(nats) = bus else { return };
        nats.update_stream(stream(-1));
    });
}

fn a_directory_that_a_dead_replica_left_is_listed_exported_and_emptied(_: &Brokers) {
    let mut bus = Bus::nats();
    let mut hookway = spooling(&bus);
    hookway.until_ready();
    bus.kill();
    for number in 0..30 {
        Delivery::reservation(&format!("left-{number:02}"), "QWERTYUI-1", number).accepted(&hookway);
    }
    let home = hookway.home().to_owned();
    let run = |words: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_hookway"));
        program.args(["--config", "hookway.yaml", "spool"]).args(words).current_dir(&home);
        let output = program.envs(delivery::SECRETS).output().expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("text"))
    };
    let (code, listed) = run(&["ls"]);
    assert!(code == Some(0) && listed.contains("bus  30 events"), "{listed}");
    assert_eq!(run(&["drain"]).0, Some(69), "a server has it");
    let (_, exported) = run(&["export"]);
    assert_eq!(exported.lines().count(), 30, "{exported}");
    assert!(exported.contains("\"destination\":\"events\"") && exported.contains("\"source\":\"hotel\""));
    assert!(run(&["show", "-n", "1"]).1.contains("left-00"));
    hookway.kill();
    assert_eq!(run(&["drain", "--patience", "1"]).0, Some(69), "nobody takes it");
    bus.restart();
    let (code, said) = run(&["drain"]);
    assert!(code == Some(0) && said.contains("30 published"), "{said}");
    let (code, listed) = run(&["ls"]);
    assert_eq!((code, listed.trim()), (Some(1), "nothing waits in the spool"));
    let expected: Vec<String> = (0..30).map(|number| format!("left-{number:02}")).collect();
    assert_eq!(bus.ids(30), expected);
}

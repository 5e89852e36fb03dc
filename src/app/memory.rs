//! The most memory that a configuration's limits allow, part by part: what a container's limit is computed from, so that
//! a flood is answered 503 by us before the system ends us.

use crate::{
    config::{KafkaConfig, Loaded, SinkConfig, TargetConfig},
    journal,
    observe::told,
    pipeline, publish, receive,
    record::Target,
};
use serde::Serialize;
use std::{collections::BTreeSet, mem::size_of};

/// The program, its threads, and what an allocator keeps.
const PROGRAM: u64 = 48 << 20;

/// A worker's stack, runtime, counters, and what its allocator keeps: half of this as measured after some requests on each,
/// the rest for connections of its own to sinks.
const WORKER: u64 = 512 << 10;

/// What a connection takes besides its buffer: its task, its table of headers, the system's part of it.
const CONNECTION: u64 = 6 << 10;

/// One remembered id: its entry in a half-full table, and its place in the order.
const REMEMBERED: u64 = 128;

/// What is remembered beside it of an event that some of its targets hold and some do not, and the text of each of them that
/// is made for the event.
const PARTIAL: u64 = 64;
const NAME: u64 = 320;

/// The attributes of one event of a list.
const LISTED: u64 = 800;

/// What waits for a journal's disk, with its frames.
const JOURNAL: u64 = 32 << 20;

/// What a client of Kafka holds besides its queue.
const KAFKA_CLIENT: u64 = 8 << 20;

/// librdkafka's queue where nothing else is written, in KiB, and the settings that bound it.
const KAFKA_QUEUE: u64 = 65_536;
const KAFKA_QUEUE_KEY: &str = "queue.buffering.max.kbytes";

/// The settings that leave one client instead of two.
const LINGER_KEYS: [&str; 2] = ["linger.ms", "queue.buffering.max.ms"];

/// One part of the process and its worst case.
#[derive(Debug, Serialize)]
pub struct Part {
    /// What holds it.
    pub part: String,
    /// Bytes at most.
    pub bytes: u64,
    /// What makes it so much.
    pub by: String,
}

/// The most that all parts may take together.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// The sum, in bytes.
    pub total: u64,
    /// Its parts.
    pub parts: Vec<Part>,
}

impl Memory {
    /// Computes what a configuration allows.
    pub fn of(loaded: &Loaded) -> Self {
        let limits = &loaded.limits;
        let connections = u64::try_from(limits.connections).unwrap_or(u64::MAX);
        let buffer = u64::try_from(receive::HEAD_BYTES).unwrap_or(u64::MAX).saturating_add(CONNECTION);
        let bodies = limits.body_bytes;
        let workers = u64::try_from(super::workers(loaded).get()).unwrap_or(u64::MAX);
        let mut parts = vec![
            part("program", PROGRAM, "as measured, idle".to_owned()),
            part(
                "workers",
                workers.saturating_mul(WORKER),
                format!("workers {workers}, {WORKER} bytes each"),
            ),
            part(
                "connections",
                connections.saturating_mul(buffer),
                format!("limits.connections {connections}, {buffer} bytes each"),
            ),
            part("bodies", bodies, format!("limits.body_bytes {bodies}{}", largest(loaded))),
            part("envelopes", base64(bodies), "every body once more, as base64".to_owned()),
            part(
                "lists",
                pipeline::MOST_LISTED.saturating_mul(LISTED),
                "events of lists on their way".to_owned(),
            ),
            part("put aside", journal::ASIDE_ROOM, "what no sink takes and waits for the disk".to_owned()),
            part("captures", told::MOST_BYTES, "what waits for `capture` and `trigger`".to_owned()),
        ];
        let remembered = REMEMBERED.saturating_add(partial(loaded));
        for (name, settings) in &loaded.sources {
            let entries = u64::try_from(settings.dedup_entries).unwrap_or(u64::MAX);
            if !settings.dedup_window.is_zero() && entries > 0 {
                let by = format!("sources.{name}.dedup.entries {entries}");
                parts.push(part(&format!("repeats of {name}"), entries.saturating_mul(remembered), by));
            }
        }
        parts.extend(loaded.config.sinks.iter().filter_map(|(name, sink)| waiting(name, sink)));
        parts.extend(loaded.config.spool.iter().map(|_| spool(loaded)));
        Self { total: parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes)), parts }
    }
}

/// Returns what is remembered beside an id where one of its targets fails, for the route with the most; of a single target
/// nothing is.
fn partial(loaded: &Loaded) -> u64 {
    let each = u64::try_from(size_of::<Target>()).unwrap_or(u64::MAX);
    let of_route = |targets: &[TargetConfig]| {
        let is_made = |target: &&TargetConfig| {
            let texts = [&target.topic, &target.subject];
            texts.into_iter().flatten().any(|text| text.contains('{'))
        };
        let made = u64::try_from(targets.iter().filter(is_made).count()).unwrap_or(u64::MAX);
        // A list grows by doubling, from four.
        let places = u64::try_from(targets.len().next_power_of_two().max(4)).unwrap_or(u64::MAX);
        let is_split = targets.len() > 1;
        if is_split { PARTIAL + places.saturating_mul(each) + made.saturating_mul(NAME) } else { 0 }
    };
    loaded.config.routes.iter().map(|route| of_route(route.to.targets())).max().unwrap_or(0)
}

/// Says how many of the largest bodies there may be at once.
fn largest(loaded: &Loaded) -> String {
    let sizes = loaded.sources.iter().map(|(name, source)| (source.max_body, name));
    let said = sizes.max().and_then(|(size, name)| {
        let at_once = loaded.limits.body_bytes.checked_div(size)?;
        Some(format!(", {at_once} at once of the largest that `{name}` takes ({size})"))
    });
    said.unwrap_or_default()
}

fn part(part: &str, bytes: u64, by: String) -> Part {
    Part { part: part.to_owned(), bytes, by }
}

fn base64(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Returns what may wait for a sink.
fn waiting(name: &str, sink: &SinkConfig) -> Option<Part> {
    let of = format!("sink {name}");
    if let Some(kafka) = &sink.kafka {
        let (clients, queue) = kafka_queue(kafka);
        let bytes = clients.saturating_mul(queue.saturating_mul(1024).saturating_add(KAFKA_CLIENT));
        return Some(part(&of, bytes, format!("{KAFKA_QUEUE_KEY} {queue}, {clients} clients")));
    }
    if sink.nats.is_some() {
        // What the client holds while nobody waits for it any more, and what is waited for.
        let bytes = publish::nats::MAX_HELD_BYTES.saturating_add(publish::MOST_BYTES);
        return Some(part(&of, bytes, "what waits for the server and its answers".to_owned()));
    }
    sink.journal.as_ref().map(|_| part(&of, JOURNAL, "what waits for the disk".to_owned()))
}

/// Returns what waits for the spool's disk, and what its drains hold, with every configured destination at work.
fn spool(loaded: &Loaded) -> Part {
    let targets =
        loaded.config.routes.iter().flat_map(|route| route.to.targets()).chain(&loaded.config.quarantine);
    let of_brokers = targets
        .filter(|target| loaded.config.sinks.get(&target.sink).is_some_and(|sink| sink.journal.is_none()));
    let names: BTreeSet<_> =
        of_brokers.map(|target| (&target.sink, target.topic.as_deref().unwrap_or_default())).collect();
    let lanes = u64::try_from(names.len()).unwrap_or(u64::MAX);
    let each = JOURNAL + publish::MOST_DRAINED;
    part("spool", lanes.saturating_mul(each), format!("{lanes} destinations, {each} bytes each"))
}

fn kafka_queue(kafka: &KafkaConfig) -> (u64, u64) {
    let clients = if LINGER_KEYS.iter().any(|key| kafka.text(key).is_some()) { 1 } else { 2 };
    (clients, kafka.text(KAFKA_QUEUE_KEY).and_then(|text| text.parse().ok()).unwrap_or(KAFKA_QUEUE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &str) -> Memory {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("hookway.yaml");
        let text = "sources: { code: { preset: github, secrets: [ file:s ] }, hotel: { preset: likemagic, secrets: [ file:s ] } }";
        std::fs::write(&file, format!("{text}\n{more}")).unwrap();
        Memory::of(&crate::config::load(&file).unwrap())
    }

    #[test]
    fn what_is_remembered_of_an_event_that_one_of_two_sinks_lacks_is_counted() {
        let sinks = "sinks: { a: { journal: { dir: a } }, b: { nats: { servers: [ 'nats://b:1' ], stream: S } } }\nquarantine: { sink: a }";
        let routed = |to: &str| of(&format!("{sinks}\nroutes: [ {{ to: {to} }} ]"));
        let bytes = |memory: &Memory, part: &str| {
            memory.parts.iter().find(|known| known.part == part).map(|part| part.bytes).unwrap()
        };
        let repeats = |to: &str| bytes(&routed(to), "repeats of hotel") / 100_000;
        let beside = |text: &str| repeats(&format!("[ {{ sink: a }}, {{ sink: b, subject: '{text}' }} ]"));
        assert_eq!(repeats("{ sink: a }"), 128);
        assert_eq!((beside("all"), beside("all.{object}")), (128 + 192, 128 + 192 + 320));
        assert_eq!(bytes(&routed("{ sink: a }"), "sink b"), 128 << 20, "both bounds");
    }

    #[test]
    fn each_worker_counts() {
        let total = |workers: u64| of(&format!("workers: {workers}")).total;
        assert_eq!(total(64) - total(4), 60 * WORKER);
    }

    #[test]
    fn what_the_largest_body_means_is_told_beside_the_bytes_of_all() {
        let memory = of("");
        let bodies = memory.parts.iter().find(|part| part.part == "bodies").unwrap();
        assert_eq!(bodies.bytes, 128 << 20, "a large preset makes it no more");
        let said = "limits.body_bytes 134217728, 5 at once of the largest that `code` takes (26214400)";
        assert_eq!(bodies.by, said);
    }
}

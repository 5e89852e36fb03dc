//! What is varied, one thing at a time: for each point of each curve Hookway's configuration and the load.

use crate::{
    hookway,
    load::github::{self, Deliveries},
};
use std::{io::Write, sync::Arc, thread};

/// Connections where they are not what is varied.
const CONNECTIONS: usize = 64;
/// Connections that send lists; Hookway takes 65 536 events of lists at once.
const LIST_CONNECTIONS: usize = 4;
/// What the rendered bodies of one point may hold of memory, in bytes; there are [`PLACES`] of them at most.
const RING_BYTES: usize = 16 << 20;
const PLACES: usize = 1024;

/// One thing that is varied.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) points: Vec<Point>,
}

/// One value of it.
pub(super) struct Point {
    pub(super) x: u32,
    /// Lines above the rest of the configuration.
    pub(super) settings: String,
    pub(super) sources: String,
    pub(super) deliveries: Arc<Deliveries>,
    pub(super) connections: usize,
    /// Events in each delivery.
    pub(super) events: u32,
}

/// Returns all curves.
pub(super) fn all() -> [Curve; 5] {
    let cores = u32::try_from(thread::available_parallelism().unwrap().get()).unwrap();
    [
        curve("workers", &(1..=cores).collect::<Vec<_>>(), workers),
        curve("connections", &[1, 10, 100, 1_000, 10_000], connections),
        curve("sources", &[1, 10, 100], sources),
        curve("bytes of the body", &[100, 1_000, 10_000, 100_000, 1_000_000], body),
        curve("events in the list", &[1, 10, 100, 1_000, 10_000], list),
    ]
}

fn curve(name: &'static str, values: &[u32], point: fn(u32) -> Point) -> Curve {
    Curve { name, points: values.iter().map(|x| point(*x)).collect() }
}

fn workers(x: u32) -> Point {
    Point { settings: format!("workers: {x}\n"), ..usual(x, (0..PLACES).map(number).map(github::body)) }
}

fn connections(x: u32) -> Point {
    Point { connections: usize::try_from(x).unwrap(), ..usual(x, (0..PLACES).map(number).map(github::body)) }
}

fn sources(x: u32) -> Point {
    let name = |number: u32| format!("bench{number}");
    let source = |number| format!("{}: {{ preset: github, secrets: [ env:BENCH_SECRET ] }}", name(number));
    let requests = (0..number(PLACES))
        .zip((0..x).cycle())
        .map(|(sequence, source)| (format!("/hooks/{}", name(source)), github::body(sequence)));
    Point {
        sources: (0..x).map(source).collect::<Vec<_>>().join(", "),
        deliveries: Arc::new(Deliveries::of(&hookway::endpoint().secret, requests)),
        ..usual(x, std::iter::empty())
    }
}

fn body(x: u32) -> Point {
    let size = usize::try_from(x).unwrap();
    let of_size = move |sequence: u64| {
        let issue = sequence % github::ISSUES;
        let start = format!(
            r#"{{"action":"edited","issue":{{"number":{issue}}},"repository":{{"id":{}}},"text":""#,
            github::REPOSITORY
        );
        let padding = vec![b'.'; size.saturating_sub(start.len() + 2)];
        [start.as_bytes(), &padding, br#""}"#].concat()
    };
    usual(x, (0..places(size)).map(number).map(of_size))
}

fn list(x: u32) -> Point {
    let of_length = move |sequence: u64| {
        let mut body = b"[".to_vec();
        for n in 0..x {
            let comma = if n == 0 { "" } else { "," };
            let issue = (sequence + u64::from(n)) % github::ISSUES;
            write!(body, r#"{comma}{{"n":{n},"issue":{issue},"title":"Spelling error in the README file"}}"#)
                .unwrap();
        }
        body.push(b']');
        body
    };
    let bytes = of_length(0).len();
    Point {
        sources: "bench: { preset: hmac, secrets: [ env:BENCH_SECRET ], max_body: 4MiB, deadline: 30s, \
                  verify: { header: x-hub-signature-256, prefix: \"sha256=\", encoding: hex }, \
                  event: { format: json, type_prefix: com.example, each: \"/*\", type: \"'element'\", object: issue, \
                  object_id: ./issue, id: \"{header:x-github-delivery}-{./n}\" } }"
            .to_owned(),
        connections: LIST_CONNECTIONS,
        events: x,
        ..usual(x, (0..places(bytes)).map(number).map(of_length))
    }
}

/// Returns a point with one source, 64 connections and these bodies.
fn usual(x: u32, bodies: impl Iterator<Item = Vec<u8>>) -> Point {
    let to = hookway::endpoint();
    let requests = bodies.map(|body| (to.path.clone(), body));
    Point {
        x,
        settings: String::new(),
        sources: hookway::SOURCE.to_owned(),
        deliveries: Arc::new(Deliveries::of(&to.secret, requests)),
        connections: CONNECTIONS,
        events: 1,
    }
}

/// Returns how many bodies of this size are rendered; a delivery's id is its own all the same.
fn places(bytes: usize) -> usize {
    (RING_BYTES / bytes).clamp(1, PLACES)
}

fn number(place: usize) -> u64 {
    u64::try_from(place).unwrap()
}

//! Each reason of the quarantine with a request that gives it, and beside it the same request as it would be published: what
//! is put aside is put aside for what is said, whole, as a success, and counted once.

use crate::{
    bridge::Bridge,
    client::post,
    doubles::Fault,
    samples::{SECRET, hmac},
    stored::Stored,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookway::{event::Reason, record::PublishError};
use serde_json::Value;
use std::collections::BTreeSet;

const CONFIG: &str = "
sources:
  json: { preset: hmac, secrets: [ file:$home/secret ], event: { format: json, id: '{/id}', type: /type, object: thing, object_id: /thing } }
  form: { preset: hmac, secrets: [ file:$home/secret ], event: { format: form, id: '{form:id}', type: 'form:type', object: thing, object_id: 'form:thing' } }
  cloud: { preset: hmac, secrets: [ file:$home/secret ], event: { format: cloudevents } }
  shaped: { preset: hmac, secrets: [ file:$home/secret ], event: { format: json, shapes: [ { root: /data, has: ./id } ], id: './id', type: /type } }
  allowed:
    preset: hmac
    secrets: [ file:$home/secret ]
    event: { format: json, id: '{/id}', type: /type, allow: { shop: { at: /shop, values: [ 1, two ], required: true }, url: { at: /url, as: host, values: [ a.example ] } } }
  stray: { preset: hmac, secrets: [ file:$home/secret ], event: { format: json, id: '{/id}', type: /type } }
sinks:
  bus: { kafka: { brokers: [ 'localhost:1' ] } }
  aside: { journal: { dir: $home/aside } }
routes:
  - { match: { source: stray, type: '*.known' }, to: { sink: bus, topic: known } }
  - { match: { type: '*.topic.*' }, to: { sink: bus, topic: 'events.{type}' } }
  - { match: { source: json }, to: { sink: bus, topic: json } }
  - { match: { source: form }, to: { sink: bus, topic: form } }
  - { match: { source: cloud }, to: { sink: bus, topic: cloud } }
  - { match: { source: shaped }, to: { sink: bus, topic: shaped } }
  - { match: { source: allowed }, to: { sink: bus, topic: allowed } }
quarantine: { sink: aside }
";

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const CLOUD: &str = "application/cloudevents+json";

/// A source, the body's media type, the reason, a body that gives it, and what of it makes another body that does not.
type Case = (&'static str, &'static str, Reason, &'static str, [&'static str; 2]);

const CASES: [Case; 31] = [
    ("json", JSON, Reason::Malformed, r#"{"id":"1","type":"t","thing":"a""#, [r#""a""#, r#""a"}"#]),
    ("json", JSON, Reason::Malformed, r#"{"id":"1","type":"t","thing":"a",}"#, [",}", "}"]),
    ("json", JSON, Reason::Malformed, r#"{'id':"1","type":"t","thing":"a"}"#, ["'id'", r#""id""#]),
    ("json", JSON, Reason::Malformed, r#"{"id":"1","type":"t","thing":"a"}{}"#, ["}{}", "}"]),
    ("json", JSON, Reason::Malformed, r#"{"id":"1","type":"t","thing":"a\u0000"}"#, ["\\u0000", ""]),
    (
        "json",
        JSON,
        Reason::Malformed,
        r#"{"id":"1","type":"t","thing":"\ud83d"}"#,
        ["\\ud83d", "\\ud83d\\ude00"],
    ),
    ("json", JSON, Reason::Malformed, r#"{"id":"1","type":"t","thing":"a","n":01}"#, ["01", "0.1"]),
    ("json", JSON, Reason::Malformed, r#"{"id":"1","type":"t","thing":"a","n":NaN}"#, ["NaN", "null"]),
    ("json", JSON, Reason::Unrecognized, r#"{"id":"1","thing":"a"}"#, ["{", r#"{"type":"t","#]),
    ("json", JSON, Reason::Unrecognized, r#"{"id":"1","type":null,"thing":"a"}"#, ["null", r#""t""#]),
    ("json", JSON, Reason::Unrecognized, r#"{"id":"1","type":"t"}"#, ["}", r#","thing":0}"#]),
    ("json", JSON, Reason::Unrecognized, r#"{"id":"","type":"t","thing":"a"}"#, [r#""""#, r#""1""#]),
    ("json", JSON, Reason::Unrecognized, r#"{"id":"1","type":["t"],"thing":"a"}"#, [r#"["t"]"#, r#""t""#]),
    ("json", JSON, Reason::Unrecognized, r#"[{"id":"1","type":"t","thing":"a"}]"#, ["[", " "]),
    (
        "json",
        JSON,
        Reason::Ambiguous,
        r#"{"id":"1","type":"t","thing":"a","thing":"b"}"#,
        [r#","thing":"b""#, ""],
    ),
    (
        "json",
        JSON,
        Reason::Ambiguous,
        r#"{"id":"1","type":"t","thing":"a","\u0069d":"2"}"#,
        ["\\u0069d", "ID"],
    ),
    ("form", FORM, Reason::Unrecognized, "id=1&thing=a", ["id=1", "id=1&type=t"]),
    ("form", FORM, Reason::Unrecognized, "id=1&type=&thing=a", ["type=", "type=t"]),
    ("form", FORM, Reason::Ambiguous, "id=1&type=t&thing=a&thing=b", ["&thing=b", ""]),
    ("form", FORM, Reason::Malformed, "id=1&type=t&thing=%ff", ["%ff", "%c3%bf"]),
    ("form", FORM, Reason::Malformed, "id=1&type=t&thing=a%00", ["%00", ""]),
    (
        "cloud",
        CLOUD,
        Reason::Malformed,
        r#"{"specversion":"1.0","id":"1","source":"/s"}"#,
        ["}", r#","type":"t"}"#],
    ),
    (
        "cloud",
        CLOUD,
        Reason::Malformed,
        r#"{"specversion":"1.0","id":1,"source":"/s","type":"t"}"#,
        [":1,", r#":"1","#],
    ),
    ("shaped", JSON, Reason::Unrecognized, r#"{"type":"t","data":{"no":"1"}}"#, ["no", "id"]),
    ("allowed", JSON, Reason::NotAllowed, r#"{"id":"1","type":"t","shop":3}"#, ["3", "1"]),
    ("allowed", JSON, Reason::NotAllowed, r#"{"id":"1","type":"t"}"#, ["}", r#","shop":"two"}"#]),
    (
        "allowed",
        JSON,
        Reason::NotAllowed,
        r#"{"id":"1","type":"t","shop":1,"url":"https://a.example@b.example/"}"#,
        ["@b.example", ""],
    ),
    ("stray", JSON, Reason::Unrouted, r#"{"id":"1","type":"unknown"}"#, ["unknown", "known"]),
    ("json", JSON, Reason::Unroutable, r#"{"id":"1","type":"topic.ä","thing":"a"}"#, ["ä", "a"]),
    ("json", JSON, Reason::TooLarge, r#"{"id":"1","type":"t","thing":"large"}"#, ["large", "small"]),
    ("json", JSON, Reason::Rejected, r#"{"id":"1","type":"t","thing":"refused"}"#, ["refused", "taken"]),
];

fn request(source: &str, kind: &str, body: &str) -> Vec<u8> {
    let headers = [("x-signature", &*hmac(body.as_bytes())), ("content-type", kind)];
    post(&format!("/hooks/{source}"), &headers, body.as_bytes())
}

/// Has the broker take neither what is large nor what it refuses, where that is the reason.
fn break_broker(bridge: &Bridge, reason: Reason) {
    bridge.sink("bus").becomes(match reason {
        Reason::TooLarge => Fault::Refuses("large"),
        Reason::Rejected => Fault::FailsFor("refused", PublishError::Rejected("planted".to_owned())),
        Reason::Malformed
        | Reason::Unrecognized
        | Reason::Ambiguous
        | Reason::NotAllowed
        | Reason::Unrouted
        | Reason::Unroutable => Fault::None,
    });
}

/// Returns the bytes of an envelope's data.
fn data(stored: &Stored) -> Vec<u8> {
    match stored.envelope["data_base64"].as_str() {
        Some(text) => STANDARD.decode(text).unwrap(),
        None => stored.data().to_vec(),
    }
}

/// Sends one body and returns the answer's status, with what came to the quarantine and how much to the broker.
async fn became(bridge: &Bridge, (source, kind): (&str, &str), body: &str) -> (u16, Vec<Stored>, usize) {
    let before = (bridge.stored("aside").len(), bridge.stored("bus").len());
    let reply = bridge.send(&request(source, kind, body)).await;
    let aside = bridge.stored("aside").split_off(before.0);
    (reply.status, aside, bridge.stored("bus").len() - before.1)
}

#[tokio::test]
async fn each_reason_is_given_for_what_it_says_and_the_body_is_kept() {
    let bridge = Bridge::start(CONFIG).await;
    let count = |labels: &[(&str, &str)]| bridge.count("hookway_events_quarantined_total", labels);
    for (all, (source, kind, reason, body, _)) in (1..).zip(CASES) {
        break_broker(&bridge, reason);
        let before = count(&[("source", source), ("reason", reason.name())]);
        let (status, aside, published) = became(&bridge, (source, kind), body).await;
        assert_eq!((status, aside.len(), published), (200, 1, 0), "{source} {body}");
        let envelope = &aside[0].envelope;
        assert_eq!(envelope["hookwayreason"], reason.name(), "{source} {body}: {envelope}");
        assert!(envelope["hookwaydetail"].as_str().is_some_and(|detail| detail.len() > 8), "{envelope}");
        assert_eq!(data(&aside[0]), body.as_bytes(), "every byte is kept");
        assert_eq!(count(&[("source", source), ("reason", reason.name())]), before + 1, "{source} {body}");
        assert_eq!(count(&[]), all, "{source} {body}: under no other reason");
    }
    assert!(!bridge.logs.text().contains(SECRET));
}

#[tokio::test]
async fn without_what_gave_the_reason_the_same_body_goes_its_way() {
    let bridge = Bridge::start(CONFIG).await;
    let mut wrong = Vec::new();
    for (number, (source, kind, reason, body, [of, to])) in CASES.into_iter().enumerate() {
        break_broker(&bridge, reason);
        assert!(body.contains(of), "{of} is not in {body}");
        let mended = body.replacen(of, to, 1);
        let mended = if of == "[" { mended.replace(']', " ") } else { mended };
        // Some are equal once they are mended, and would be repeats.
        let more = if kind == FORM { format!("&n={number}") } else { " ".repeat(number) };
        let mended = format!("{mended}{more}");
        let (status, aside, published) = became(&bridge, (source, kind), &mended).await;
        if (status, aside.len(), published) != (200, 0, 1) {
            let detail: Vec<&Value> = aside.iter().map(|stored| &stored.envelope["hookwaydetail"]).collect();
            wrong.push(format!("{source} {mended}: {status} {published} {detail:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_reason_there_is_has_a_case() {
    let named: BTreeSet<&str> = CASES.iter().map(|(_, _, reason, ..)| reason.name()).collect();
    let all: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(named, all);
}

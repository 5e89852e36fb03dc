//! What an id is worth: whatever is not the same event arrives, whatever its id says, and what a sender only says again does
//! not. The worst there is is an event that is gone behind a 2xx.

use crate::{
    bridge::Bridge,
    client::{Connection, Reply, post},
    doubles::Fault,
    samples::{SECRET, hmac},
};
use hookway::record::PublishError;
use serde_json::Value;
use std::collections::HashSet;

const CONFIG: &str = "
sources:
  plain: { preset: token, secrets: [ file:$home/secret ] }
  open: { preset: none, event: { object: payment, object_id: 'form:id' } }
  own: { preset: hmac, secrets: [ file:$home/secret ], event: { id: '{/id}' } }
  digest: { preset: hmac, secrets: [ file:$home/secret ], event: { each: /*, id: 'sha256:{sha256}' } }
  slip: { preset: hmac, secrets: [ file:$home/secret ], event: { each: /list/*, id: '{/batch}', key: ./n } }
  header: { preset: hmac, secrets: [ file:$home/secret ], event: { id: 'header:x-id', type: '{header:x-topic}' } }
  cloud: { preset: hmac, secrets: [ file:$home/secret ], event: { format: cloudevents } }
  part:
    preset: hmac
    secrets: [ file:$home/secret ]
    verify: { from: form:mac, header: ~, encoding: hex, message: '{form:token}' }
    event: { format: form, id: 'form:id' }
  unique:
    preset: hmac
    secrets: [ file:$home/secret ]
    event: { id: '{/id|header:x-id}' }
    dedup: { unique: 'https://vendor.test/retries' }
  off: { preset: hmac, secrets: [ file:$home/secret ], event: { id: '{/id}' }, dedup: { window: 0s } }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

const FORM: &str = "application/x-www-form-urlencoded";

fn request(source: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let (signature, token) = (hmac(body.as_bytes()), format!("Bearer {SECRET}"));
    let own = [("x-signature", signature.as_str()), ("authorization", token.as_str())];
    let kind = headers.iter().all(|(name, _)| *name != "content-type");
    let json = kind.then_some(("content-type", "application/json"));
    let all: Vec<_> = own.into_iter().chain(json).chain(headers.iter().copied()).collect();
    post(&format!("/hooks/{source}"), &all, body.as_bytes())
}

async fn send(bridge: &Bridge, source: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let reply = bridge.send(&request(source, headers, body)).await;
    assert_eq!(reply.status, 200, "{source} {body}: {}", reply.body);
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
    reply
}

/// Returns an attribute of all that was published.
fn published(bridge: &Bridge, attribute: &str) -> Vec<Value> {
    assert!(bridge.stored("aside").is_empty());
    bridge.stored("kept").iter().map(|stored| stored.envelope[attribute].clone()).collect()
}

fn suppressed(bridge: &Bridge, source: &str) -> i64 {
    bridge.count("hookway_events_suppressed_total", &[("source", source)])
}

fn conflicts(bridge: &Bridge, source: &str) -> i64 {
    bridge.count("hookway_event_id_conflicts_total", &[("source", source)])
}

#[tokio::test]
async fn equal_bodies_of_a_sender_without_ids_are_as_many_events() {
    let bridge = Bridge::start(CONFIG).await;
    for _ in 0..3 {
        send(&bridge, "plain", &[], r#"{"door":"open"}"#).await;
        send(&bridge, "plain", &[("x-state", "update")], "").await;
        send(&bridge, "open", &[("content-type", FORM)], "id=tr_7").await;
    }
    let ids = published(&bridge, "id");
    let different: HashSet<&str> = ids.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!((ids.len(), different.len()), (9, 9));
}

#[tokio::test]
async fn an_id_that_comes_with_other_bytes_is_published_and_said() {
    let bridge = Bridge::start(CONFIG).await;
    let (first, other) = (r#"{"id":"1","n":1}"#, r#"{"id":"1","n":2}"#);
    for body in [first, other, first, other] {
        assert_eq!(send(&bridge, "own", &[], body).await.event_id(), "1");
    }
    send(&bridge, "own", &[], r#"{"id":"1","n":3}"#).await;
    assert_eq!(published(&bridge, "id"), ["1", "1", "1"]);
    assert_eq!(published(&bridge, "hookwayidconflict"), [Value::Null, true.into(), true.into()]);
    assert_eq!((suppressed(&bridge, "own"), conflicts(&bridge, "own")), (2, 2));
    let lines = bridge.logs.text();
    assert_eq!(lines.matches("two events have one id").count(), 1, "once a minute: {lines}");
}

#[tokio::test]
async fn copies_in_flight_join_their_own_event_and_no_other() {
    let bridge = Bridge::start(CONFIG).await;
    bridge.sink("kept").becomes(Fault::Held);
    let mut copies = Vec::new();
    for n in [1, 2, 1, 2] {
        let mut copy = Connection::open(bridge.address).await;
        copy.send(&request("own", &[], &format!(r#"{{"id":"1","n":{n}}}"#))).await;
        copies.push(copy);
    }
    bridge.until_in_flight(4).await;
    bridge.handed("kept", 2).await;
    for _ in 0..2 {
        bridge.sink("kept").let_one_through();
    }
    for copy in &mut copies {
        assert_eq!(copy.reply().await.unwrap().status, 200);
    }
    assert_eq!((bridge.sink("kept").handed(), suppressed(&bridge, "own")), (2, 2));
}

#[tokio::test]
async fn a_conflict_that_failed_is_published_by_its_retry() {
    let bridge = Bridge::start(CONFIG).await;
    send(&bridge, "own", &[], r#"{"id":"1","n":1}"#).await;
    let other = request("own", &[], r#"{"id":"1","n":2}"#);
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("planted".to_owned())));
    assert_eq!(bridge.send(&other).await.status, 503);
    assert_eq!(conflicts(&bridge, "own"), 0, "nothing was published");
    bridge.sink("kept").becomes(Fault::None);
    for _ in 0..2 {
        assert_eq!(bridge.send(&other).await.status, 200);
    }
    assert_eq!((published(&bridge, "id").len(), conflicts(&bridge, "own")), (2, 1));
}

#[tokio::test]
async fn a_list_whose_elements_share_an_id_loses_none_and_a_retry_adds_none() {
    let bridge = Bridge::start(CONFIG).await;
    let body = r#"{"batch":"b","list":[{"n":1},{"n":2},{"n":3},{"n":2}]}"#;
    let first = send(&bridge, "slip", &[], body).await;
    let again = send(&bridge, "slip", &[], body).await;
    assert_eq!(first.event_id(), again.event_id());
    assert_eq!(published(&bridge, "partitionkey"), ["1", "2", "3"]);
    let ids = published(&bridge, "id");
    assert!(ids.iter().all(|id| id.as_str().unwrap().starts_with("b-")), "{ids:?}");
    assert_eq!((suppressed(&bridge, "slip"), conflicts(&bridge, "slip")), (5, 0));
}

#[tokio::test]
async fn equal_elements_without_ids_arrive_as_often_as_they_stand_there() {
    let bridge = Bridge::start(CONFIG).await;
    for _ in 0..2 {
        send(&bridge, "digest", &[], r#"[{"open":1},{"open":1},{"open":2}]"#).await;
    }
    assert_eq!(published(&bridge, "id").len(), 3);
    // One more of it: the first is a repeat, the third is new.
    send(&bridge, "digest", &[], r#"[{"open":1},{"open":1},{"open":1}]"#).await;
    assert_eq!(published(&bridge, "id").len(), 4);
}

#[tokio::test]
async fn nobody_suppresses_an_event_by_an_id_that_is_not_signed() {
    let bridge = Bridge::start(CONFIG).await;
    // Somebody has one signed body and sends it again under the id of an event to come.
    let (old, genuine) = (r#"{"n":"old"}"#, r#"{"n":"genuine"}"#);
    let cloud = |id| [("ce-specversion", "1.0"), ("ce-id", id), ("ce-source", "/s"), ("ce-type", "t")];
    for (id, body) in [("1", old), ("2", old), ("2", genuine)] {
        send(&bridge, "header", &[("x-id", id), ("x-topic", "t")], body).await;
        send(&bridge, "cloud", &cloud(id), body).await;
        let body = format!("id={id}&n={body}&token=t&mac={}", hmac(b"t"));
        send(&bridge, "part", &[("content-type", FORM)], &body).await;
    }
    let ids = published(&bridge, "id");
    let names: HashSet<(String, String)> = ids
        .iter()
        .zip(published(&bridge, "source"))
        .map(|(id, source)| (source.to_string(), id.to_string()))
        .collect();
    assert_eq!((ids.len(), names.len()), (9, 9), "a forged id is no genuine one's: {ids:?}");
    for (place, id) in ids.iter().enumerate() {
        let (sender, digest) = id.as_str().unwrap().split_once('-').unwrap();
        assert_eq!((sender, digest.len()), (if place < 3 { "1" } else { "2" }, 32), "{id}");
    }
    for source in ["header", "cloud", "part"] {
        assert_eq!((suppressed(&bridge, source), conflicts(&bridge, source)), (0, 0), "{source}");
    }
}

#[tokio::test]
async fn another_name_of_the_same_bytes_is_another_event() {
    let bridge = Bridge::start(CONFIG).await;
    for topic in ["orders/create", "orders/paid", "orders/create"] {
        send(&bridge, "header", &[("x-id", "one-action"), ("x-topic", topic)], r#"{"id":9}"#).await;
    }
    let cloud = |kind| [("content-type", "application/cloudevents+json"), ("x-body", kind)];
    for kind in ["made", "paid", "made"] {
        let body = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"{kind}","data":1}}"#);
        send(&bridge, "cloud", &cloud(kind), &body).await;
    }
    assert_eq!(published(&bridge, "type").len(), 4);
    assert_eq!((conflicts(&bridge, "header"), conflicts(&bridge, "cloud")), (1, 1));
}

#[tokio::test]
async fn an_id_that_is_stated_to_be_unique_decides_alone_where_it_is_signed() {
    let bridge = Bridge::start(CONFIG).await;
    for attempt in 1..=3 {
        send(&bridge, "unique", &[], &format!(r#"{{"id":"1","attempt":{attempt}}}"#)).await;
        send(&bridge, "unique", &[("x-id", "7")], &format!(r#"{{"attempt":{attempt}}}"#)).await;
    }
    let ids = published(&bridge, "id");
    assert_eq!((ids.len(), &ids[0]), (4, &Value::from("1")), "{ids:?}");
    assert_eq!((suppressed(&bridge, "unique"), conflicts(&bridge, "unique")), (2, 0));
}

#[tokio::test]
async fn where_the_operator_wants_no_repeats_recognised_none_is() {
    let bridge = Bridge::start(CONFIG).await;
    for _ in 0..3 {
        send(&bridge, "off", &[], r#"{"id":"1"}"#).await;
    }
    assert_eq!(published(&bridge, "id"), ["1", "1", "1"]);
    assert_eq!((suppressed(&bridge, "off"), conflicts(&bridge, "off")), (0, 0));
}

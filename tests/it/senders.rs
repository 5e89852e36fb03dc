//! The documented requests of the first three senders, each held to the event it must become. A case is a folder
//! `tests/fixtures/senders/<sender>/<case>/` with the request's bytes and either the envelope or the reason why
//! it is quarantined.

use crate::{
    bridge::Bridge,
    samples::{likemagic, likemagic_body},
    stored::Stored,
};
use serde_json::Value;
use std::{fs, path::Path};

const CONFIG: &str = "
sources:
  hotel: { preset: likemagic, secrets: [ file:$fixtures/likemagic/secret ] }
  units: { preset: propexo, secrets: [ file:$fixtures/propexo/secret ] }
  rooms: { preset: syncaroo, secrets: [ file:$fixtures/syncaroo/secret ], verify: { algorithm: hmac-sha256 } }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/senders");

/// Sends every case of a sender and compares what is stored; `least` is how many cases there are.
async fn replay(sender: &str, least: usize) {
    let bridge = Bridge::start(&CONFIG.replace("$fixtures", FIXTURES)).await;
    let (mut kept, mut aside) = (0, 0);
    let folder = Path::new(FIXTURES).join(sender);
    let mut cases: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The folder also holds what `presets` makes of the samples, at a time of its own.
    let is_documented =
        |path: &Path| path.join("expected.event.json").exists() || path.join("expected.reason").exists();
    cases.retain(|path| is_documented(path));
    cases.sort();
    assert!(cases.len() >= least, "{sender} has {} cases", cases.len());
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let request = fs::read(case.join("request.http")).unwrap();
        let reply = bridge.send(&request).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.body);
        let (published, quarantined) = (bridge.stored("kept"), bridge.stored("aside"));
        let reason = fs::read_to_string(case.join("expected.reason")).ok();
        let stored = if let Some(reason) = reason {
            aside += 1;
            let stored = quarantined.last().unwrap_or_else(|| panic!("{name} is not in the quarantine"));
            assert_eq!(stored.envelope["hookwayreason"], reason.trim(), "{name}: {}", stored.envelope);
            stored
        } else {
            kept += 1;
            let stored = published.last().unwrap_or_else(|| panic!("{name} was not published"));
            let expected = fs::read_to_string(case.join("expected.event.json")).unwrap();
            compare(&name, stored, &serde_json::from_str(&expected).unwrap());
            stored
        };
        assert_eq!((published.len(), quarantined.len()), (kept, aside), "{name}: one event, in its place");
        assert_eq!(reply.event_id(), stored.envelope["id"], "{name}");
        keeps_the_body(&name, stored, &request);
    }
    bridge.finish().await;
}

/// Holds an envelope to what a case expects: all attributes and no others. `$recorded` and `$uuid` stand for what
/// differs from run to run.
fn compare(case: &str, stored: &Stored, expected: &Value) {
    let mut found = stored.envelope.as_object().unwrap().clone();
    let recorded = found.remove("recordedtime").unwrap();
    assert_eq!(found.remove("hookwayreplica").unwrap(), "node-1");
    found.remove("data").unwrap();
    let key = found.get("partitionkey").and_then(Value::as_str);
    assert_eq!(stored.record.key.as_deref(), key, "{case}: the record's key is the envelope's");
    let mut expected = expected.as_object().unwrap().clone();
    for (name, value) in &mut expected {
        match value.as_str() {
            Some("$recorded") => value.clone_from(&recorded),
            Some("$uuid") => {
                let id = uuid::Uuid::parse_str(found[name].as_str().unwrap()).unwrap();
                assert_eq!(id.get_version_num(), 7, "{case}");
                value.clone_from(&found[name]);
            }
            _ => {}
        }
    }
    assert_eq!(Value::Object(found), Value::Object(expected), "{case}");
}

fn keeps_the_body(case: &str, stored: &Stored, request: &[u8]) {
    let at = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let body = &request[at..];
    match stored.envelope["data_base64"].as_str() {
        Some(encoded) => {
            use base64::Engine as _;
            assert_eq!(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap(), body, "{case}");
        }
        None if body.is_empty() => assert!(stored.envelope.get("data").is_none(), "{case}"),
        // A byte order mark is no JSON, and stands in binary records alone.
        None => assert_eq!(
            stored.data(),
            body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body),
            "{case}: byte for byte"
        ),
    }
}

#[tokio::test]
async fn like_magic_events_become_what_its_documents_say() {
    replay("likemagic", 39).await;
}

#[tokio::test]
async fn propexo_events_become_what_its_documents_say() {
    replay("propexo", 25).await;
}

#[tokio::test]
async fn syncaroo_events_become_what_its_documents_say() {
    replay("syncaroo", 15).await;
}

/// All 54 topics of LIKE MAGIC's model page by the object they are about, and the two that only its guide names.
const TOPICS: [(&str, &[&str]); 13] = [
    ("ACCOUNT", &["ACCOUNT_NOTIFICATION_FAILED", "ACCOUNT_NOTIFICATION_SENT"]),
    (
        "BOOKING",
        &[
            "BOOKING_CREATED",
            "BOOKING_UPDATED",
            "BOOKING_IBE_SUCCESS",
            "BOOKING_IBE_FAILED",
            "BOOKING_NOTIFICATION_SENT",
            "BOOKING_NOTIFICATION_FAILED",
        ],
    ),
    ("CONVERSATION", &["CONVERSATION_CREATED", "CONVERSATION_RESOLVED", "CONVERSATION_UPDATED"]),
    ("FOLIO", &["FOLIO_CREATED", "FOLIO_UPDATED"]),
    ("GATEWAY", &["GATEWAY_CONNECTION_LOST", "GATEWAY_CONNECTION_RESTORED"]),
    ("LOCK", &["DOOR_OPEN_FAILED", "DOOR_OPEN_SUCCESS", "LOCK_CONNECTION_LOST", "LOCK_CONNECTION_RESTORED"]),
    (
        "MAGIC_PROMO_CODE",
        &[
            "MAGIC_PROMO_CODE_CREATED",
            "MAGIC_PROMO_CODE_DELETED",
            "MAGIC_PROMO_CODE_UPDATED",
            "MAGIC_PROMO_CODE_USED",
        ],
    ),
    ("MESSAGE", &["MESSAGE_FAILED", "MESSAGE_INTERACTION", "MESSAGE_RECEIVED", "MESSAGE_SENT"]),
    ("PROFILE", &["PROFILE_CREATED", "PROFILE_LANGUAGE_UPDATED", "PROFILE_MERGED", "PROFILE_UPDATED"]),
    (
        "RESERVATION",
        &[
            "RESERVATION_CREATED",
            "RESERVATION_UPDATED",
            "RESERVATION_CONDITION_UPDATED",
            "RESERVATION_CHECKED_IN",
            "RESERVATION_CHECKED_OUT",
            "RESERVATION_CANCELLED",
            "RESERVATION_NO_SHOW",
            "RESERVATION_PRECHECKIN_FLOW_CHANGED",
            "RESERVATION_PRECHECKIN_FLOW_COMPLETED",
            "RESERVATION_PRECHECKOUT_FLOW_CHANGED",
            "RESERVATION_PRECHECKOUT_FLOW_COMPLETED",
            "RESERVATION_DOOR_ACCESS_SYNC_SUCCESS",
            "RESERVATION_DOOR_ACCESS_SYNC_FAILED",
            "RESERVATION_DOOR_OPEN_FAILED",
            "RESERVATION_DOOR_OPEN_SUCCESS",
            "RESERVATION_ACTION_SUCCESS",
            "RESERVATION_ACTION_FAILED",
            "RESERVATION_NOTIFICATION_SENT",
            "RESERVATION_NOTIFICATION_FAILED",
        ],
    ),
    ("TASK", &["TASK_CREATED", "TASK_UPDATED", "TASK_COMPLETED"]),
    ("TENANT_CONFIG", &["TENANT_CONFIG_UPDATED"]),
    ("UNIT", &["UNIT_CREATED", "UNIT_UPDATED"]),
];

#[tokio::test]
async fn every_like_magic_topic_keeps_its_name_and_object() {
    let bridge = Bridge::ordinary().await;
    let mut sent = Vec::new();
    for (object, topic) in
        TOPICS.iter().flat_map(|(object, topics)| topics.iter().map(move |topic| (object, topic)))
    {
        let body = likemagic_body(&format!("id-{topic}"), "o 1")
            .replace("RESERVATION_UPDATED", topic)
            .replace("\"RESERVATION\"", &format!("\"{object}\""));
        assert_eq!(bridge.send(&likemagic(&body)).await.status, 200, "{topic}");
        sent.push((format!("tech.likemagic.{topic}"), format!("{object}/o 1"), format!("{object}:o 1")));
    }
    assert_eq!(sent.len(), 56);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let stored = bridge.stored("kept").into_iter().map(|stored| {
        let envelope = stored.envelope;
        (text(&envelope["type"]), text(&envelope["subject"]), text(&envelope["partitionkey"]))
    });
    assert_eq!(stored.collect::<Vec<_>>(), sent);
}

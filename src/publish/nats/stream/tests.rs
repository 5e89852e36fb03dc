//! Streams as the server describes them, and what is said of each.

use super::*;
use serde_json::{Value, json};

/// Returns what is said of a stream with these settings beside the ordinary ones, all in one text, and its durability.
fn said(settings: Value, state: Value) -> (Result<String, String>, u8) {
    let mut config = json!({
        "name": "EVENTS", "subjects": ["events.>"], "retention": "limits", "max_consumers": -1, "max_msgs": -1,
        "max_bytes": -1, "max_age": 0, "max_msgs_per_subject": -1, "max_msg_size": -1, "discard": "old",
        "storage": "file", "num_replicas": 3, "duplicate_window": 120_000_000_000_u64,
    });
    let mut now = json!({ "messages": 0, "bytes": 0, "first_seq": 0, "first_ts": "2026-01-01T00:00:00Z",
        "last_seq": 0, "last_ts": "2026-01-01T00:00:00Z", "consumer_count": 0 });
    for (all, more) in [(&mut config, settings), (&mut now, state)] {
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    let info = json!({ "config": config, "created": "2026-01-01T00:00:00Z", "state": now,
        "ts": "2026-01-01T00:00:00Z" });
    let mut prepared = Prepared::default();
    let judged = judge(&serde_json::from_value(info).unwrap(), &mut prepared);
    let text = prepared.warnings.join("\n");
    (judged.map(|()| text).map_err(|error| error.to_string()), prepared.durability)
}

#[test]
fn a_stream_of_three_replicas_without_limits_has_no_weakness() {
    assert_eq!(said(json!({}), json!({})), (Ok(String::new()), 2));
    let (work_queue, durability) = said(json!({ "retention": "workqueue" }), json!({}));
    assert_eq!((work_queue.as_deref(), durability), (Ok(""), 2), "an event stands there until it is taken");
}

#[test]
fn each_setting_that_makes_an_ack_worth_less_is_said() {
    for (settings, expected, durability) in [
        (json!({ "retention": "interest" }), "`retention: interest`", 0),
        (json!({ "storage": "memory" }), "lives in memory", 0),
        (json!({ "num_replicas": 1 }), "one replica", 1),
        (json!({ "max_msgs": 10 }), "drops its oldest", 2),
        (json!({ "max_bytes": 10 }), "drops its oldest", 2),
        (json!({ "max_msgs_per_subject": 1 }), "the last 1 events of each subject", 2),
        (
            json!({ "max_msgs_per_subject": 1, "discard": "new", "discard_new_per_subject": true }),
            "refuses an event whose subject has 1",
            2,
        ),
        (json!({ "max_age": 60_000_000_000_u64 }), "deletes events after 60s", 2),
        (json!({ "duplicate_window": 1_000_000_000 }), "remembers ids for 1s only", 2),
        (json!({ "allow_rollup_hdrs": true }), "`allow_rollup_hdrs`", 2),
    ] {
        let (text, found) = said(settings.clone(), json!({}));
        let text = text.unwrap();
        assert!(text.contains(expected) && text.lines().count() == 1, "{settings}: {text:?}");
        assert_eq!(found, durability, "{settings}");
    }
}

#[test]
fn a_stream_that_is_full_is_said_to_be() {
    let settings = json!({ "max_msgs": 10, "discard": "new" });
    assert_eq!(said(settings.clone(), json!({ "messages": 9 })).0.unwrap(), "");
    assert!(said(settings, json!({ "messages": 10 })).0.unwrap().contains("is full"));
}

#[test]
fn a_stream_whose_ack_proves_nothing_or_that_takes_nothing_is_refused() {
    for (settings, expected) in [
        (json!({ "no_ack": true }), "`no_ack`"),
        (json!({ "persist_mode": "async" }), "`persist_mode: async`"),
        (json!({ "sealed": true }), "sealed"),
        (json!({ "mirror": { "name": "ORIGIN" } }), "is a mirror"),
        (json!({ "allow_msg_counter": true }), "`allow_msg_counter`"),
    ] {
        let (text, _) = said(settings.clone(), json!({}));
        assert!(text.as_ref().unwrap_err().contains(expected), "{settings}: {text:?}");
    }
}

#[test]
fn subjects_match_as_the_server_matches() {
    assert!(takes("a.>", "a.b.c"));
    assert!(takes("a.*.c", "a.b.c"));
    assert!(takes("a.b", "a.b"));
    assert!(!takes("a.>", "a"));
    assert!(!takes("a.*", "a.b.c"));
    assert!(!takes("a.b.c", "a.b"));
}

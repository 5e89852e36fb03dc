//! A sender that speaks CloudEvents itself: its events keep their own attributes, in each of the three modes.

use crate::{bridge::Bridge, client::post, samples::hmac, stored::Stored};
use serde_json::{Value, json};

const CONFIG: &str = "
sources:
  grid: { preset: hmac, secrets: [ file:$home/secret ], event: { format: cloudevents } }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: grid, type: 'test.*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

async fn send(bridge: &Bridge, headers: &[(&str, &str)], body: &str) -> String {
    let signature = hmac(body.as_bytes());
    let all: Vec<_> = headers.iter().copied().chain([("x-signature", signature.as_str())]).collect();
    let reply = bridge.send(&post("/hooks/grid", &all, body.as_bytes())).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.event_id().to_owned()
}

/// Takes out what is ours and differs from run to run.
fn own(envelope: &Value) -> Value {
    let mut envelope = envelope.as_object().unwrap().clone();
    for name in ["recordedtime", "hookwayreplica", "hookwaypath", "hookwaysource", "specversion"] {
        assert!(envelope.remove(name).is_some(), "{name}");
    }
    Value::Object(envelope)
}

#[tokio::test]
async fn an_event_in_a_document_keeps_its_attributes() {
    let bridge = Bridge::start(CONFIG).await;
    let event = r#"{"specversion":"1.0","id":"e1","source":"https://grid.test/7","type":"test.made","subject":"door/7",
        "time":"2025-11-03T14:02:11Z","dataschema":"urn:schema:1","datacontenttype":"application/json","tier":"gold",
        "tries":2,"dry":true,"hookwayverified":"none","data":{"n": 1.10}}"#;
    let headers = [("content-type", "application/cloudevents+json")];
    assert_eq!(send(&bridge, &headers, event).await, "e1");
    assert_eq!(send(&bridge, &headers, event).await, "e1");
    let kept = bridge.stored("kept");
    assert_eq!(kept.len(), 1, "its own id tells a repeat");
    let expected = json!({
        "id": "e1", "source": "https://grid.test/7", "type": "test.made", "subject": "door/7",
        "time": "2025-11-03T14:02:11Z", "dataschema": "urn:schema:1", "datacontenttype": "application/json",
        "partitionkey": "door/7", "hookwayverified": "signature", "tier": "gold", "tries": 2, "dry": true,
        "data": { "n": 1.1 },
    });
    assert_eq!(own(&kept[0].envelope), expected);
    assert_eq!(kept[0].data(), br#"{"n": 1.10}"#);
    assert_eq!(kept[0].record.key.as_deref(), Some("door/7"));
}

#[tokio::test]
async fn a_batch_is_as_many_events_and_a_wrong_one_goes_aside_alone() {
    let bridge = Bridge::start(CONFIG).await;
    let event = |id: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/g","type":"test.made","partitionkey":"k","data":"{id}"}}"#
        )
    };
    let body = format!(r#"[{},{{"specversion":"1.0","id":"x"}},{}]"#, event("1"), event("2"));
    send(&bridge, &[("content-type", "application/cloudevents-batch+json")], &body).await;
    let kept = bridge.stored("kept");
    assert_eq!(kept.iter().map(Stored::data).collect::<Vec<_>>(), [b"\"1\"", b"\"2\""]);
    let aside = bridge.stored("aside");
    assert_eq!(aside[0].envelope["hookwayreason"], "malformed");
    assert_eq!(aside[0].envelope["hookwaydetail"], "the event has no source, which every CloudEvent has");
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
}

#[tokio::test]
async fn an_event_in_headers_keeps_its_body() {
    let bridge = Bridge::start(CONFIG).await;
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "b1"),
        ("ce-source", "/g"),
        ("ce-type", "test.made"),
        ("ce-subject", "caf%C3%A9"),
        ("ce-tries", "2"),
        ("content-type", "text/plain"),
    ];
    send(&bridge, &headers, "plain").await;
    let expected = json!({
        "id": "b1-a116c9ed46d6207734a43317d30fd88f", "source": "/g", "type": "test.made", "subject": "café", "partitionkey": "café",
        "datacontenttype": "text/plain", "hookwayverified": "signature", "typeunsigned": true, "tries": "2",
        "timesource": "receipt", "data_base64": "cGxhaW4=",
    });
    let mut found = own(&bridge.stored("kept")[0].envelope);
    assert!(found.as_object_mut().unwrap().remove("time").is_some());
    assert_eq!(found, expected);
}

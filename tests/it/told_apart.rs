//! Senders whose ids alone do not name an event: what is new arrives, and what is only sent again does not.

use crate::{
    bridge::Bridge,
    client::post,
    samples::{SECRET, hmac},
};
use serde_json::{Value, json};
use std::collections::HashSet;

const CONFIG: &str = "
sources:
  grid: { preset: azure-event-grid, secrets: [ file:$home/secret ] }
  adyen:
    preset: adyen
    secrets: [ file:$home/secret ]
    verify: { each: ~, from: ~, header: x-signature, encoding: hex, key: utf8, message: '{body}' }
  coinbase: { preset: coinbase-commerce, secrets: [ file:$home/secret ], verify: { header: x-signature } }
  logins: { preset: auth0, secrets: [ file:$home/secret ] }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

async fn send(bridge: &Bridge, path: &str, body: &Value) {
    let body = body.to_string();
    let signature = hmac(body.as_bytes());
    let headers =
        [("content-type", "application/json"), ("x-signature", &signature), ("authorization", SECRET)];
    let reply = bridge.send(&post(path, &headers, body.as_bytes())).await;
    assert_eq!(reply.status, 200);
}

/// Returns ids and keys of all that was published.
fn published(bridge: &Bridge) -> (HashSet<String>, Vec<String>) {
    assert_eq!(bridge.stored("aside").len(), 0);
    let stored = bridge.stored("kept");
    let of = |name: &str| -> Vec<String> {
        stored.iter().map(|it| it.envelope[name].as_str().unwrap_or_default().to_owned()).collect()
    };
    (of("id").into_iter().collect(), of("partitionkey"))
}

#[tokio::test]
async fn events_that_publishers_of_event_grid_give_one_id_arrive() {
    let bridge = Bridge::start(CONFIG).await;
    let event = |topic: &str, n: u8| {
        json!([{ "topic": topic, "subject": "devices/d1", "eventType": "Telemetry", "id": "1001",
        "eventTime": "2026-11-27T10:00:00Z", "data": { "n": n } }])
    };
    let path = format!("/hooks/grid?code={SECRET}");
    for event in [event("/a", 1), event("/a", 2), event("/b", 2), event("/b", 2)] {
        send(&bridge, &path, &event).await;
    }
    let (ids, keys) = published(&bridge);
    assert_eq!(keys, ["resource:/a:devices/d1", "resource:/a:devices/d1", "resource:/b:devices/d1"]);
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_later_report_of_adyen_under_the_same_reference_arrives() {
    let bridge = Bridge::start(CONFIG).await;
    let report = |reference: &str, reason: &str| {
        let item = json!({ "pspReference": reference, "originalReference": "", "eventCode": "AUTHORISATION", "success": "true",
            "merchantAccountCode": "Acme", "eventDate": "2026-11-27T10:00:00+01:00", "reason": reason });
        json!({ "live": "false", "notificationItems": [{ "NotificationRequestItem": item }] })
    };
    for report in [report("7", ""), report("7", "083412:1111:03/2030"), report("7", ""), report("8", "")] {
        send(&bridge, "/hooks/adyen", &report).await;
    }
    let (ids, keys) = published(&bridge);
    assert_eq!(keys, ["payment:7", "payment:7", "payment:8"]);
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_further_try_is_a_repeat_though_coinbase_counts_it() {
    let bridge = Bridge::start(CONFIG).await;
    for attempt in [1, 2] {
        let event = json!({ "id": "e1", "type": "charge:pending", "data": { "code": "66BEOV2A" } });
        send(&bridge, "/hooks/coinbase", &json!({ "attempt_number": attempt, "event": event })).await;
    }
    assert_eq!(published(&bridge).1, ["charge:66BEOV2A"]);
}

#[tokio::test]
async fn a_login_without_an_id_is_never_a_repeat_nor_a_user_without_a_name() {
    let bridge = Bridge::start(CONFIG).await;
    let login = json!([{ "data": { "type": "f", "client_id": "c1", "user_id": "" } }]);
    for _ in 0..2 {
        send(&bridge, "/hooks/logins", &login).await;
    }
    let (ids, keys) = published(&bridge);
    assert_eq!((ids.len(), keys), (2, vec!["client:c1".to_owned(); 2]));
}

//! Senders whose ids name more than one event, or one event in several forms: what differs arrives, and what a sender only
//! says again does not.

use crate::{bridge::Bridge, client::post, samples::hmac};
use serde_json::{Value, json};
use std::collections::HashSet;

const CONFIG: &str = "
sources:
  whatsapp:
    preset: whatsapp
    secrets: [ file:$home/secret ]
    params: { verify_token: fixture-verify-token }
  page: { preset: meta, secrets: [ file:$home/secret ], params: { verify_token: fixture-verify-token } }
  notion: { preset: notion, secrets: [ file:$home/secret ] }
  hubspot:
    preset: hubspot
    secrets: [ file:$home/secret ]
    verify: { header: x-signature, encoding: hex, message: '{body}', timestamp: ~ }
  shopify: { preset: shopify, secrets: [ file:$home/secret ], verify: { header: x-signature, encoding: hex } }
  square: { preset: square, secrets: [ file:$home/secret ], verify: { header: x-signature, encoding: hex, message: '{body}' } }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

async fn send(bridge: &Bridge, source: &str, topic: &str, body: &Value) {
    let body = body.to_string();
    let signature = hmac(body.as_bytes());
    let prefixed = format!("sha256={signature}");
    let headers = [
        ("content-type", "application/json"),
        ("x-signature", signature.as_str()),
        ("x-hub-signature-256", prefixed.as_str()),
        ("x-notion-signature", prefixed.as_str()),
        ("x-shopify-topic", topic),
        ("x-shopify-event-id", "one-action"),
    ];
    let reply = bridge.send(&post(&format!("/hooks/{source}"), &headers, body.as_bytes())).await;
    assert_eq!(reply.status, 200);
}

/// Returns id and key of all that was published.
fn published(bridge: &Bridge) -> Vec<(String, String)> {
    let text = |envelope: &Value, name: &str| envelope[name].as_str().unwrap_or_default().to_owned();
    let stored = bridge.stored("kept");
    assert_eq!(bridge.stored("aside").len(), 0);
    stored.iter().map(|it| (text(&it.envelope, "id"), text(&it.envelope, "partitionkey"))).collect()
}

fn whatsapp(value: &Value) -> Value {
    let mut value = value.clone();
    value["metadata"] = json!({ "display_phone_number": "1", "phone_number_id": "P1" });
    let changes = json!([{ "field": "messages", "value": value }]);
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "W1", "time": 1_764_237_600, "changes": changes }] })
}

fn message(id: &str, from: &str) -> Value {
    json!({ "from": from, "id": id, "timestamp": "1764237600", "type": "text", "text": { "body": "x" } })
}

fn status(id: &str, status: &str, at: &str) -> Value {
    json!({ "id": id, "status": status, "timestamp": at, "recipient_id": "50" })
}

#[tokio::test]
async fn each_message_and_each_status_of_whatsapp_arrives_once() {
    let bridge = Bridge::start(CONFIG).await;
    let (first, second) = (message("m1", "49"), message("m2", "77"));
    let (sent, read) = (status("s1", "sent", "10"), status("s1", "read", "11"));
    for value in [
        json!({ "messages": [first] }),
        json!({ "messages": [first, second] }),
        json!({ "statuses": [sent] }),
        json!({ "statuses": [sent, read] }),
    ] {
        send(&bridge, "whatsapp", "", &whatsapp(&value)).await;
    }
    let expected = [
        ("m1", "conversation:P1:49"),
        ("m2", "conversation:P1:77"),
        ("s1:sent:10", "conversation:P1:50"),
        ("s1:read:11", "conversation:P1:50"),
    ];
    assert_eq!(published(&bridge), expected.map(|(id, key)| (id.to_owned(), key.to_owned())));
    let alone = whatsapp(&json!({ "messages": [second] }))["entry"][0]["changes"][0].to_string();
    assert_eq!(bridge.stored("kept")[1].data(), alone.as_bytes(), "what the messages share stays with each");
}

#[tokio::test]
async fn events_of_one_action_arrive_though_hubspot_gives_them_one_id() {
    let bridge = Bridge::start(CONFIG).await;
    let of = |kind: &str, rest: Value| {
        let mut event = json!({ "eventId": 1, "subscriptionId": 2, "portalId": 3, "occurredAt": 1_764_237_600_000_u64,
            "subscriptionType": kind, "attemptNumber": 0 });
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event
    };
    let body = json!([
        of("contact.creation", json!({ "objectId": 77 })),
        of("deal.creation", json!({ "objectId": 77 })),
        of(
            "contact.associationChange",
            json!({ "fromObjectId": 77, "toObjectId": 77, "associationType": "CONTACT_TO_DEAL" })
        ),
        of(
            "contact.associationChange",
            json!({ "fromObjectId": 77, "toObjectId": 78, "associationType": "CONTACT_TO_DEAL" })
        ),
        of("object.propertyChange", json!({ "objectId": 77, "objectTypeId": "0-1", "propertyName": "a" })),
        of("object.propertyChange", json!({ "objectId": 77, "objectTypeId": "0-1", "propertyName": "b" })),
    ]);
    send(&bridge, "hubspot", "", &body).await;
    send(&bridge, "hubspot", "", &body).await;
    let published = published(&bridge);
    // Of two objects, each has its order; between them there is none.
    let of_object = |key: &str| -> Vec<Value> {
        let stored = bridge.stored("kept");
        stored
            .iter()
            .map(|it| &it.envelope)
            .filter(|it| it["partitionkey"] == key)
            .map(|it| it["data"].clone())
            .collect()
    };
    let deal = body[1].clone();
    let contact: Vec<Value> =
        body.as_array().unwrap().iter().filter(|event| **event != deal).cloned().collect();
    assert_eq!(of_object("0-3:3:77"), [deal]);
    assert_eq!(of_object("0-1:3:77"), contact);
    let ids: HashSet<&str> = published.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids.len(), published.len());
}

#[tokio::test]
async fn topics_of_one_action_arrive_though_shopify_gives_them_one_id() {
    let bridge = Bridge::start(CONFIG).await;
    for topic in ["orders/create", "orders/paid", "orders/create"] {
        send(&bridge, "shopify", topic, &json!({ "id": 9, "total_price": "42.00" })).await;
    }
    let published = published(&bridge);
    assert_eq!(published.len(), 2);
    assert_ne!(published[0].0, published[1].0);
}

#[tokio::test]
async fn a_further_try_is_a_repeat_though_notion_counts_it() {
    let bridge = Bridge::start(CONFIG).await;
    for attempt in [1, 2] {
        let entity = json!({ "id": "p", "type": "page" });
        let body = json!({ "id": "e1", "type": "page.created", "attempt_number": attempt, "entity": entity });
        send(&bridge, "notion", "", &body).await;
    }
    assert_eq!(published(&bridge), [("e1".to_owned(), "page:p".to_owned())]);
}

#[tokio::test]
async fn no_list_of_an_entry_hides_another() {
    let bridge = Bridge::start(CONFIG).await;
    let said = |text: &str| json!({ "timestamp": 1_764_237_600_123_u64, "message": { "mid": text } });
    let change = json!({ "field": "feed", "value": { "item": "like" } });
    let entry = |at: u64| json!({ "id": "P", "time": at, "changes": [change], "messaging": [said("a"), said("b")], "standby": [said("c")] });
    send(
        &bridge,
        "page",
        "",
        &json!({ "object": "page", "entry": [entry(1_764_237_600), entry(1_764_237_601)] }),
    )
    .await;
    // The same change a second later is another one; a message is the same whenever it is told.
    assert_eq!(published(&bridge).len(), 5);
}

#[tokio::test]
async fn each_count_of_square_has_the_key_of_its_item() {
    let bridge = Bridge::start(CONFIG).await;
    let count = |item: &str| json!({ "catalog_object_id": item, "location_id": "L", "quantity": "1" });
    for (event, id) in [("e1", "u1"), ("e2", "u2")] {
        let data = json!({ "type": "inventory_counts", "id": id, "object": { "inventory_counts": [count("A"), count("B")] } });
        send(
            &bridge,
            "square",
            "",
            &json!({ "event_id": event, "type": "inventory.count.updated", "data": data }),
        )
        .await;
    }
    let published = published(&bridge);
    let keys: Vec<&str> = published.iter().map(|(_, key)| key.as_str()).collect();
    let (a, b) = ("inventory_count:A:L", "inventory_count:B:L");
    assert!(
        keys.iter().filter(|key| **key == a).count() == 2
            && keys.iter().filter(|key| **key == b).count() == 2
    );
}

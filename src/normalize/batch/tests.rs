//! Each element of a body is an event of its own; what is wrong with one is no other's fault.

use crate::{
    event::{
        Event, Identity, Reason,
        envelope::{self, Origin},
    },
    normalize::{
        Normalizer,
        tests::{delivery, normalizer, reason},
    },
};
use proptest::prelude::*;
use serde_json::{json, value::RawValue};
use std::collections::BTreeMap;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn events(normalizer: &Normalizer, body: &str) -> Vec<Event> {
    normalizer.normalize(&delivery(body.as_bytes(), JSON))
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}

/// Returns the hex SHA-256 of a text.
fn digest(text: &str) -> String {
    crate::normalize::values::sha256_hex(text.as_bytes())
}

fn mails() -> serde_json::Value {
    json!({
        "format": "json", "each": "/*", "type": "./event", "object": "mail", "object_id": "./mail",
        "id": "{./id}", "time": "./at",
    })
}

#[test]
fn each_element_has_its_own_attributes_and_bytes() {
    let body =
        r#"[ {"event":"sent","mail":"m1","id":"a","at":1700000000},{"event":"read" ,"mail":"m2","id":"b"} ]"#;
    let events = events(&normalizer(mails()), body);
    assert_eq!(ids(&events), ["a", "b"]);
    assert_eq!((events[0].kind.as_str(), events[0].key.as_deref()), ("sent", Some("mail:m1")));
    assert_eq!((events[1].kind.as_str(), events[1].key.as_deref()), ("read", Some("mail:m2")));
    assert_eq!(events[0].time.as_ref().unwrap().text, "2023-11-14T22:13:20Z");
    assert!(events[1].time.is_none());
    assert_eq!(&events[1].data[..], br#"{"event":"read" ,"mail":"m2","id":"b"}"#);
    assert!(
        events.iter().all(|event| event.data_is_json
            && event.identity == Identity::Bytes
            && event.quarantine.is_none())
    );
}

#[test]
fn items_of_the_lists_of_a_body_are_events_with_what_they_share() {
    let spec = json!({
        "one_of": ["/told", "/read"], "type": "/type", "id": "{/id}",
        "object": "mail", "object_id": "{/box}:{./told/0/to|./read/0}",
    });
    let body = r#"{"type":"mail","id":"1","box":7,"told":[{"to":"a"},{"to":"b"}],"read":["c"]}"#;
    let events = events(&normalizer(spec), body);
    let keys: Vec<_> = events.iter().filter_map(|event| event.key.as_deref()).collect();
    assert_eq!(keys, ["mail:7:a", "mail:7:b", "mail:7:c"]);
    assert_eq!(&events[1].data[..], br#"{"type":"mail","id":"1","box":7,"told":[{"to":"b"}],"read":[]}"#);
    let digests = events.iter().map(|event| digest(std::str::from_utf8(&event.data).unwrap()));
    let ids = digests.map(|digest| format!("1-{}", digest.get(..32).unwrap()));
    assert!(ids.eq(events.iter().map(|event| event.id.clone())));
}

#[test]
fn an_element_is_a_slice_of_the_body_and_no_copy() {
    let delivery = delivery(br#"[{"event":"sent","mail":"m1","id":"a"}]"#, JSON);
    let events = normalizer(mails()).normalize(&delivery);
    assert_eq!(events[0].data.as_ptr(), delivery.request().body[1..].as_ptr());
}

#[test]
fn what_is_wrong_with_one_element_is_no_others_fault() {
    let body = r#"[{"event":"sent","mail":"m1","id":"a"},{"mail":"m2"},7,
        {"event":"read","mail":"m3","id":"c","id":"d"},{"event":"read","mail":"m4","id":"e"}]"#;
    let events = events(&normalizer(mails()), body);
    let reasons: Vec<_> = events.iter().map(reason).collect();
    let (lost, twice) = (Some(Reason::Unrecognized), Some(Reason::Ambiguous));
    assert_eq!(reasons, [None, lost, lost, twice, None]);
    let of_body = |index| format!("sha256:{}/{index}", digest(body));
    assert_eq!(ids(&events), ["a", &of_body(1), &of_body(2), &of_body(3), "e"]);
    assert_eq!(&events[1].data[..], br#"{"mail":"m2"}"#, "only its own bytes are put aside");
    assert!(
        events.iter().all(|event| event.identity == Identity::Bytes),
        "a retry of the same body repeats each"
    );
    let mut minted = mails();
    minted["id"] = json!("{uuid}");
    let minted = self::events(&normalizer(minted), body);
    assert!(
        minted.iter().all(|event| event.identity == Identity::Fresh),
        "equal bodies may be different events"
    );
}

#[test]
fn an_element_can_be_named_by_its_place() {
    let body = r#"[{"n":1},{"n":1}]"#;
    let own = json!({ "each": "/*", "id": "{index}-{sha256:32}" });
    let named = events(&normalizer(own), body);
    assert_eq!(named[1].id, format!("1-{:.32}", digest(r#"{"n":1}"#)));
}

#[test]
fn absolute_pointers_see_the_body_and_two_dots_what_is_around() {
    let spec = json!({
        "each": "/entry/*/changes/*", "type": "{/object}.{./field}", "key": "page:{../id}", "time": "../time",
    });
    let body = r#"{"object":"page","entry":[
        {"id":"10","time":1700000000,"changes":[{"field":"feed"},{"field":"likes"}]},
        {"id":"20","changes":[{"field":"feed"}]}]}"#;
    let events = events(&normalizer(spec), body);
    let found: Vec<_> =
        events.iter().map(|event| (event.kind.as_str(), event.key.as_deref().unwrap())).collect();
    assert_eq!(found, [("page.feed", "page:10"), ("page.likes", "page:10"), ("page.feed", "page:20")]);
    assert!(events[1].time.is_some() && events[2].time.is_none());
}

#[test]
fn a_body_that_is_no_list_is_its_own_one_element() {
    let events = events(&normalizer(mails()), r#"{"event":"sent","mail":"m1","id":"a"}"#);
    assert_eq!((events.len(), events[0].id.as_str(), reason(&events[0])), (1, "a", None));
}

#[test]
fn what_cannot_be_divided_is_put_aside_whole() {
    let many = format!("[{}{{}}]", "{},".repeat(10_000));
    for (body, wanted) in [
        ("[]", Reason::Unrecognized),
        ("not json", Reason::Malformed),
        ("[{}", Reason::Malformed),
        (many.as_str(), Reason::Malformed),
    ] {
        let normalizer = normalizer(mails());
        let (events, again) = (events(&normalizer, body), events(&normalizer, body));
        assert_eq!((events.len(), reason(&events[0])), (1, Some(wanted)));
        assert_ne!(events[0].id, again[0].id, "equal bodies may be different deliveries");
        assert_eq!(&events[0].data[..], body.as_bytes());
        assert!(events[0].id.parse::<uuid::Uuid>().is_ok());
        assert_eq!(events[0].data_is_json, serde_json::from_str::<serde_json::Value>(body).is_ok());
    }
    let twice = json!({ "each": "/value/*", "type": "{/kind}" });
    let events = events(&normalizer(twice), r#"{"kind":"a","kind":"b","value":[1,2]}"#);
    assert_eq!((events.len(), reason(&events[0])), (1, Some(Reason::Ambiguous)));
}

#[test]
fn an_empty_list_may_be_a_sign_of_life() {
    let spec = json!({ "each": "/events/*|lines", "empty": "ignore" });
    for body in [r#"{"events":[]}"#, "", "\n"] {
        assert!(events(&normalizer(spec.clone()), body).is_empty(), "{body:?}");
    }
    assert_eq!(events(&normalizer(spec), r#"{"other":[]}"#).len(), 1, "no list is no empty list");
    let cloud = normalizer(json!({ "format": "cloudevents", "empty": "ignore" }));
    let batch = [("content-type", "application/cloudevents-batch+json")];
    assert!(cloud.normalize(&delivery(b"[]", &batch)).is_empty());
}

#[test]
fn lines_are_events_and_a_broken_one_stands_alone() {
    let spec = json!({ "each": "/*|lines", "type": "./type", "id": "{./id}" });
    let normalizer = normalizer(spec);
    let lines = "{\"type\":\"s\",\"id\":\"1\"}\r\n{\"type\":\n{\"type\":\"f\",\"id\":\"3\"}\n";
    for kind in ["application/x-ndjson", "application/json"] {
        let events = normalizer.normalize(&delivery(lines.as_bytes(), &[("content-type", kind)]));
        assert_eq!(events.iter().map(reason).collect::<Vec<_>>(), [None, Some(Reason::Malformed), None]);
        assert_eq!((events[0].id.as_str(), events[2].id.as_str()), ("1", "3"));
        assert_eq!(events[0].content_type.as_deref(), Some("application/json"));
        assert!(!events[1].data_is_json && &events[1].data[..] == b"{\"type\":");
    }
    let array = events(&normalizer, "[{\"type\":\"s\",\"id\":\"1\"},\n{\"type\":\"f\",\"id\":\"2\"}]");
    assert_eq!(ids(&array), ["1", "2"], "an array over several lines is an array");
    assert_eq!(reason(&events(&normalizer, " \n")[0]), Some(Reason::Unrecognized));
}

#[test]
fn a_shape_of_an_element_begins_at_the_element() {
    let spec = json!({
        "each": "/*", "type": "./name",
        "shapes": [{ "root": "/data", "has": "./name" }, { "has": "./name" }],
    });
    let events = events(&normalizer(spec), r#"[{"data":{"name":"a"}},{"name":"b"},{"name":{}}]"#);
    assert_eq!((events[0].kind.as_str(), events[1].kind.as_str()), ("a", "b"));
    assert_eq!(reason(&events[2]), Some(Reason::Unrecognized));
}

#[test]
fn events_in_the_quarantine_share_the_headers() {
    let events = events(&normalizer(mails()), "[1,2]");
    let headers = |index: usize| &events[index].quarantine.as_ref().unwrap().request;
    assert!(std::sync::Arc::ptr_eq(headers(0), headers(1)));
}

/// Bodies that are nearly what some document divides.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let nearly =
        r#"(\[|\]|\{|\}|,|:|\n|"list"|"a"|"id"|1|1e999|"x\\\\ud800"|null|"specversion":"1\.0"| ){0,14}"#;
    let list = prop::collection::vec(r#"\{"id":[0-9]\}|\{"a":\[1,\{"id":2\}\]\}|7|\{|null"#, 0..5)
        .prop_map(|items| format!(r#"{{"list":[{}]}}"#, items.join(",")).into_bytes());
    prop_oneof![nearly.prop_map(String::into_bytes), list, prop::collection::vec(any::<u8>(), 0..40)]
}

proptest! {
    #[test]
    fn whatever_a_body_is_its_events_are_parts_of_it_and_make_envelopes(body in body(), kind in 0_usize..4) {
        let specs = [
            json!({ "each": "/list/*/a/*|/list/*|/*|lines", "type": "{./id|'t'}", "key": "[{../id}]" }),
            json!({ "each": "/list/*|/*", "format": "json", "id": "{./id}", "time": "/list/0/id" }),
            json!({ "each": "lines", "type": "./id", "shapes": [{ "root": "/a", "has": "./id" }, {}] }),
            json!({ "format": "cloudevents" }),
        ];
        let cloud = [("content-type", "application/cloudevents-batch+json")];
        let delivery = delivery(&body, if kind == 3 { &cloud } else { JSON });
        let events = normalizer(specs[kind].clone()).normalize(&delivery);
        prop_assert!(!events.is_empty(), "an authentic delivery was lost");
        let (start, mut at) = (delivery.request().body.as_ptr().addr(), 0);
        for event in &events {
            if !event.data.is_empty() {
                let begin = event.data.as_ptr().addr() - start;
                prop_assert!(begin >= at, "elements keep their order and do not overlap");
                at = begin + event.data.len();
                prop_assert!(at <= body.len());
            }
            let envelope = envelope::structured(event, Origin { replica: "r", path: "direct" });
            prop_assert!(serde_json::from_slice::<BTreeMap<String, &RawValue>>(&envelope).is_ok());
            prop_assert!(!event.id.is_empty() && !event.kind.is_empty());
        }
    }
}

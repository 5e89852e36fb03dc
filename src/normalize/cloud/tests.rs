//! `CloudEvents` keep what their sender said of them, in every mode; what is none goes to the quarantine.

mod passed_on;

use crate::{
    event::{Event, Extension, Identity, Reason},
    normalize::{
        Normalizer,
        tests::{delivery, normalizer, reason},
    },
};
use proptest::prelude::*;
use serde_json::json;

fn cloud() -> Normalizer {
    normalizer(json!({ "format": "cloudevents", "type": "ignored" }))
}

fn structured(body: &str) -> Event {
    let headers = [("content-type", "application/cloudevents+json; charset=utf-8")];
    let mut events = cloud().normalize(&delivery(body.as_bytes(), &headers));
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn binary(body: &[u8], headers: &[(&'static str, &'static str)]) -> Event {
    let required = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")];
    let given = required.into_iter().filter(|(name, _)| headers.iter().all(|(known, _)| known != name));
    let all: Vec<_> = given.chain(headers.iter().copied()).collect();
    cloud().normalize(&delivery(body, &all)).remove(0)
}

fn detail(event: &Event) -> &str {
    event.quarantine.as_ref().map_or("", |quarantine| quarantine.detail.as_str())
}

const WHOLE: &str = r#"{"specversion":"1.0","id":"e-1","source":"https://shop.test/orders","type":"test.shop.placed",
    "subject":"order/7","time":"2025-11-03T14:02:11.5+01:00","dataschema":"https://shop.test/schema",
    "datacontenttype":"application/vnd.shop+json","partitionkey":"order:7","recordedtime":"1999-01-01T00:00:00Z",
    "hookwayverified":"signature","typeunsigned":false,"traceparent":"00-a-b-01","sampled":true,"tries":-3,
    "gone":null,"data": {"n":1.10} }"#;

#[test]
fn a_structured_event_keeps_its_attributes_and_the_bytes_of_its_data() {
    let event = structured(WHOLE);
    assert_eq!(reason(&event), None);
    assert_eq!((event.id.as_str(), &*event.source), ("e-1", "https://shop.test/orders"));
    assert_eq!((event.kind.as_str(), event.subject.as_deref()), ("test.shop.placed", Some("order/7")));
    assert_eq!(event.key.as_deref(), Some("order:7"));
    assert_eq!(event.time.as_ref().unwrap().text, "2025-11-03T13:02:11.5Z");
    assert_eq!(event.content_type.as_deref(), Some("application/vnd.shop+json"));
    assert_eq!((&event.data[..], event.data_is_json), (&br#"{"n":1.10}"#[..], true));
    assert!(event.identity == Identity::Bytes && !event.type_is_unsigned);
    let carried = event.carried.unwrap();
    assert_eq!(carried.data_schema.as_deref(), Some("https://shop.test/schema"));
    let own = |name: &str, value| (name.to_owned(), value);
    let expected = [
        own("traceparent", Extension::Text("00-a-b-01".to_owned())),
        own("sampled", Extension::Truth(true)),
        own("tries", Extension::Number(-3)),
    ];
    assert_eq!(carried.extensions, expected, "names of ours are not taken from a sender");
}

#[test]
fn what_an_event_need_not_have_may_be_absent() {
    let event = structured(r#"{"specversion":"1.0","id":"1","source":"a","type":"t","subject":"s"}"#);
    assert_eq!((reason(&event), event.key.as_deref()), (None, Some("s")), "the subject is the key then");
    assert!(event.data.is_empty() && !event.data_is_json && event.time.is_none());
    assert_eq!(event.content_type, None);
    let event = structured(r#"{"specversion":"1.0","id":"1","source":"a","type":"t","data":null}"#);
    assert_eq!((&event.data[..], event.key, event.data_is_json), (&b"null"[..], None, true));
    assert_eq!(event.content_type.as_deref(), Some("application/json"));
}

#[test]
fn data_that_is_no_json_is_decoded() {
    let head = r#"{"specversion":"1.0","id":"1","source":"a","type":"t","datacontenttype":"text/xml","#;
    let event = structured(&format!(r#"{head}"data":"<a b=\"c\"/>"}}"#));
    assert_eq!((&event.data[..], event.data_is_json), (&br#"<a b="c"/>"#[..], false));
    let event = structured(&format!(r#"{head}"data_base64":"AP8="}}"#));
    assert_eq!((&event.data[..], event.data_is_json), (&b"\x00\xff"[..], false));
    assert_eq!(event.content_type.as_deref(), Some("text/xml"));
}

#[test]
fn a_batch_is_as_many_events_and_a_wrong_one_stands_alone() {
    let one = r#"{"specversion":"1.0","id":"1","source":"a","type":"t","data":1}"#;
    let body = format!(r#"[{one}, {{"id":"2"}}, {}]"#, one.replace(r#""1","source""#, r#""3","source""#));
    let headers = [("content-type", "application/cloudevents-batch+json")];
    let events = cloud().normalize(&delivery(body.as_bytes(), &headers));
    assert_eq!(events.iter().map(reason).collect::<Vec<_>>(), [None, Some(Reason::Malformed), None]);
    assert_eq!((events[0].id.as_str(), events[2].id.as_str()), ("1", "3"));
    assert!(events[1].id.ends_with("/1") && &events[1].data[..] == br#"{"id":"2"}"#);
    for (body, wanted) in [
        ("[]", Reason::Unrecognized),
        (one, Reason::Malformed),
        ("[1", Reason::Malformed),
        ("", Reason::Malformed),
    ] {
        let events = cloud().normalize(&delivery(body.as_bytes(), &headers));
        assert_eq!((events.len(), reason(&events[0])), (1, Some(wanted)), "{body}");
    }
}

#[test]
fn a_binary_event_has_its_attributes_in_headers_and_its_data_as_the_body() {
    let headers = [
        ("content-type", "application/json"),
        ("ce-subject", "\"caf%C3%A9 \\\"7\\\"\""),
        ("ce-time", "2025-11-03T14:02:11Z"),
        ("ce-partitionkey", "k"),
        ("ce-hookwaysource", "other"),
        ("ce-tier", "gold"),
    ];
    let event = binary(br#"{"a":1}"#, &headers);
    assert_eq!(reason(&event), None, "{}", detail(&event));
    assert_eq!((event.kind.as_str(), event.subject.as_deref()), ("t", Some("café \"7\"")));
    assert_eq!((event.key.as_deref(), event.data_is_json), (Some("k"), true));
    assert!(event.type_is_unsigned, "no header of it is covered");
    let tier = ("tier".to_owned(), Extension::Text("gold".to_owned()));
    assert_eq!(event.carried.unwrap().extensions, [tier]);
    let event = binary(b"\x00", &[("content-type", "application/avro")]);
    assert_eq!((event.data_is_json, event.content_type.as_deref()), (false, Some("application/avro")));
}

#[test]
fn an_empty_attribute_is_none() {
    let event = structured(
        r#"{"specversion":"1.0","id":"1","source":"a","type":"t","subject":"","time":"","dataschema":"","partitionkey":"","datacontenttype":""}"#,
    );
    assert_eq!(reason(&event), None);
    assert_eq!((event.subject, event.key, event.content_type), (None, None, None));
    assert!(event.time.is_none() && event.carried.unwrap().data_schema.is_none());
}

#[test]
fn a_time_is_held_to_rfc_3339() {
    let event = |time: &str| {
        structured(&format!(r#"{{"specversion":"1.0","id":"1","source":"a","type":"t","time":"{time}"}}"#))
    };
    for same in ["9999-12-31T23:59:59Z", "2025-11-03T14:02:11.1234567890Z"] {
        assert_eq!(event(same).time.unwrap().text, same);
    }
    assert_eq!(event("2025-11-03T14:02:11,5Z").time.unwrap().text, "2025-11-03T14:02:11.5Z");
    for none in ["2025-11-03T14:02:11+24:00", "0000-01-01T00:00:00Z", "2025-11-03T14:02:11"] {
        assert!(detail(&event(none)).contains("names no instant"), "{none}");
    }
}

#[test]
fn what_is_no_cloud_event_says_why() {
    let with = |from: &str, to: &str| {
        let body = r#"{"specversion":"1.0","id":"1","source":"a","type":"t"}"#;
        assert!(body.contains(from));
        structured(&body.replace(from, to))
    };
    for (event, why) in [
        (with("1.0", "0.3"), "specversion is \"0.3\""),
        (with(r#""specversion":"1.0","#, ""), "has no specversion"),
        (with(r#""id":"1","#, ""), "has no id"),
        (with(r#""1","#, r#""","#), "has no id"),
        (with(r#""1","#, "1,"), "id is no string"),
        (with(r#""source":"a","#, ""), "has no source"),
        (with(r#""a""#, r#""a b""#), "source is no URI"),
        (with(r#""a""#, r#""a%2""#), "source is no URI"),
        (with(r#","type":"t""#, ""), "has no type"),
        (with(r#""t"}"#, r#""t","time":"soon"}"#), "names no instant"),
        (with(r#""t"}"#, r#""t","time":"1700000000"}"#), "names no instant"),
        (with(r#""t"}"#, r#""t","traceParent":"x"}"#), "is no name of an attribute"),
        (with(r#""t"}"#, r#""t","a":{}}"#), "is no string"),
        (with(r#""t"}"#, r#""t","a":1.5}"#), "is no string"),
        (with(r#""t"}"#, r#""t","a":2147483648}"#), "is no string"),
        (with(r#""t"}"#, r#""t","a":"\u0000"}"#), "control character"),
        (with(r#""t"}"#, r#""t","dataschema":"<x>"}"#), "dataschema is no URI"),
        (with(r#""t"}"#, r#""t","data":1,"data_base64":"AA=="}"#), "both data and data_base64"),
        (with(r#""t"}"#, r#""t","data_base64":"*"}"#), "no base64"),
        (structured("[]"), "no CloudEvent"),
        (structured("{"), "no CloudEvent"),
        (binary(b"", &[("ce-specversion", "2.0")]), "specversion is \"2.0\""),
        (binary(b"", &[("ce-a_b", "1")]), "is no name of an attribute"),
        (binary(b"", &[("ce-x", "%ff")]), "not UTF-8"),
        (binary(b"", &[("content-type", "application/cloudevents+avro")]), "no CloudEvent"),
    ] {
        assert_eq!(reason(&event), Some(Reason::Malformed), "{why}");
        assert!(detail(&event).contains(why), "{why}: {}", detail(&event));
    }
    let twice = with(r#""id":"1""#, r#""id":"1","id":"2""#);
    assert_eq!(reason(&twice), Some(Reason::Ambiguous));
    assert_eq!(reason(&binary(b"", &[("ce-x", "1"), ("ce-x", "2")])), Some(Reason::Ambiguous));
    let of_two_types = [("content-type", "text/plain"), ("content-type", "application/json")];
    assert_eq!(reason(&binary(b"", &of_two_types)), Some(Reason::Ambiguous));
    let plain = cloud().normalize(&delivery(b"{}", &[("content-type", "application/json")])).remove(0);
    assert!(detail(&plain).contains("expected `application/cloudevents+json`"));
}

proptest! {
    #[test]
    fn any_body_becomes_an_event_or_is_put_aside_whole(body in prop::collection::vec(any::<u8>(), 0..60)) {
        for kind in ["application/cloudevents+json", "application/cloudevents-batch+json", "text/plain"] {
            let events = cloud().normalize(&delivery(&body, &[("content-type", kind)]));
            prop_assert_eq!(&events[0].data[..], &body[..]);
            prop_assert!(events[0].quarantine.is_some());
        }
    }

    #[test]
    fn texts_of_attributes_come_through_as_they_are(subject in "[^\\p{C}]{1,12}", id in "[!-~]{1,12}") {
        let body = json!({ "specversion": "1.0", "id": id, "source": "/s", "type": "t", "subject": subject });
        let event = structured(&body.to_string());
        prop_assert_eq!(event.id, id);
        prop_assert_eq!(event.subject, Some(subject));
    }
}

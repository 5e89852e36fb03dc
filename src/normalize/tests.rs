//! What a sender document says is what becomes of a body; nothing authentic is lost.

use super::*;
use crate::{
    delivery::Quota,
    event::Identity,
    request::slot::{Slot, Standing},
    senders,
    verify::{Algorithm, Verifier, VerifySpec},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Returns a delivery that a verifier without any check has let through.
pub(super) fn delivery(body: &[u8], headers: &[(&'static str, &'static str)]) -> Delivery<Verified> {
    delivery_to("/hooks/a", body, headers)
}

/// Returns a delivery to this path and query.
fn delivery_to(uri: &str, body: &[u8], headers: &[(&'static str, &'static str)]) -> Delivery<Verified> {
    let spec = VerifySpec { algorithm: Some(Algorithm::None), ..VerifySpec::default() };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    let request = Request {
        method: Method::POST,
        uri: uri.parse().unwrap(),
        headers: map,
        body: Bytes::copy_from_slice(body),
        received: Timestamp::UNIX_EPOCH,
    };
    let verifier = Verifier::compile(&spec).unwrap();
    Delivery::new(request, [1, 1].map(|part| Quota::new(part).take(part).unwrap())).verify(&verifier).unwrap()
}

/// Compiles for a source whose check covers the body and the header `x-signed`, and has one constant.
fn compile(spec: &EventSpec, sender: &str) -> Result<Normalizer, Vec<SpecProblem>> {
    let standing = |slots: &[Slot], _: Option<&str>| match slots.last() {
        Some(Slot::Header(name)) if name == "x-signed" => Standing::Signed,
        Some(Slot::Header(_) | Slot::Query(_) | Slot::Path(_)) | None => Standing::Open,
        Some(Slot::Form(..) | Slot::Json(_) | Slot::Param(_) | Slot::Text(_)) => Standing::Signed,
    };
    let (params, withheld) = (Params::from([("shop".into(), "s1".into())]), Withheld::default());
    Normalizer::compile(
        spec,
        Setting { sender, source: "a", params, withheld, standing: &standing, ids_are_unique: false },
    )
}

pub(super) fn normalizer(spec: Value) -> Normalizer {
    let spec: EventSpec = serde_json::from_value(spec).unwrap();
    compile(&spec, "test").unwrap()
}

fn one(normalizer: &Normalizer, body: &[u8]) -> Event {
    let mut events = normalizer.normalize(&delivery(body, &[("content-type", "application/json")]));
    assert_eq!(events.len(), 1);
    events.remove(0)
}

pub(super) fn reason(event: &Event) -> Option<Reason> {
    event.quarantine.as_ref().map(|quarantine| quarantine.reason)
}

fn orders() -> Value {
    json!({
        "format": "json", "type_prefix": "com.test", "type": "/type",
        "object": "/object", "object_id": "/id", "id": "{/event}",
    })
}

#[test]
fn attributes_come_from_where_the_document_says() {
    let event = one(&normalizer(orders()), br#"{"type":"NEW","object":"order","id":7,"event":"e1"}"#);
    assert_eq!((event.kind.as_str(), event.id.as_str()), ("com.test.NEW", "e1"));
    assert_eq!((event.subject.as_deref(), event.key.as_deref()), (Some("order/7"), Some("order:7")));
    assert_eq!((&*event.source, &*event.source_name), ("/test/a", "a"));
    assert!(event.identity == Identity::Bytes && event.data_is_json && event.quarantine.is_none());
    assert_eq!(event.object(), Some("order"));
}

#[test]
fn an_empty_document_takes_anything_and_gives_it_a_fresh_id() {
    let normalizer = normalizer(json!({}));
    let events =
        normalizer.normalize(&delivery(b"a=1", &[("content-type", "application/x-www-form-urlencoded")]));
    assert_eq!(events[0].kind, "webhook");
    assert!(events[0].id.parse::<uuid::Uuid>().is_ok() && events[0].identity == Identity::Fresh);
    assert_eq!((events[0].key.as_deref(), events[0].data_is_json), (None, false));
    assert_eq!(events[0].content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(reason(&events[0]), None);
}

#[test]
fn what_cannot_be_mapped_is_quarantined_with_the_reason() {
    let normalizer = normalizer(orders());
    let deep = [b"[".repeat(200), b"]".repeat(200)].concat();
    let long = format!(r#"{{"type":"NEW","object":"order","id":"{}","event":"e"}}"#, "x".repeat(4097));
    let cases: [(&[u8], Reason); 9] = [
        (b"not json", Reason::Malformed),
        (b"{\"type\":\"\xff\"}", Reason::Malformed),
        (&deep, Reason::Malformed),
        (br#"{"type":"NEW","object":"order","id":"a\u0000b","event":"e"}"#, Reason::Malformed),
        (long.as_bytes(), Reason::Malformed),
        (br#"{"object":"order","id":7,"event":"e"}"#, Reason::Unrecognized),
        (br#"{"type":"NEW","object":"order","event":"e"}"#, Reason::Unrecognized),
        (br#"{"type":"NEW","object":"order","id":7,"event":""}"#, Reason::Unrecognized),
        (br#"{"type":"NEW","object":"order","id":7,"id":8,"event":"e"}"#, Reason::Ambiguous),
    ];
    for (body, wanted) in cases {
        let event = one(&normalizer, body);
        assert_eq!(reason(&event), Some(wanted), "{}", String::from_utf8_lossy(body));
        assert_eq!(&event.data[..], body, "every byte is kept");
        assert!(event.identity == Identity::Fresh, "what is not understood is never taken for a repeat");
    }
}

#[test]
fn noncharacters_are_no_part_of_an_attribute() {
    for text in ["\u{fdd0}", "\u{fffe}", "\u{1ffff}", "\u{85}"] {
        let body = json!({ "type": "NEW", "object": "order", "id": text, "event": "e" }).to_string();
        assert_eq!(reason(&one(&normalizer(orders()), body.as_bytes())), Some(Reason::Malformed), "{text:?}");
    }
}

#[test]
fn the_first_shape_that_fits_gives_the_root() {
    let spec = json!({
        "type": "./event", "object_id": "./id",
        "shapes": [{ "root": "/data", "has": "./event" }, { "has": "/event" }],
    });
    let normalizer = normalizer(spec);
    assert_eq!(one(&normalizer, br#"{"data":{"event":"A","id":1}}"#).kind, "A");
    assert_eq!(one(&normalizer, br#"{"event":"B","id":1,"data":{}}"#).kind, "B");
    assert_eq!(one(&normalizer, br#"{"event":"B","id":1,"data":{"event":"A","id":2}}"#).kind, "A");
    assert_eq!(reason(&one(&normalizer, br#"{"event":{},"id":1}"#)), Some(Reason::Unrecognized));
}

#[test]
fn the_first_rule_that_finds_all_it_names_is_taken() {
    let spec = json!({
        "type": "/type", "id": "{uuid}",
        "rules": [
            { "when": ["A"], "object": "issue", "object_id": "/issue" },
            { "object": "repository", "object_id": "/repository", "key": "r:{/repository}", "id": "{/id|'0'}" },
        ],
    });
    let normalizer = normalizer(spec);
    let event = one(&normalizer, br#"{"type":"A","issue":1,"repository":2}"#);
    assert_eq!((event.subject.as_deref(), event.identity), (Some("issue/1"), Identity::Fresh));
    let event = one(&normalizer, br#"{"type":"A","repository":2}"#);
    assert_eq!((event.key.as_deref(), event.id.as_str()), (Some("r:2"), "0"));
    let event = one(&normalizer, br#"{"type":"B","issue":1,"repository":2}"#);
    assert_eq!(event.subject.as_deref(), Some("repository/2"));
}

#[test]
fn a_rule_may_be_for_the_beginning_of_a_name() {
    let rules =
        json!([{ "when": ["deal.*", "x"], "object": "deal", "object_id": "/id" }, { "key": "other" }]);
    let normalizer = normalizer(json!({ "type": "/type", "rules": rules }));
    let key = |kind: &str| one(&normalizer, format!(r#"{{"type":"{kind}","id":1}}"#).as_bytes()).key.unwrap();
    assert_eq!([key("deal.new"), key("deal."), key("x")], ["deal:1"; 3]);
    assert_eq!([key("deal"), key("dealer.new"), key("xx")], ["other"; 3]);
}

#[test]
fn a_rule_may_ask_for_a_value_that_it_does_not_use() {
    let rules = json!([{ "has": "/pull/url|/pull/at", "object": "pull", "object_id": "/n" }, { "object": "issue", "object_id": "/n" }]);
    let normalizer = normalizer(json!({ "rules": rules }));
    let key = |body: &str| one(&normalizer, body.as_bytes()).key.unwrap();
    assert_eq!([r#"{"n":7,"pull":{"url":"u"}}"#, r#"{"n":7,"pull":{"at":false}}"#].map(key), ["pull:7"; 2]);
    let without = [
        r#"{"n":7}"#,
        r#"{"n":7,"pull":null}"#,
        r#"{"n":7,"pull":{"url":""}}"#,
        r#"{"n":7,"pull":{"url":{}}}"#,
    ];
    assert_eq!(without.map(key), ["issue:7"; 4]);
}

#[test]
fn an_account_is_one_segment_of_the_source() {
    let normalizer = normalizer(json!({ "account": "/account" }));
    assert_eq!(&*one(&normalizer, br#"{"account":"a/b c?"}"#).source, "/test/a/a%2Fb%20c%3F");
    assert_eq!(&*one(&normalizer, b"{}").source, "/test/a");
}

#[test]
fn a_time_that_names_no_instant_is_left_out_and_the_event_goes_on() {
    let normalizer = normalizer(json!({ "time": "/at" }));
    let time = |body: &[u8]| one(&normalizer, body).time.map(|time| time.text);
    assert_eq!(
        time(br#"{"at":"2025-11-03T14:02:11.123456789Z"}"#).as_deref(),
        Some("2025-11-03T14:02:11.123456789Z")
    );
    assert_eq!(time(br#"{"at":1700000000}"#).as_deref(), Some("2023-11-14T22:13:20Z"));
    assert_eq!(time(br#"{"at":"soon"}"#), None);
}

#[test]
fn values_outside_an_allow_list_are_quarantined_under_their_own_name() {
    let spec = json!({
        "type": "/type", "object_id": "/id",
        "allow": {
            "url": { "at": "/url", "as": "host", "values": ["app.test"] },
            "account": { "at": "/account", "values": [5, "six"], "required": true },
        },
    });
    let normalizer = normalizer(spec);
    let body = |url: &str, account: Value| {
        let body = json!({ "type": "A", "id": 1, "url": url, "account": account });
        let event = one(&normalizer, body.to_string().as_bytes());
        assert_eq!(event.kind, "A");
        reason(&event)
    };
    assert_eq!(body("https://app.test:443/x?y", json!(5)), None);
    assert_eq!(body("http://app.test", json!("six")), None);
    for url in [
        "https://evil.test/app.test",
        "https://app.test@evil.test/",
        "https://evil.test\\.app.test",
        "ftp://app.test",
        "//app.test",
        "app.test",
        "https://app.test.evil.test",
        "https://",
    ] {
        assert_eq!(body(url, json!(5)), Some(Reason::NotAllowed), "{url}");
    }
    assert_eq!(body("https://app.test", json!(6)), Some(Reason::NotAllowed));
    assert_eq!(body("https://app.test", Value::Null), Some(Reason::NotAllowed), "it is required");
}

#[test]
fn json_stands_in_data_whatever_the_sender_calls_it() {
    let kind = |sent: &'static str, body: &[u8]| {
        let events = normalizer(orders()).normalize(&delivery(body, &[("content-type", sent)]));
        events[0].content_type.clone()
    };
    let body = br#"{"type":"NEW","object":"order","id":7,"event":"e1"}"#;
    assert_eq!(kind("text/plain", body).as_deref(), Some("application/json"));
    assert_eq!(kind("application/vnd.test+json", body).as_deref(), Some("application/vnd.test+json"));
    assert_eq!(
        kind("application/json; charset=utf-8", body).as_deref(),
        Some("application/json; charset=utf-8")
    );
    assert_eq!(kind("text/plain", b"x").as_deref(), Some("text/plain"));
}

#[test]
fn everything_wrong_with_a_document_is_said_at_once() {
    let spec = json!({
        "type": "{/a", "object": "{what}", "time": "]",
        "rules": [{ "key": "{sha256:1}" }],
        "allow": { "url": { "values": ["a"] } },
    });
    let spec: EventSpec = serde_json::from_value(spec).unwrap();
    let errors = compile(&spec, "test").unwrap_err();
    let fields: Vec<&str> = errors.iter().map(|error| &*error.field).collect();
    for field in ["event.type", "event.time", "event.object", "event.rules.0.key", "event.allow.url.at"] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
}

#[test]
fn every_preset_compiles() {
    for name in senders::names() {
        let text = senders::preset(name).unwrap();
        let spec: senders::SenderSpec = serde_saphyr::from_str(text).unwrap();
        let event = spec.event.unwrap_or_default();
        assert!(compile(&event, name).is_ok(), "{name}");
    }
}

mod ids;
mod said;
mod texts;

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];

#[test]
fn a_form_is_read_by_its_fields_and_kept_as_it_is() {
    let spec = json!({
        "format": "form", "type": "form:MessageStatus", "object": "message", "object_id": "form:MessageSid",
        "id": "{form:MessageSid}-{form:MessageStatus}", "account": "param:shop",
    });
    let normalizer = normalizer(spec);
    let body = b"MessageSid=SM%2B1&MessageStatus=delivered&Body=a+%26+b";
    let event = normalizer.normalize(&delivery_to("/hooks/a?id=7", body, FORM)).remove(0);
    assert_eq!((event.kind.as_str(), event.key.as_deref()), ("delivered", Some("message:SM+1")));
    assert_eq!((event.id.as_str(), &*event.source), ("SM+1-delivered", "/test/a/s1"));
    assert_eq!((&event.data[..], event.data_is_json), (&body[..], false));
    assert_eq!(event.content_type.as_deref(), Some(FORM[0].1));
    for (body, headers, wanted) in [
        (&body[..], &[("content-type", "application/json")][..], Reason::Malformed),
        (body, &[], Reason::Malformed),
        (b"MessageSid=1&MessageStatus=a&MessageStatus=b", FORM, Reason::Ambiguous),
        (b"MessageSid=%ff&MessageStatus=a", FORM, Reason::Malformed),
        (b"MessageStatus=a", FORM, Reason::Unrecognized),
    ] {
        let event = normalizer.normalize(&delivery_to("/hooks/a?id=7", body, headers)).remove(0);
        assert_eq!(reason(&event), Some(wanted), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn one_document_reads_json_and_the_json_in_a_form() {
    let spec = json!({
        "type": "{/event/type|form:payload/type|'command'}", "key": "{/team_id|form:payload/team/id|form:team_id}",
        "shapes": [{ "has": "/event/type" }, { "has": "form:payload/type | form:command" }],
    });
    let normalizer = normalizer(spec);
    let json =
        br#"{"event":{"type":"message","text":"&payload={\"type\":\"forged\"}&command=x"},"team_id":"T1"}"#;
    let event = one(&normalizer, json);
    assert_eq!((event.kind.as_str(), event.key.as_deref()), ("message", Some("T1")));
    let no_event = br#"{"text":"&payload={\"type\":\"forged\"}&command=x"}"#;
    assert_eq!(reason(&one(&normalizer, no_event)), Some(Reason::Unrecognized), "text is no field");
    for (body, kind, key) in [
        (
            &b"payload=%7B%22type%22%3A%22block_actions%22%2C%22team%22%3A%7B%22id%22%3A%22T2%22%7D%7D"[..],
            "block_actions",
            "T2",
        ),
        (b"command=%2Fask&team_id=T3", "command", "T3"),
    ] {
        let event = normalizer.normalize(&delivery(body, FORM)).remove(0);
        assert_eq!((event.kind.as_str(), event.key.as_deref()), (kind, Some(key)));
    }
}

#[test]
fn a_type_from_what_is_not_covered_says_so() {
    let unsigned = |kind: &str| {
        let normalizer = normalizer(json!({ "type": kind, "key": "[{header:x-event}]" }));
        let headers = [("content-type", "application/json"), ("x-event", "e"), ("x-signed", "s")];
        let event = normalizer.normalize(&delivery_to("/?kind=q", br#"{"type":"a"}"#, &headers)).remove(0);
        assert_eq!(reason(&event), None, "{kind}");
        event.type_is_unsigned
    };
    for kind in ["header:x-event", "{/none|header:x-event}", "query:kind", "{/type}[.{header:x-event}]"] {
        assert!(unsigned(kind), "{kind}");
    }
    for kind in
        ["/type", "{/type|header:x-event}", "header:x-signed", "{/type}[.{header:x-none}]", "param:shop"]
    {
        assert!(!unsigned(kind), "{kind}");
    }
}

#[test]
fn only_json_is_divided() {
    for format in ["form", "cloudevents"] {
        let spec: EventSpec = serde_json::from_value(json!({ "format": format, "each": "/*" })).unwrap();
        assert_eq!(compile(&spec, "test").unwrap_err()[0].field, "event.each");
    }
}

proptest! {
    #[test]
    fn any_body_becomes_exactly_one_event_with_its_bytes(body in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert_eq!(&one(&normalizer(orders()), &body).data[..], &body[..]);
    }
}

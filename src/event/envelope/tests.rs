//! Both forms carry every attribute, and the sender's bytes stand in them untouched.

use super::*;
use crate::{
    clock::EventTime,
    event::{Carried, Identity, Quarantine, Reason},
    request::Kept,
    verify::Assurance,
};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ORIGIN: Origin<'_> = Origin { replica: "node-1", path: "direct" };

fn event(body: &[u8], data_is_json: bool) -> Event {
    Event {
        id: "0b0f3d0e".to_owned(),
        identity: Identity::Bytes,
        id_conflicts: false,
        in_turn: false,
        source: "/likemagic/hotel".into(),
        source_name: "hotel".into(),
        kind: "tech.likemagic.RESERVATION_CHECKED_IN".to_owned(),
        subject: Some("RESERVATION/QWERTYUI-1".to_owned()),
        key: Some("RESERVATION:QWERTYUI-1".to_owned()),
        time: Some(EventTime {
            text: "2025-11-03T14:02:11.482913789Z".to_owned(),
            at: "2025-11-03T14:02:11.482913789Z".parse().unwrap(),
        }),
        recorded: Timestamp::new(1_762_178_532, 1_000).unwrap(),
        content_type: Some("application/json".to_owned()),
        assurance: Assurance::Secret,
        data: Bytes::copy_from_slice(body),
        data_is_json,
        type_is_unsigned: false,
        carried: None,
        quarantine: None,
    }
}

fn quarantine(value: &[u8]) -> Quarantine {
    let mut headers = HeaderMap::new();
    headers.append("x-a", HeaderValue::from_bytes(value).unwrap());
    headers.append("x-a", HeaderValue::from_static("second"));
    let kept = Kept { method: Method::PUT, target: "/hooks/a?topic=x".to_owned(), headers };
    Quarantine::new(Reason::Unrouted, "no\nroute".to_owned(), kept.into())
}

fn parsed(event: &Event) -> Value {
    serde_json::from_slice(&structured(event, ORIGIN)).unwrap()
}

#[test]
fn the_structured_form_is_the_event_with_the_body_as_its_last_member() {
    let body = br#"{"id":"0b0f3d0e",  "n":1.10 }"#;
    let envelope = structured(&event(body, true), ORIGIN);
    assert!(envelope.ends_with(&[br#","data":"#, &body[..], b"}"].concat()));
    let expected = json!({
        "specversion": "1.0",
        "id": "0b0f3d0e",
        "source": "/likemagic/hotel",
        "type": "tech.likemagic.RESERVATION_CHECKED_IN",
        "subject": "RESERVATION/QWERTYUI-1",
        "time": "2025-11-03T14:02:11.482913789Z",
        "datacontenttype": "application/json",
        "partitionkey": "RESERVATION:QWERTYUI-1",
        "recordedtime": "2025-11-03T14:02:12.000001Z",
        "hookwaysource": "hotel",
        "hookwayreplica": "node-1",
        "hookwaypath": "direct",
        "hookwayverified": "secret",
        "data": { "id": "0b0f3d0e", "n": 1.1 },
    });
    assert_eq!(serde_json::from_slice::<Value>(&envelope).unwrap(), expected);
}

#[test]
fn an_event_without_a_time_has_that_of_its_receipt_and_says_so() {
    let mut event = event(b"{}", true);
    event.time = None;
    let envelope = parsed(&event);
    assert_eq!(envelope["time"], envelope["recordedtime"]);
    assert_eq!(envelope["timesource"], "receipt");
}

#[test]
fn an_event_that_shares_its_id_says_so_in_both_forms() {
    let event = Event { id_conflicts: true, ..event(b"{}", true) };
    let document: Value = serde_json::from_slice(&structured(&event, ORIGIN)).unwrap();
    assert_eq!(document["hookwayidconflict"], true);
    for (binding, name) in [(Binding::Kafka, "ce_hookwayidconflict"), (Binding::Nats, "ce-hookwayidconflict")]
    {
        let headers = binary_headers(&event, ORIGIN, binding);
        assert!(headers.iter().any(|(own, value)| own == name && value == "true"), "{name}");
    }
}

#[test]
fn what_an_event_lacks_is_left_out() {
    let mut event = event(b"", false);
    (event.subject, event.key, event.content_type) = (None, None, None);
    let envelope = parsed(&event);
    for name in ["subject", "partitionkey", "datacontenttype", "data", "data_base64", "hookwayreason"] {
        assert!(envelope.get(name).is_none(), "{name}");
    }
}

#[test]
fn a_body_that_is_not_json_stands_as_base64() {
    let body = b"\xff\x00<xml/>";
    let envelope = parsed(&event(body, false));
    assert_eq!(STANDARD.decode(envelope["data_base64"].as_str().unwrap()).unwrap(), body);
    assert!(envelope.get("data").is_none());
}

#[test]
fn a_quarantined_event_says_why_and_keeps_the_headers_in_order() {
    let mut event = event(b"{}", true);
    event.quarantine = Some(Box::new(quarantine(b"caf\xe9 100%41\tof \"it\"")));
    let envelope = parsed(&event);
    assert_eq!(envelope["hookwayreason"], "unrouted");
    assert_eq!(envelope["hookwaydetail"], "no route", "a control character is no part of an attribute");
    let pairs: Vec<(String, String)> =
        serde_json::from_str(envelope["hookwayheaders"].as_str().unwrap()).unwrap();
    let values: Vec<Vec<u8>> = pairs.iter().map(|(_, value)| percent_decode_str(value).collect()).collect();
    assert_eq!(values, [&b"caf\xe9 100%41\tof \"it\""[..], b"second"]);
}

#[test]
fn a_type_that_nobody_signed_is_marked_in_both_forms() {
    let mut event = event(b"{}", true);
    assert!(parsed(&event).get("typeunsigned").is_none());
    event.type_is_unsigned = true;
    assert_eq!(parsed(&event)["typeunsigned"], json!(true), "a truth value and no text");
    assert_eq!(binary(&event, Binding::Kafka)["ce_typeunsigned"], "true");
    assert_eq!(binary(&event, Binding::Nats)["ce-typeunsigned"], "true");
}

#[test]
fn what_a_cloud_event_carried_stands_with_its_type_in_json_and_as_text_in_headers() {
    let mut event = event(b"{}", true);
    let extension = |name: &str, value| (name.to_owned(), value);
    event.carried = Some(Box::new(Carried {
        document: Bytes::new(),
        data_schema: Some("urn:schema:1".to_owned()),
        extensions: vec![
            extension("tier", Extension::Text("g\"old".to_owned())),
            extension("dry", Extension::Truth(false)),
            extension("tries", Extension::Number(i32::MIN)),
        ],
    }));
    let envelope = parsed(&event);
    let found = ["dataschema", "tier", "dry", "tries"].map(|name| envelope[name].clone());
    assert_eq!(found, [json!("urn:schema:1"), json!("g\"old"), json!(false), json!(i32::MIN)]);
    let headers = binary(&event, Binding::Kafka);
    let found = ["ce_dataschema", "ce_tier", "ce_dry", "ce_tries"].map(|name| headers[name].as_str());
    assert_eq!(found, ["urn:schema:1", "g\"old", "false", "-2147483648"]);
}

#[test]
fn a_structured_record_names_its_media_type() {
    assert_eq!(structured_headers(), [("content-type".into(), STRUCTURED_TYPE.into())]);
}

/// Any text that an attribute may hold, and some that only careless code could put there.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![r"[ -~]{1,24}", ".{1,24}", r#"["\\%:/ é\u{1F600}]{1,8}"#]
}

fn binary(event: &Event, binding: Binding) -> BTreeMap<String, String> {
    let headers = binary_headers(event, ORIGIN, binding);
    let count = headers.len();
    let map: BTreeMap<String, String> =
        headers.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    assert_eq!(map.len(), count, "no name stands twice");
    map
}

proptest! {
    #[test]
    fn every_attribute_survives_every_form(
        id in text(), kind in text(), subject in text(), key in text(), content_type in text(),
    ) {
        let mut event = event(b"[]", true);
        event.id.clone_from(&id);
        event.kind.clone_from(&kind);
        event.subject = Some(subject.clone());
        event.key = Some(key.clone());
        event.content_type = Some(content_type.clone());
        let wanted = [
            ("id", &id), ("type", &kind), ("subject", &subject), ("partitionkey", &key),
            ("datacontenttype", &content_type),
        ];

        let envelope = parsed(&event);
        let (kafka, nats) = (binary(&event, Binding::Kafka), binary(&event, Binding::Nats));
        prop_assert_eq!(kafka.len(), envelope.as_object().unwrap().len() - 1, "all attributes and no data");
        prop_assert_eq!(nats.len(), kafka.len());
        for (name, value) in wanted {
            prop_assert_eq!(&envelope[name], value);
            let header = |prefix| match name {
                "datacontenttype" => "content-type".to_owned(),
                name => format!("{prefix}{name}"),
            };
            prop_assert_eq!(&kafka[&header("ce_")], value);
            let on_nats = &nats[&header("ce-")];
            prop_assert!(on_nats.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'"'));
            prop_assert_eq!(&*percent_decode_str(on_nats).decode_utf8().unwrap(), value);
        }
    }

    #[test]
    fn data_is_byte_for_byte_the_body(
        document in prop::collection::btree_map(".{0,6}", ".{0,12}", 0..6), space in "[ \n\t]{0,4}",
    ) {
        let body = format!("{space}{}{space}", serde_json::to_string_pretty(&document).unwrap());
        let envelope = structured(&event(body.as_bytes(), true), ORIGIN);
        prop_assert!(serde_json::from_slice::<Value>(&envelope).is_ok());
        let marker = b",\"data\":";
        let at = envelope.windows(marker.len()).position(|window| window == marker).unwrap() + marker.len();
        prop_assert_eq!(&envelope[at..envelope.len() - 1], body.as_bytes());
    }

    #[test]
    fn any_bytes_come_back_from_base64(body in prop::collection::vec(any::<u8>(), 1..64)) {
        let envelope = parsed(&event(&body, false));
        prop_assert_eq!(STANDARD.decode(envelope["data_base64"].as_str().unwrap()).unwrap(), body);
    }
}

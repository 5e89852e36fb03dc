//! Tests of slots: their grammar, what each reads, what is refused, and properties of the decoder and the lookup.

mod cut;

use super::{Params, Pointer, Slot, SlotError, form};
use crate::request::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;
use serde_json::Value;

fn request(uri: &str, headers: &[(&'static str, &'static str)], body: &str) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    Request {
        method: Method::POST,
        uri: uri.parse().unwrap(),
        headers: map,
        body: body.to_owned().into(),
        received: Timestamp::UNIX_EPOCH,
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn read(slot: &str, request: &Request) -> Result<Option<String>, SlotError> {
    let params = Params::from([("webhook_id".into(), "wh_1".into())]);
    let slot = Slot::parse(slot).unwrap();
    slot.read(request, &params).map(|value| value.map(std::borrow::Cow::into_owned))
}

#[test]
fn a_segment_behind_the_source_is_read_decoded() {
    let request = request("/hooks/a/tenant%2042//eu/?x=1", &[], "");
    let segments = [1, 2, 3].map(|number| read(&format!("path:{number}"), &request).unwrap());
    assert_eq!(segments, [Some("tenant 42".to_owned()), Some("eu".to_owned()), None]);
    assert!(matches!(read("path:1", &self::request("/hooks/a/%ff", &[], "")), Err(SlotError::Malformed(_))));
    for text in ["path:0", "path:9", "path:x", "path:"] {
        assert!(Slot::parse(text).is_err(), "{text}");
    }
}

#[test]
fn every_slot_reads_its_place() {
    let json = request(
        "/hooks/a?a=1&b%5B%5D=x+y%2B&c",
        &[("x-id", "héad")],
        r#"{"a":{"b/c":["q\n",2.50,true,null]}}"#,
    );
    let form =
        request("/hooks/a", &[FORM], "payload=%7B%22team%22%3A%7B%22id%22%3A%22T1%22%7D%7D&bt=a%0Ab+c");
    for (request, slot, value) in [
        (&json, "header:X-Id", Some("héad")),
        (&json, "header:x-other", None),
        (&json, "query:a", Some("1")),
        (&json, "query:b[]", Some("x y+")),
        (&json, "query:c", Some("")),
        (&json, "query:d", None),
        (&json, "/a/b~1c/0", Some("q\n")),
        (&json, "/a/b~1c/1", Some("2.50")),
        (&json, "/a/b~1c/2", Some("true")),
        (&json, "/a/b~1c/3", None),
        (&json, "/a/b~1c/4", None),
        (&json, "/a/b~1c/00", None),
        (&json, "/a", None),
        (&json, "param:webhook_id", Some("wh_1")),
        (&json, "param:other", None),
        (&json, "'a: b'", Some("a: b")),
        (&form, "form:bt", Some("a\nb c")),
        (&form, "form:payload/team/id", Some("T1")),
        (&form, "form:payload/team/name", None),
        (&form, "form:other/team", None),
    ] {
        assert_eq!(read(slot, request), Ok(value.map(str::to_owned)), "{slot}");
    }
}

#[test]
fn what_stands_twice_is_refused() {
    let twice = request(
        "/?a=1&%61=1",
        &[("x-id", "1"), ("x-id", "1")],
        r#"{"a":{"b":1},"\u0061":{"c":1},"d":[{"e":1},{"e":2}],"f":{"g":1,"g":1}}"#,
    );
    for slot in ["header:x-id", "query:a", "/a/b", "/f/g", "/d/*/e"] {
        assert!(matches!(read(slot, &twice), Err(SlotError::Repeated(_))), "{slot}");
    }
    assert_eq!(read("/d/1/e", &twice), Ok(Some("2".to_owned())), "members off the way do not matter");
    let form = request("/", &[FORM], "a=1&b=2&a=1&p=%7B%22x%22%3A1%2C%22x%22%3A2%7D");
    for slot in ["form:a", "form:p/x"] {
        assert!(matches!(read(slot, &form), Err(SlotError::Repeated(_))), "{slot}");
    }
}

#[test]
fn what_cannot_be_read_is_malformed_and_not_absent() {
    for (slot, body) in [
        ("/a", "a=b"),
        ("/a", ""),
        ("/a", r#"{"a":1"#),
        ("/a", r#"{"a":1} {}"#),
        ("/a", r#"{"a":"\ud800"}"#),
        ("form:a", "a=%ff"),
        ("form:a/b", "a={"),
    ] {
        let request = request("/", &[FORM], body);
        assert!(matches!(read(slot, &request), Err(SlotError::Malformed(_))), "{slot} of {body}");
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    for (slot, body) in
        [("/a", "\u{feff}{\"a\":1}"), ("form:a", "\u{feff}a=1&b=2"), ("form:p/a", "p=%EF%BB%BF{\"a\":1}")]
    {
        assert_eq!(read(slot, &request("/", &[FORM], body)), Ok(Some("1".to_owned())), "{slot}");
    }
    let twice = request("/", &[], "\u{feff}\u{feff}{\"a\":1}");
    assert!(matches!(read("/a", &twice), Err(SlotError::Malformed(_))));
}

#[test]
fn no_body_nests_too_deep_for_a_lookup() {
    let deep = format!(r#"{{"a":{}{},"b":"x"}}"#, "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(read("/b", &request("/", &[], &deep)), Ok(Some("x".to_owned())));
    assert_eq!(read("/a", &request("/", &[], &deep)), Ok(None));
}

#[test]
fn a_slot_that_names_no_place_is_refused() {
    for wrong in [
        "",
        "body",
        "header:",
        "header:x y",
        "query:",
        "form:",
        "form:a/b~2",
        "param:",
        "'a",
        "/a~",
        "./a",
        "a:b",
    ] {
        assert!(Slot::parse(wrong).is_err(), "{wrong:?}");
    }
    for right in ["header:x-id", "query:a", "form:a", "form:a/b~1c", "/a/~0b/0", "param:x", "'a b'"] {
        assert_eq!(Slot::parse(right).unwrap().to_string(), right);
    }
}

#[test]
fn a_star_stands_for_every_element() {
    let text = r#"{"items":[{"item":{"a":1}},{"item":2},{"other":3}],"*":{"x":4}}"#;
    let all = |pointer| Pointer::parse(pointer).unwrap().all(text).unwrap();
    assert_eq!(all("/items/*/item"), [r#"{"a":1}"#, "2"]);
    assert_eq!(all("/items/*"), [r#"{"item":{"a":1}}"#, r#"{"item":2}"#, r#"{"other":3}"#]);
    assert!(all("/*/x").is_empty(), "an object has no elements, whatever its members are called");
    assert!(all("/nothing/*").is_empty());
}

/// JSON values without repeated members.
fn values() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["a", "b", "~", "/", "0", "1", "é", "*x"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const MULTIPART: (&str, &str) = ("content-type", "Multipart/Form-Data; charset=utf-8; boundary=\"x Y\"");

#[test]
fn a_field_of_a_multipart_form_is_read() {
    let form = request(
        "/hooks/a",
        &[MULTIPART],
        "preamble\r\n--x Y \t\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x Y\r\n\
         content-type: text/plain\r\nCONTENT-disposition:form-data;NAME=b\r\n\r\n{\"c\":\r\n2}\r\n--x Y\r\n\
         Content-Disposition: form-data; name=\"q\\\"q;name=a\"\r\n\r\n\r\n--x Y\r\n\
         Content-Disposition: form-data; name=\"a\"; filename=\"a.pdf\"\r\n\r\n3\r\n--x Y\r\n\r\nnameless\r\n--x Y--\r\n",
    );
    for (slot, value) in
        [("form:a", Some("1")), ("form:b/c", Some("2")), ("form:q\"q;name=a", Some("")), ("form:d", None)]
    {
        assert_eq!(read(slot, &form), Ok(value.map(str::to_owned)), "{slot}");
    }
}

#[test]
fn a_body_that_is_no_form_has_no_fields_whatever_its_text_looks_like() {
    for kind in [&[][..], &[("content-type", "application/json")]] {
        assert_eq!(read("form:b", &request("/", kind, r#"{"text":"x&b=1&y"}"#)), Ok(None), "{kind:?}");
    }
}

#[test]
fn a_form_that_costs_too_much_to_walk_over_is_refused() {
    let many = request("/", &[FORM], &"+&".repeat(20_000));
    assert!(matches!(read("form:a", &many), Err(SlotError::Malformed(_))));
    let part = format!("--x Y\r\nContent-Disposition: form-data{}\r\n\r\n1\r\n", ";a".repeat(7000));
    let heads = request("/", &[MULTIPART], &format!("{}--x Y--", part.repeat(40)));
    assert!(matches!(read("form:a", &heads), Err(SlotError::Malformed(_))));
}

#[test]
fn a_multipart_form_that_two_readers_could_divide_in_two_ways_is_refused() {
    let part = |head: &str| format!("--x Y\r\n{head}\r\n\r\n1\r\n--x Y--");
    let named = "Content-Disposition: form-data; name=\"a\"";
    let good = part(named);
    assert_eq!(read("form:a", &request("/", &[MULTIPART], &good)), Ok(Some("1".to_owned())));
    for body in [
        part(&format!("{named}\r\n{named}")),
        part("Content-Disposition: form-data; name=\"a"),
        part("Content-Disposition: form-data; name=a; name=b"),
        part("Content-Disposition: form-data;\r\n name=a"),
        part("Content-Disposition: form-data; name=b;\r\n name=a"),
        part("Content-Disposition: form-data; name=a; filename=\"x\\\""),
        part("Content-Disposition: form-data; name=b; filename=\"x\\\"; name=a"),
        part("Content-Disposition: form-data; filename=\"x\\\""),
        part("Content-Type: text/plain;\r\n Content-Disposition: form-data; name=a"),
        part(
            "Content-Type: text/plain\rContent-Disposition: form-data; name=b\r\nContent-Disposition: form-data; name=a",
        ),
        part("Content-Disposition : form-data; name=a"),
        good.replace("--x Y--", "--x Y"),
        good.replace("\r\n--x Y--", "--x Y--"),
        good.replace("x Y\r\n", "x Yz\r\n"),
        good.replace("\r\n", "\n"),
        "a=1".to_owned(),
        String::new(),
        format!("{}--x Y--", part(named).replace("--x Y--", "").repeat(1001)),
    ] {
        let read = read("form:a", &request("/", &[MULTIPART], &body));
        assert!(matches!(read, Err(SlotError::Malformed(_))), "{body:?}: {read:?}");
    }
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
    ] {
        let read = read("form:a", &request("/", &[("content-type", kind)], &good));
        assert!(matches!(read, Err(SlotError::Malformed(_))), "{kind}");
    }
    let twice = good.replace("--x Y--", good.as_str());
    assert!(matches!(read("form:a", &request("/", &[MULTIPART], &twice)), Err(SlotError::Repeated(_))));
}

#[test]
fn an_odd_head_of_another_part_takes_no_field_away() {
    for odd in [
        "Content-Disposition: form-data; name=\"b\"\r\nContent-Type: text/plain;\r\n charset=utf-8",
        "Content-Disposition: form-data; name=\"b\"; filename=\"x\\\"",
        "Content-Disposition: form-data; name=\"b\";\r\n filename=\"a.pdf\"",
        "Content-Disposition: form-data;\r\n\tname=\"b\"",
        "Content-Type: text/plain;\r\n charset=utf-8",
    ] {
        let named = "Content-Disposition: form-data; name=\"a\"";
        let body = format!("--x Y\r\n{odd}\r\n\r\n2\r\n--x Y\r\n{named}\r\n\r\n1\r\n--x Y--");
        assert_eq!(read("form:a", &request("/", &[MULTIPART], &body)), Ok(Some("1".to_owned())), "{odd}");
    }
}

#[test]
fn a_form_of_two_types_is_refused() {
    let body = "--x Y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x Y--";
    for types in [[MULTIPART, FORM], [FORM, MULTIPART], [("content-type", "application/json"), FORM]] {
        let read = read("form:a", &request("/", &types, body));
        assert!(matches!(read, Err(SlotError::Repeated(_))), "{types:?}: {read:?}");
    }
}

proptest! {
    #[test]
    fn a_multipart_form_that_was_written_is_read(
        fields in prop::collection::btree_map("[a-z;= ]{1,6}", "[ -~\\r\\n]{0,12}", 0..5),
        boundary in "[A-Za-z0-9'()+_,./:=?-]{1,70}",
    ) {
        let kind = format!("multipart/form-data; boundary=\"{boundary}\"");
        let part = |(name, value): (&String, &String)| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let parts: Vec<String> = fields.iter().map(part).chain([format!("--{boundary}--\r\n")]).collect();
        let body = parts.concat();
        prop_assume!(body.matches(&format!("--{boundary}")).count() == fields.len() + 1);
        let mut form = request("/", &[], &body);
        form.headers.insert("content-type", kind.parse().unwrap());
        for (name, value) in &fields {
            prop_assert_eq!(read(&format!("form:{name}"), &form), Ok(Some(value.clone())));
        }
        prop_assert_eq!(read("form:other", &form), Ok(None));
    }

    #[test]
    fn no_bytes_break_the_multipart_reader(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "--b", "\r\n", "--", "Content-Disposition:", "form-data", ";", "name=", "\"", "\\", "a", ":", " ", "\r\n\r\n",
        ]), 0..40),
    ) {
        let body = pieces.concat();
        let form = request("/", &[("content-type", "multipart/form-data; boundary=b")], &body);
        if let Ok(Some(value)) = read("form:a", &form) {
            prop_assert!(body.contains(&value));
        }
    }

    #[test]
    fn a_form_that_was_encoded_decodes_to_itself(
        fields in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..8), prop::collection::vec(any::<u8>(), 0..8)), 0..6),
    ) {
        let encode = |text: &[u8]| percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%20", "+");
        let text: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let text = text.join("&");
        let again: Vec<_> = form::pairs(text.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        prop_assert_eq!(again, fields);
    }

    #[test]
    fn no_bytes_break_the_form_decoder(text in prop::collection::vec(any::<u8>(), 0..64)) {
        let fields = form::pairs(&text).count();
        prop_assert!(fields <= text.split(|byte| *byte == b'&').count());
    }

    #[test]
    fn a_lookup_finds_what_a_tree_holds(
        value in values(),
        tokens in prop::collection::vec(prop::sample::select(vec!["a", "b", "~0", "~1", "0", "1", "01", "é"]), 1..4),
        pretty in any::<bool>(),
    ) {
        let pointer = format!("/{}", tokens.join("/"));
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let expected = value.pointer(&pointer).and_then(|value| match value {
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            Value::String(text) => Some(text.clone()),
            other @ (Value::Bool(_) | Value::Number(_)) => Some(other.to_string()),
        });
        let found = Pointer::parse(&pointer).unwrap().scalar(&text).unwrap();
        prop_assert_eq!(found.map(std::borrow::Cow::into_owned), expected);
        let all = Pointer::parse(&pointer).unwrap().all(&text).unwrap();
        let all: Vec<Value> = all.into_iter().map(|raw| serde_json::from_str(raw).unwrap()).collect();
        prop_assert_eq!(all, value.pointer(&pointer).into_iter().cloned().collect::<Vec<_>>());
    }
}

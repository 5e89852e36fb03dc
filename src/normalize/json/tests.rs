//! The scan agrees with a reader that builds a tree, and refuses what no reader should be given.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json, value::RawValue};
use std::collections::BTreeMap;

/// Any JSON value, with names that need escapes in pointers and in strings.
fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0e15_f64..1.0e15).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(names(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b/c".to_owned()), Just("d~e".to_owned()), "[0-3]", ".{0,3}"]
}

/// Returns every pointer of a document, each container's own among them.
fn pointers_of(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers_of(item, &format!("{at}/{index}"), all);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let token = name.replace('~', "~0").replace('/', "~1");
                pointers_of(member, &format!("{at}/{token}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Writes a value with every string as escapes, as some senders do.
fn escaped(value: &Value) -> String {
    let string = |text: &str| {
        let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("\"{}\"", units.concat())
    };
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(escaped).collect::<Vec<_>>().join(" , ")),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, member)| format!("{}: {}", string(name), escaped(member)))
                .collect();
            format!("{{ {} }}", members.join(",\n"))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn nested(levels: usize) -> Vec<u8> {
    [b"[".repeat(levels), b"]".repeat(levels)].concat()
}

proptest! {
    #[test]
    fn the_scan_finds_what_a_tree_holds(
        document in values(),
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
        others in prop::collection::vec("(/[a-e0-3]{0,2}){0,3}", 0..4),
        escapes in any::<bool>(),
    ) {
        let mut present = Vec::new();
        pointers_of(&document, "", &mut present);
        let wanted: Vec<String> =
            chosen.iter().map(|index| index.get(&present).clone()).chain(others).collect();
        let mut pointers = Pointers::default();
        let leaves: Vec<usize> = wanted.iter().map(|pointer| pointers.add(pointer)).collect();
        let text = if escapes { escaped(&document) } else { document.to_string() };

        let found = pointers.scan(text.as_bytes()).unwrap();
        for (pointer, leaf) in wanted.iter().zip(leaves) {
            let expected = document.pointer(pointer).filter(|value| !value.is_null());
            let scanned: Option<Value> = found.raw(leaf).map(|raw| serde_json::from_str(raw).unwrap());
            prop_assert_eq!(scanned.as_ref(), expected, "at {:?} of {}", pointer, text);
        }
        prop_assert_eq!(found.repeated(), None);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_agree_with_a_reader(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let pointers = Pointers::default();
        let taken = pointers.scan(&body).is_ok();
        prop_assert_eq!(taken, serde_json::from_slice::<Value>(&body).is_ok());
    }

    #[test]
    fn almost_json_agrees_with_a_reader(body in r#"[\[\]{}",:0-9a\\u.e+ tfn-]{0,24}"#) {
        let mut pointers = Pointers::default();
        let _leaf = pointers.add("/a/0");
        // The walk takes numbers that no f64 holds, since it never turns a number into one.
        let reader = serde_json::from_str::<IgnoredAny>(&body).is_ok();
        prop_assert_eq!(pointers.scan(body.as_bytes()).is_ok(), reader, "{:?}", body);
    }
}

#[test]
fn nesting_is_bounded_before_anything_recurses() {
    let pointers = Pointers::default();
    for levels in [126, 127, 128] {
        assert!(pointers.scan(&nested(levels)).is_ok(), "{levels} levels");
    }
    for levels in [129, 130, 100_000] {
        assert!(matches!(pointers.scan(&nested(levels)), Err(ScanError::TooDeep)), "{levels} levels");
    }
}

#[test]
fn the_deepest_body_is_shown_out_of_its_envelope() {
    let body = String::from_utf8(nested(MAX_DEPTH)).unwrap();
    let envelope = format!(r#"{{"id":"1","source":"/a","type":"t","data":{body}}}"#);
    let read: BTreeMap<&str, &RawValue> = serde_json::from_str(&envelope).unwrap();
    assert_eq!(read["data"].get(), body);
}

#[test]
fn brackets_in_strings_are_no_nesting() {
    let body = json!({ "text": "[".repeat(1000), "quoted": format!("\\\"{}", "{".repeat(1000)) }).to_string();
    assert!(Pointers::default().scan(body.as_bytes()).is_ok());
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_place() {
    let error = Pointers::default().scan(b"{\"a\":\"\xff\"}").unwrap_err();
    assert_eq!(error.to_string(), "the body is not UTF-8 from byte 6 on");
}

#[test]
fn one_byte_order_mark_is_passed_over() {
    let mut pointers = Pointers::default();
    let leaf = pointers.add("/a");
    assert_eq!(pointers.scan("\u{feff}{\"a\":1}".as_bytes()).unwrap().raw(leaf), Some("1"));
    assert!(is_valid("\u{feff}[]".as_bytes()));
    for body in ["\u{feff}\u{feff}{}", "{\u{feff}}", "\u{feff}"] {
        assert!(pointers.scan(body.as_bytes()).is_err(), "{body:?}");
    }
}

#[test]
fn two_texts_are_not_one() {
    for body in ["{} {}", "{},", "", " ", "{\"a\":1}x"] {
        assert!(matches!(Pointers::default().scan(body.as_bytes()), Err(ScanError::NotJson(_))), "{body:?}");
    }
}

#[test]
fn a_member_that_stands_twice_on_the_way_is_told() {
    let mut pointers = Pointers::default();
    pointers.add("/object/id");
    for (body, repeated) in [
        (r#"{"object":{"id":1,"id":2}}"#, Some("id")),
        (r#"{"object":{"id":1},"object":{}}"#, Some("object")),
        (r#"{"object":{"id":1},"\u006fbject":{}}"#, Some("object")),
        (r#"{"object":{"id":1},"other":1,"other":2}"#, None),
        (r#"{"object":[{"id":1,"id":2}]}"#, None),
    ] {
        assert_eq!(pointers.scan(body.as_bytes()).unwrap().repeated(), repeated, "{body}");
    }
}

#[test]
fn a_member_that_stands_twice_is_told_however_many_are_looked_for() {
    let mut pointers = Pointers::default();
    for number in 0..200 {
        pointers.add(&format!("/m{number}"));
    }
    for number in [0, 63, 64, 65, 128, 199] {
        let name = format!("m{number}");
        let body = format!(r#"{{"{name}":1,"m7":2,"{name}":3}}"#);
        assert_eq!(pointers.scan(body.as_bytes()).unwrap().repeated(), Some(&*name));
    }
    assert_eq!(pointers.scan(br#"{"m1":1,"m65":2,"m129":3}"#).unwrap().repeated(), None);
}

#[test]
fn a_number_keeps_the_digits_that_were_sent() {
    let mut pointers = Pointers::default();
    let leaf = pointers.add("/id");
    for number in ["9007199254740993", "1.10", "123456789012345678901234567890", "-0", "1E400"] {
        let body = format!(r#"{{"id":{number}}}"#);
        assert_eq!(pointers.scan(body.as_bytes()).unwrap().raw(leaf), Some(number));
    }
}

#[test]
fn the_same_pointer_has_one_leaf() {
    let mut pointers = Pointers::default();
    let first = pointers.add("/a~1b/c");
    assert_eq!(pointers.add("/a~1b/c"), first);
    assert_ne!(pointers.add("/a/b/c"), first);
}

//! What names an event: whose word an id is, what two events of one request are called, and what is no id at all.

use super::*;
use crate::verify::Assurance;

/// Headers of a JSON body with an id that nothing covers, and one that is signed.
const HEADERS: &[(&str, &str)] =
    &[("content-type", "application/json"), ("x-open", "o"), ("x-signed", "s"), ("x-empty", "")];

fn events(spec: Value, body: &str) -> Vec<Event> {
    normalizer(spec).normalize(&delivery(body.as_bytes(), HEADERS))
}

fn first(spec: Value, body: &str) -> (String, Identity) {
    let event = events(spec, body).remove(0);
    assert_eq!(reason(&event), None);
    (event.id, event.identity)
}

fn digest(text: &str) -> String {
    format!("{:.32}", values::sha256_hex(text.as_bytes()))
}

fn ids(spec: Value, body: &str) -> Vec<String> {
    events(spec, body).into_iter().map(|event| event.id).collect()
}

#[test]
fn an_id_that_nothing_covers_gets_the_digest_of_what_is_signed() {
    let body = r#"{"id":"b"}"#;
    let open = |id: &str| first(json!({ "id": id }), body);
    let with_digest = |id: &str| (format!("{id}-{}", digest(body)), Identity::BytesInId);
    assert_eq!(open("header:x-open"), with_digest("o"));
    assert_eq!(open("{/id}-{header:x-open}"), with_digest("b-o"));
    assert_eq!(open("{header:x-none|header:x-open}"), with_digest("o"));
    assert_eq!(open("{/id|header:x-open}"), ("b".to_owned(), Identity::Bytes), "only what was read counts");
    assert_eq!(open("header:x-signed"), ("s".to_owned(), Identity::Bytes));
    let short = open("{header:x-open}-{sha256:16}");
    assert_eq!(short.1, Identity::Bytes, "half of it may be another's");
    let passed_over = open("[{sha256:32}-{header:x-none}]{/id}-{header:x-signed}");
    assert_eq!(
        passed_over,
        ("b-s".to_owned(), Identity::Bytes),
        "a digest that was read and not taken says nothing"
    );
    let written = open("{header:x-open}-{sha256:32}");
    assert_eq!(written, with_digest("o"), "once is enough");
}

#[test]
fn an_element_has_the_digest_of_its_own_bytes() {
    let spec = json!({ "each": "/*", "id": "{header:x-open}-{./n}" });
    assert_eq!(ids(spec, r#"[{"n":1}]"#), [format!("o-1-{}", digest(r#"{"n":1}"#))]);
}

#[test]
fn where_nothing_is_signed_the_senders_word_stands() {
    let spec: EventSpec = serde_json::from_value(json!({ "id": "header:x-open" })).unwrap();
    for (standing, ids_are_unique) in
        [(Standing::Vouched, false), (Standing::Vouched, true), (Standing::Unproven, true)]
    {
        let (sender, source, params, withheld) = ("test", "a", Params::new(), Withheld::default());
        let standing = &|_: &[Slot], _: Option<&str>| standing;
        let setting = Setting { sender, source, params, withheld, standing, ids_are_unique };
        let event =
            Normalizer::compile(&spec, setting).unwrap().normalize(&delivery(b"{}", HEADERS)).remove(0);
        // The delivery itself was proven by nothing, so that no statement about ids holds.
        assert_eq!((event.id.as_str(), event.identity), ("o", Identity::Bytes));
        assert_eq!(event.assurance, Assurance::None);
    }
}

#[test]
fn without_an_id_nothing_tells_a_repeat() {
    for spec in [json!({}), json!({ "id": "{uuid}" }), json!({ "id": "[{/none}]" })] {
        let [(one, identity), (other, _)] = [first(spec.clone(), "{}"), first(spec, "{}")];
        assert_eq!(identity, Identity::Fresh);
        assert!(one.parse::<uuid::Uuid>().is_ok() && one != other);
    }
    let by_digest = first(json!({ "id": "sha256:{sha256}" }), "{}");
    assert_eq!(by_digest, (format!("sha256:{}", values::sha256_hex(b"{}")), Identity::Digest));
    assert_eq!(first(json!({ "id": "{/id|uuid}" }), r#"{"id":7}"#), ("7".to_owned(), Identity::Bytes));
}

#[test]
fn an_empty_text_is_no_value() {
    let spec = json!({
        "type": "{/kind|'none'}", "account": "/account", "time": "/none|/at", "id": "{/event|/other}",
        "rules": [
            { "object": "refund", "object_id": "/original" },
            { "object": "payment", "object_id": "/reference" },
            { "object": "/object", "key": "[{/key}]" },
        ],
    });
    let one = |body: Value| {
        let event = events(spec.clone(), &body.to_string()).remove(0);
        assert_eq!(reason(&event), None, "{body}");
        event
    };
    let event = one(json!({
        "kind": "", "account": "", "none": "", "at": 1_700_000_000, "event": "", "other": "e",
        "original": "", "reference": "r",
    }));
    assert_eq!((event.kind.as_str(), &*event.source, event.id.as_str()), ("none", "/test/a", "e"));
    assert_eq!((event.key.as_deref(), event.time.is_some()), (Some("payment:r"), true));
    let event = one(json!({ "event": "e", "reference": "", "object": "door", "key": "" }));
    assert_eq!((event.subject.as_deref(), event.key.as_deref()), (Some("door"), None));
    let header = first(json!({ "id": "{header:x-empty|header:x-signed}" }), "{}");
    assert_eq!(header.0, "s");
    let shapes = json!({ "shapes": [{ "has": "/a" }, { "root": "/b" }], "id": "{./id}" });
    assert_eq!(ids(shapes, r#"{"a":"","id":"0","b":{"id":"1"}}"#), ["1"]);
}

#[test]
fn elements_that_share_an_id_and_differ_have_ids_of_their_own() {
    let spec = || json!({ "each": "/*", "id": "{./id}" });
    let (a, b, c) = (r#"{"id":1,"n":1}"#, r#"{"id":1,"n":2}"#, r#"{"id":2}"#);
    let own = |text| format!("1-{}", digest(text));
    assert_eq!(ids(spec(), &format!("[{a},{b},{c}]")), [own(a), own(b), "2".to_owned()]);
    assert_eq!(
        ids(spec(), &format!("[{b},{c},{a}]")),
        [own(b), "2".to_owned(), own(a)],
        "whatever their order"
    );
    assert_eq!(ids(spec(), &format!("[{a},{a},{b}]")), [own(a), own(a), own(b)], "equal ones are one event");
    assert_eq!(ids(spec(), &format!("[{a},{a}]")), ["1", "1"]);
    let slip = json!({ "each": "/list/*", "id": "{/batch}" });
    let body = format!(r#"{{"batch":"x","list":[{a},{c}]}}"#);
    assert_eq!(ids(slip, &body), [a, c].map(|text| format!("x-{}", digest(text))));
}

#[test]
fn equal_elements_without_any_id_are_as_many_events_as_there_are() {
    let spec = json!({ "each": "/*", "id": "sha256:{sha256}" });
    let own = |text: &str| format!("sha256:{}", values::sha256_hex(text.as_bytes()));
    let (a, b) = (r#"{"n":1}"#, r#"{"n":2}"#);
    let found = ids(spec, &format!("[{a},{b},{a},{a}]"));
    assert_eq!(found, [own(a), own(b), own(a) + "/1", own(a) + "/2"]);
}

#[test]
fn equal_elements_around_which_something_differs_are_two_events() {
    let spec = json!({ "each": "/*/changes/*", "id": "{./id}", "key": "{../page}" });
    let events = events(spec, r#"[{"page":"p1","changes":[{"id":1}]},{"page":"p2","changes":[{"id":1}]}]"#);
    assert_ne!(events[0].content(), events[1].content());
    assert_eq!(events[0].content()[3], events[1].content()[3]);
}

proptest! {
    /// Whatever a list holds, what differs has an id of its own, and a retry has the same ones.
    #[test]
    fn no_two_elements_that_differ_share_an_id(elements in prop::collection::vec((0_u8..3, 0_u8..4), 0..12)) {
        let list: Vec<Value> = elements.iter().map(|(id, n)| json!({ "id": id, "n": n })).collect();
        let body = json!(list).to_string();
        let spec = || json!({ "each": "/*", "id": "{./id}" });
        let events = events(spec(), &body);
        for (place, event) in events.iter().enumerate().filter(|_| !list.is_empty()) {
            for other in &events[place + 1..] {
                prop_assert_eq!(event.id == other.id, event.data == other.data);
            }
        }
        let mut reversed = list.clone();
        reversed.reverse();
        let mut names = ids(spec(), &json!(reversed).to_string());
        names.reverse();
        if !list.is_empty() {
            prop_assert_eq!(names, events.into_iter().map(|event| event.id).collect::<Vec<_>>());
        }
    }
}

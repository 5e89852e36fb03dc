//! What a document is doubted for, and what the quarantine says of an event that it does not find.

use super::*;

#[test]
fn the_reason_names_what_was_looked_for() {
    let detail = |spec: Value, body: &[u8], headers: &[(&'static str, &'static str)]| {
        let event = normalizer(spec).normalize(&delivery(body, headers)).remove(0);
        event.quarantine.unwrap().detail
    };
    let rules = || {
        json!({
            "type": "/type", "id": "/event",
            "rules": [
                { "when": ["a"], "object": "door", "object_id": "/door" },
                { "when": ["a"], "object": "lock", "object_id": "/lock", "key": "k{/key}" },
                { "when": ["b"], "has": "/b" },
            ],
        })
    };
    for (body, lack) in [
        (&br#"{"type":"a","event":"1"}"#[..], "`object_id` of the event \"a\""),
        (br#"{"type":"a","lock":1,"event":"1"}"#, "`key` of the event \"a\""),
        (br#"{"type":"a","door":1}"#, "`id` of the event \"a\""),
        (br#"{"type":"b","event":"1"}"#, "`has` of the event \"b\""),
        (br#"{"type":"c","event":"1"}"#, "no rule is for the event \"c\""),
    ] {
        let detail = detail(rules(), body, &[]);
        assert!(detail.contains(lack), "{detail}");
    }
    let json = json!({ "format": "json", "instead": "x-form" });
    assert_eq!(detail(json, b"a=1", FORM), "expected JSON and found a form, which the preset `x-form` reads");
    for (preset, body, headers, named) in [
        ("github", &b"payload=%7B%7D"[..], FORM, "`github-form`"),
        ("mailgun", b"token=1", FORM, "`mailgun-form`"),
    ] {
        let spec: senders::SenderSpec = serde_saphyr::from_str(senders::preset(preset).unwrap()).unwrap();
        let event =
            compile(&spec.event.unwrap(), preset).unwrap().normalize(&delivery(body, headers)).remove(0);
        assert!(event.quarantine.unwrap().detail.contains(named), "{preset}");
    }
    let lists = json!({ "format": "json", "each": "/*" });
    assert_eq!(detail(lists, b"a=1", FORM), "expected JSON and found a form");
    let form = json!({ "format": "form", "instead": "x" });
    assert!(detail(form, b"{}", &[]).ends_with("found no content type, which the preset `x` reads"));
}

#[test]
fn a_text_that_names_no_place_is_doubted_unless_quotes_say_that_it_is_one() {
    let spec = json!({
        "type": "event", "account": "'a'", "time": "$.at", "object": "order", "object_id": "order.id", "key": "{/key}", "id": "{/id}",
        "rules": [{ "when": ["x"], "key": "'all'" }, { "key": "k-[{/k}]", "id": "event_id" }, {}],
        "shapes": [{ "has": "/a" }, {}], "allow": { "a": { "at": "a", "values": ["a"] } },
    });
    let doubts = normalizer(spec).doubts();
    let found: Vec<_> = doubts.iter().map(|doubt| &*doubt.field).collect();
    assert_eq!(
        found,
        ["event.type", "event.time", "event.object_id", "event.rules.1.id", "event.allow.a.at"]
    );
    let quoted = one(&normalizer(json!({ "type": "'order.made'", "key": "'all'" })), b"{}");
    assert_eq!((quoted.kind.as_str(), quoted.key.as_deref()), ("order.made", Some("all")));
}

#[test]
fn no_preset_has_a_text_that_could_be_meant_as_a_place() {
    for name in senders::names() {
        let spec: senders::SenderSpec = serde_saphyr::from_str(senders::preset(name).unwrap()).unwrap();
        let doubts = compile(&spec.event.unwrap_or_default(), name).unwrap().doubts();
        assert!(doubts.iter().all(|doubt| !doubt.problem.contains("names no place")), "{name}: {doubts:?}");
    }
}

#[test]
fn a_shape_may_name_the_event() {
    let spec = json!({
        "type": "/event",
        "shapes": [{ "has": "/event" }, { "has": "/done", "type": "'SYNC'" }, { "has": "/kind", "type": "k.{/kind}" }],
    });
    let kind = |body: &[u8]| one(&normalizer(spec.clone()), body).kind;
    assert_eq!(kind(br#"{"event":"A","done":true}"#), "A");
    assert_eq!(kind(br#"{"done":false}"#), "SYNC");
    assert_eq!(kind(br#"{"kind":"B"}"#), "k.B");
}

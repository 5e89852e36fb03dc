//! First match wins; text from a sender can fill a slot and never leave it.

mod planned;

use super::{template::*, *};
use crate::{event::Identity, verify::Assurance};
use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

fn event(source: &str, kind: &str, subject: Option<&str>, key: Option<&str>) -> Event {
    Event {
        id: "1".to_owned(),
        identity: Identity::Bytes,
        id_conflicts: false,
        in_turn: false,
        source: format!("/test/{source}").into(),
        source_name: source.into(),
        kind: kind.to_owned(),
        subject: subject.map(str::to_owned),
        key: key.map(str::to_owned),
        time: None,
        recorded: Timestamp::UNIX_EPOCH,
        content_type: None,
        assurance: Assurance::None,
        data: Bytes::new(),
        data_is_json: false,
        type_is_unsigned: false,
        carried: None,
        quarantine: None,
    }
}

fn subject(template: &str) -> Destination {
    Destination::subject(template).unwrap()
}

fn topic(template: &str) -> Destination {
    Destination::topic(template).unwrap()
}

fn route(source: Option<&str>, kind: Option<&str>, object: Option<&str>, topics: &[&str]) -> Route {
    let pattern = |text: Option<&str>| text.map(WildMatch::new);
    let to = topics.iter().map(|name| RouteTarget { sink: "a".into(), destination: topic(name) }).collect();
    Route { source: pattern(source), kind: pattern(kind), object: pattern(object), to }
}

fn planned(routes: &Routes, event: &Event) -> Vec<String> {
    match routes.plan(event).unwrap() {
        Plan::Publish(targets) => targets.iter().map(|target| target.destination.to_string()).collect(),
        Plan::Drop => vec!["drop".to_owned()],
    }
}

#[test]
fn the_first_route_that_matches_wins() {
    let routes = Routes::new(vec![
        route(Some("hotel"), Some("tech.likemagic.RESERVATION_*"), None, &["reservations"]),
        route(Some("hotel"), None, Some("LOCK"), &["locks", "audit"]),
        route(Some("h*"), Some("*_NOISE"), None, &[]),
        route(None, None, None, &["rest"]),
    ]);
    let plan = |source, kind, subject| planned(&routes, &event(source, kind, subject, None));
    assert_eq!(plan("hotel", "tech.likemagic.RESERVATION_CREATED", Some("LOCK/1")), ["reservations"]);
    assert_eq!(plan("hotel", "tech.likemagic.DOOR_OPEN_FAILED", Some("LOCK/1")), ["locks", "audit"]);
    assert_eq!(plan("hall", "A_NOISE", None), ["drop"]);
    assert_eq!(plan("units", "A_NOISE", None), ["rest"]);
    assert_eq!(plan("hotel", "other", None), ["rest"], "no object is no match for an object pattern");
}

#[test]
fn what_no_route_takes_is_unrouted_and_says_so() {
    let routes = Routes::new(vec![route(Some("hotel"), None, None, &["all"])]);
    let unplanned = routes.plan(&event("units", "com.x", None, None)).unwrap_err();
    assert_eq!(unplanned.reason, Reason::Unrouted);
    assert!(unplanned.detail.contains("units") && unplanned.detail.contains("com.x"), "{}", unplanned.detail);
}

#[test]
fn a_topic_that_kafka_does_not_take_is_unroutable() {
    let routes = Routes::new(vec![route(None, None, None, &["t.{object}"])]);
    assert_eq!(planned(&routes, &event("a", "k", Some("LOCK/1"), None)), ["t.LOCK"]);
    for object in ["LO CK/1", "löck/1", &format!("{}/1", "x".repeat(300))] {
        let unplanned = routes.plan(&event("a", "k", Some(object), None)).unwrap_err();
        assert_eq!(unplanned.reason, Reason::Unroutable, "{object}");
    }
}

#[test]
fn an_absent_value_is_an_underscore() {
    let destination = subject("w.{source}.{object}.{key}");
    assert_eq!(&*destination.render(&event("a", "k", None, None)).unwrap(), "w.a._._");
    assert_eq!(&*destination.render(&event("a", "k", Some(""), Some(""))).unwrap(), "w.a._._");
}

#[test]
fn a_subject_longer_than_a_server_takes_is_refused() {
    let key = "*".repeat(1000);
    assert!(subject("w.{key}").render(&event("a", "k", None, Some(&key))).is_err());
}

#[test]
fn a_fixed_name_is_shared_and_never_filled() {
    let name = Name::parse("hotel.reservations").unwrap();
    assert_eq!(name.fixed().map(|name| &**name), Some("hotel.reservations"));
    assert_eq!(Name::parse("a.{key}").unwrap().fixed(), None);
    assert_eq!(&*Destination::Journal.render(&event("a", "k", None, None)).unwrap(), "");
}

#[test]
fn a_template_that_could_become_anything_is_refused() {
    for text in ["{key}", "{object}.a", "{type}"] {
        assert!(Name::parse(text).unwrap_err().contains("which the sender chooses"), "{text}");
    }
    for text in ["a{", "a}", "}{key}", "a.{key"] {
        assert!(Name::parse(text).unwrap_err().contains('`'), "{text}");
    }
    assert!(Name::parse("a.{id}").unwrap_err().contains("found \"{id}\""));
    assert!(Name::parse("{source}.{key}").is_ok(), "the source's name is the operator's own");
}

#[test]
fn topics_and_subjects_have_only_legal_characters() {
    for wrong in ["", "a b", "a/b", "..", "{sauce}", "x{", "x}", "a}{key", "x{{key}}", "{type}"] {
        assert!(Destination::topic(wrong).is_err(), "{wrong:?}");
    }
    assert!(Destination::topic(&"a".repeat(249)).is_ok());
    assert!(Destination::topic(&"a".repeat(250)).is_err());
    assert!(Destination::topic("{source}.x").is_ok());
    let wrong =
        ["", ".a", "a.", "a..b", "a.*", "a.>", "$JS.API", "a.x{key}", "a b", "a.{key}{type}", "{key}.x"];
    for wrong in wrong {
        assert!(Destination::subject(wrong).is_err(), "{wrong:?}");
    }
    assert!(Destination::subject("webhooks.{source}.{object}.{key}").is_ok());
}

#[test]
fn a_template_that_comes_to_nothing_but_dots_names_no_topic() {
    for (template, key) in [(".{key}", "."), ("{source}{key}", "."), (".{key}", "")] {
        let source = if template.starts_with('{') { "." } else { "a" };
        let filled = topic(template).render(&event(source, "k", None, Some(key)));
        let is_dots = |name: &str| matches!(name, "." | "..");
        assert!(!filled.as_deref().is_ok_and(is_dots), "{template} {key:?}: {filled:?}");
    }
    assert_eq!(topic(".{key}").render(&event("a", "k", None, Some("a"))).as_deref(), Ok(".a"));
}

proptest! {
    #[test]
    fn a_subject_has_the_tokens_of_its_template_and_none_of_a_server_s_signs(
        kind in ".{1,24}", object in ".{0,24}", key in ".{0,40}",
    ) {
        let subject_of = format!("{object}/1");
        let event = event("hotel", &kind, Some(&subject_of), Some(&key));
        let filled = subject("webhooks.{source}.{type}.{object}.{key}").render(&event).unwrap();
        let tokens: Vec<&str> = filled.split('.').collect();
        prop_assert_eq!(tokens.len(), 5, "{}", filled);
        prop_assert_eq!(&tokens[..2], &["webhooks", "hotel"]);
        for token in tokens {
            prop_assert!(!token.is_empty());
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte);
            prop_assert!(token.bytes().all(is_plain), "{}", token);
        }
    }

    #[test]
    fn a_token_can_be_read_back(key in ".{1,40}") {
        let filled = subject("w.{key}").render(&event("a", "k", None, Some(&key))).unwrap();
        let token = filled.strip_prefix("w.").unwrap();
        let decoded = percent_encoding::percent_decode_str(token).decode_utf8().unwrap();
        prop_assert_eq!(decoded, key);
    }

    #[test]
    fn a_topic_stays_behind_its_prefix_or_is_refused(object in ".{0,24}", key in ".{0,24}") {
        let subject_of = format!("{object}/1");
        let event = event("hotel", "k", Some(&subject_of), Some(&key));
        if let Ok(filled) = topic("hotel.{object}-{key}").render(&event) {
            prop_assert!(filled.starts_with("hotel."));
            prop_assert!(filled.len() <= 249);
            let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            prop_assert!(filled.bytes().all(is_legal));
        }
    }
}

//! What every preset makes of every event that its documents name can go everywhere: it keeps to the published schema, its
//! attributes are of a form that every consumer takes, it has a topic and a subject, and a retry of it is known again.

use super::{
    presets, sample,
    source::{self, Source},
};
use hookway::{
    event::{
        Event, Identity,
        envelope::{self, Binding, Origin},
    },
    route::template::Destination,
};
use jsonschema::Validator;
use serde_json::Value;
use std::sync::LazyLock;

const ORIGIN: Origin<'_> = Origin { replica: "node-1", path: "direct" };

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/envelope.schema.json")).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
});

/// One event of a sample.
struct Made {
    /// The preset and the name that the sample was sent under.
    what: String,
    prefix: Option<String>,
    event: Event,
}

/// Every event of every sample under every name that it has.
static MADE: LazyLock<Vec<Made>> = LazyLock::new(|| {
    let mut made = Vec::new();
    for source in presets().into_iter().map(Source::new) {
        let prefix = source.document["event"]["type_prefix"].as_str().map(str::to_owned);
        for sample in source.samples() {
            for named in &sample.names {
                let request = source.signed(&sample::request(&source, sample, named, source::now()), 0);
                let events = source.events(request).unwrap_or_default().into_iter();
                let what = format!("{} {named}", source.name);
                made.extend(events.map(|event| Made { what: what.clone(), prefix: prefix.clone(), event }));
            }
        }
    }
    assert!(made.len() > 300, "only {} events", made.len());
    made
});

#[test]
fn every_event_keeps_to_the_published_schema() {
    let mut wrong = Vec::new();
    for Made { what, event, .. } in MADE.iter() {
        let envelope: Value = serde_json::from_slice(&envelope::structured(event, ORIGIN)).unwrap();
        let errors = SCHEMA.iter_errors(&envelope).map(|error| error.to_string());
        wrong.extend(errors.map(|error| format!("{what}: {error}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_attribute_has_a_form_that_every_consumer_takes() {
    let mut wrong = Vec::new();
    for Made { what, prefix, event } in MADE.iter() {
        let behind = prefix.as_ref().map_or(Some(event.kind.as_str()), |prefix| {
            event.kind.strip_prefix(prefix.as_str()).and_then(|rest| rest.strip_prefix('.'))
        });
        let is_plain =
            |text: &str| !text.is_empty() && text.len() <= 512 && !text.contains(|c: char| c.is_control());
        let mut hold = |rule: &str, holds: bool| {
            if !holds {
                wrong.push(format!("{what}: {rule}: {event:?}"));
            }
        };
        hold("goes its way", event.quarantine.is_none());
        hold("has a type behind its prefix", behind.is_none_or(is_plain) && is_plain(&event.kind));
        hold("has an id", is_plain(&event.id));
        hold("has a source that is a path", event.source.starts_with('/') && is_plain(&event.source));
        hold("has no empty key", event.key.as_deref().is_none_or(is_plain));
        hold("has no empty subject", event.subject.as_deref().is_none_or(is_plain));
        // What a CloudEvent says of itself is its sender's own.
        hold(
            "has an object where it has a subject",
            event.carried.is_some() || event.object().is_none_or(is_plain),
        );
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_event_has_a_subject_of_as_many_tokens_as_its_template() {
    let subject = Destination::subject("hooks.{source}.{object}.{type}.{key}").unwrap();
    let mut wrong = Vec::new();
    for Made { what, event, .. } in MADE.iter() {
        let rendered = subject.render(event);
        let is_legal = |text: &str| {
            let mut tokens = text.split('.');
            text.split('.').count() == 5
                && tokens.all(|token| !token.is_empty() && !token.contains([' ', '*', '>', '\t', '\r', '\n']))
        };
        if !rendered.as_deref().is_ok_and(is_legal) {
            wrong.push(format!("{what}: {rendered:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_header_of_a_binary_record_is_one_line_of_text() {
    for Made { what, event, .. } in MADE.iter() {
        for binding in [Binding::Kafka, Binding::Nats] {
            let headers = envelope::binary_headers(event, ORIGIN, binding);
            for (name, value) in &headers {
                let is_name = name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
                assert!(is_name, "{what}: {name}");
                assert!(!value.contains(['\r', '\n', '\0']), "{what}: {name}: {value:?}");
            }
        }
    }
}

/// Returns what tells each event of one delivery from others, at this receipt.
fn told(source: &Source, number: usize, named: &str, key: usize) -> Vec<(String, String, Option<String>)> {
    let sample = &source.samples()[number];
    let request = source.signed(&sample::request(source, sample, named, source::now()), key);
    let events = source.events(request).unwrap_or_default();
    let fixed = events.into_iter().filter(|event| event.identity != Identity::Fresh);
    fixed.map(|event| (event.id, event.source.to_string(), event.key)).collect()
}

#[test]
fn a_retry_has_the_id_and_the_key_of_the_first_try_also_after_a_rotation() {
    let mut wrong = Vec::new();
    for name in presets() {
        let source = Source::new(name);
        for (number, sample) in source.samples().iter().enumerate() {
            let first = told(&source, number, &sample.names[0], 0);
            if first != told(&source, number, &sample.names[0], 0) {
                wrong.push(format!("{name} {}: a retry is another event", sample.names[0]));
            }
            // Signed with the next secret, it is the same event where the signature is no part of it.
            let (covers, is_keyed) = (source.verify()["from"].is_null(), source.is_keyed());
            if is_keyed && covers && first != told(&source, number, &sample.names[0], 1) {
                wrong.push(format!("{name} {}: under the next secret it is another event", sample.names[0]));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

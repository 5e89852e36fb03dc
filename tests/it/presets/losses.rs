//! The loss lint: pairs of requests that differ in one thing are made of every sample of every preset, and go through its real
//! normalizer and a real window. Whatever differs must arrive. There is no list of exceptions: only what a preset states as
//! `dedup.unique` lets an id speak for other bytes.

use super::{
    presets,
    sample::{self, UUID},
    source::{self, Source},
};
use hookway::{
    dedup::{Claim, Window},
    event::{Event, Identity},
    record::{Plan, Receipt},
    request::Request,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Names tried of one sample; the others differ in nothing but the name.
const NAMES: usize = 2;

/// Tells whether a window takes an event for a new one, and lets it be acknowledged.
fn is_published(window: &Window, event: &Event) -> bool {
    match window.claim_event(event) {
        Some(Claim::Fresh(reservation)) => {
            reservation.commit(&Receipt::new(event.id.clone(), Plan::Drop.targets().unwrap_err()));
            true
        }
        Some(Claim::Duplicate(_) | Claim::InFlight(_)) => false,
        None => true,
    }
}

/// Returns what is lost of the second request behind the first.
fn lost(window: &Arc<Window>, source: &Source, first: &Request, second: &Request) -> Vec<String> {
    let [first, second] = [first, second].map(|request| source.signed(request, 0));
    if (&first.body, &first.headers, &first.uri) == (&second.body, &second.headers, &second.uri) {
        return Vec::new();
    }
    let bodies_differ = first.body != second.body;
    let (Some(before), Some(after)) = (source.events(first), source.events(second)) else {
        return Vec::new();
    };
    for event in &before {
        is_published(window, event);
    }
    let is_equal =
        |event: &Event, other: &Event| event.content() == other.content() && event.source == other.source;
    // Where each event is equal, the body differs around them, and a digest of theirs does not say so.
    let is_around = bodies_differ
        && before.len() == after.len()
        && after.iter().all(|event| before.iter().any(|other| is_equal(event, other)));
    let is_same = |event: &Event| match event.identity {
        Identity::Digest if is_around => false,
        Identity::Digest | Identity::Bytes | Identity::BytesInId | Identity::Fresh => {
            before.iter().any(|other| is_equal(event, other))
        }
        Identity::Id => before.iter().any(|other| event.id == other.id && event.source == other.source),
    };
    let lost = after.iter().filter(|event| !is_same(event) && !is_published(window, event));
    lost.map(|event| format!("id {:?} of {}", event.id, String::from_utf8_lossy(&event.data))).collect()
}

/// Returns the request with another body, or `None` where that is no text of the sender's form.
fn with_body(request: &Request, body: String) -> Request {
    Request { body: body.into(), ..request.clone() }
}

/// Returns the pointers of all scalars.
fn scalars(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                scalars(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                scalars(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(at.to_owned()),
    }
}

/// Returns the pointers of all arrays that hold something.
fn arrays(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            if !items.is_empty() {
                found.push(at.to_owned());
            }
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, value) in inner {
        arrays(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
    }
}

fn changed(value: &mut Value) {
    *value = match &*value {
        Value::String(text) => json!(match text.strip_suffix('Z') {
            // A time stays one.
            Some(time) if text.starts_with("20") && time.contains('T') => format!("{time}+00:00"),
            _ => format!("{text}1"),
        }),
        Value::Number(number) => json!(number.as_i64().map_or(7, |number| number + 1)),
        Value::Bool(truth) => json!(!truth),
        Value::Null | Value::Array(_) | Value::Object(_) => json!("1"),
    };
}

/// Returns bodies that differ from a JSON text in one scalar, or hold one element more that differs in one.
fn json_bodies(tree: &Value) -> Vec<(String, String)> {
    let (mut bodies, mut places, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    scalars(tree, "", &mut places);
    arrays(tree, "", &mut lists);
    for place in &places {
        let mut other = tree.clone();
        changed(other.pointer_mut(place).unwrap());
        bodies.push((format!("another {place}"), other.to_string()));
    }
    for list in lists {
        let item = tree.pointer(&list).unwrap()[0].clone();
        let mut places = Vec::new();
        scalars(&item, "", &mut places);
        for place in places {
            let (mut other, mut item) = (tree.clone(), item.clone());
            changed(item.pointer_mut(&place).unwrap());
            other.pointer_mut(&list).unwrap().as_array_mut().unwrap().push(item);
            bodies.push((format!("another element of {list} with another {place}"), other.to_string()));
        }
    }
    bodies
}

/// Returns bodies that differ from a form in one field.
fn form_bodies(text: &str) -> Vec<(String, String)> {
    let fields: Vec<&str> = text.split('&').collect();
    let with = |(place, field): (usize, &&str)| {
        let mut other: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        other[place].push('1');
        (format!("another {field}"), other.join("&"))
    };
    fields.iter().enumerate().map(with).collect()
}

/// Returns a request and what differs from it, each with what that is.
fn variants(request: &Request) -> (Request, Vec<(String, Request)>) {
    let text = std::str::from_utf8(&request.body).unwrap();
    let lines: Option<Vec<Value>> = text.lines().map(|line| serde_json::from_str(line).ok()).collect();
    let whole: Option<Value> = serde_json::from_str(text).ok();
    let is_form =
        request.headers.get("content-type").is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    let (base, bodies) = match (whole, lines) {
        // Written anew, so that nothing but the change differs.
        (Some(tree), _) => (with_body(request, tree.to_string()), json_bodies(&tree)),
        (None, _) if is_form => (request.clone(), form_bodies(text)),
        (None, Some(lines)) => {
            let first = lines.first().map(json_bodies).unwrap_or_default();
            let behind = |body: String| format!("{body}\n{text}");
            (request.clone(), first.into_iter().map(|(what, body)| (what, behind(body))).collect())
        }
        (None, None) => (request.clone(), Vec::new()),
    };
    let mut variants: Vec<_> =
        bodies.into_iter().map(|(what, body)| (what, with_body(&base, body))).collect();
    // What a header says may be all that tells two events apart: the name of the event, its number.
    for name in request.headers.keys().filter(|name| *name != "content-type") {
        let mut other = base.clone();
        let value = other.headers[name].to_str().unwrap();
        let value = if value == UUID { value.replace('0', "1") } else { format!("{value}1") };
        other.headers.insert(name.clone(), value.parse().unwrap());
        variants.push((format!("another header {name}"), other));
    }
    (base, variants)
}

#[test]
fn whatever_differs_arrives() {
    let (mut all_lost, mut pairs) = (Vec::new(), 0);
    for name in presets() {
        let source = Source::new(name);
        for sample in source.samples() {
            for event in sample.names.iter().take(NAMES) {
                let request = sample::request(&source, sample, event, source::now());
                let (base, variants) = variants(&request);
                for (what, other) in variants {
                    // Both ways: what one holds beside the other is not lost whichever comes first.
                    for [first, second] in [[&base, &other], [&other, &base]] {
                        let window = Window::new(Duration::from_mins(10), 1000);
                        let lost = lost(&window, &source, first, second);
                        all_lost.extend(lost.iter().map(|lost| format!("{name} {event}, {what}: {lost}")));
                        pairs += 1;
                    }
                }
            }
        }
    }
    let some = all_lost.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(all_lost.is_empty(), "{} are lost of {pairs} pairs:\n{some}", all_lost.len());
    assert!(pairs > 60 * 20, "only {pairs} pairs");
}

//! Templates against a model that reads the body as a tree: alternatives, brackets and constants in any arrangement come to the
//! text that a person would make of them by hand.

use super::{render, request};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A place that a template may name, and what the model finds there.
#[derive(Debug, Clone)]
enum Place {
    Member(&'static str),
    Below(&'static str),
    Header(&'static str),
    Text(String),
}

/// A part of a template.
#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Slot(Vec<Place>),
    Optional(Vec<Piece>),
}

const HEADERS: [(&str, &str); 2] = [("x-event", "push"), ("x-empty", "")];

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "none"]).prop_map(Place::Member),
        2 => prop::sample::select(vec!["a", "none"]).prop_map(Place::Below),
        1 => prop::sample::select(vec!["x-event", "x-empty", "x-none"]).prop_map(Place::Header),
        1 => "[a-z ]{1,4}".prop_map(Place::Text),
    ]
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let text = || "[a-zA-Z:._/ -]{1,4}".prop_map(Piece::Text);
    let slot = || prop::collection::vec(place(), 1..4).prop_map(Piece::Slot);
    let inner = prop::collection::vec(prop_oneof![text(), slot()], 1..4).prop_map(Piece::Optional);
    // A text in front, so that none begins as a slot without braces.
    prop::collection::vec(prop_oneof![2 => text(), 3 => slot(), 1 => inner], 0..5)
        .prop_map(|pieces| [vec![Piece::Text("t".to_owned())], pieces].concat())
}

/// A body with some members, of any kind, and the same below `/data`.
fn body() -> impl Strategy<Value = Value> {
    let value = || {
        prop_oneof![
            3 => "[a-zé\"\\\\]{0,6}".prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::from),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => Just(json!({ "x": 1 })),
            1 => Just(json!([1])),
        ]
    };
    let members = || prop::collection::btree_map(prop::sample::select(vec!["a", "b", "c"]), value(), 0..4);
    (members(), members()).prop_map(|(own, below)| {
        let object = |members: std::collections::BTreeMap<&str, Value>| -> Map<String, Value> {
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let mut all = object(own);
        all.insert("data".to_owned(), Value::Object(object(below)));
        Value::Object(all)
    })
}

fn written(pieces: &[Piece]) -> String {
    let place = |place: &Place| match place {
        Place::Member(name) => format!("/{name}"),
        Place::Below(name) => format!("./{name}"),
        Place::Header(name) => format!("header:{name}"),
        Place::Text(text) => format!("'{text}'"),
    };
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Slot(places) => format!("{{{}}}", places.iter().map(place).collect::<Vec<_>>().join(" | ")),
        Piece::Optional(inner) => format!("[{}]", written(inner)),
    };
    pieces.iter().map(piece).collect()
}

/// Returns what a scalar says; an empty text says nothing.
fn scalar(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.clone(),
        number @ (Value::Number(_) | Value::Bool(_)) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn model(pieces: &[Piece], body: &Value) -> Option<String> {
    let find = |place: &Place| match place {
        Place::Member(name) => scalar(body.get(name)),
        Place::Below(name) => scalar(body.get("data").and_then(|data| data.get(name))),
        Place::Header(name) => HEADERS
            .iter()
            .find(|(own, value)| own == name && !value.is_empty())
            .map(|(_, value)| (*value).to_owned()),
        Place::Text(text) => Some(text.clone()),
    };
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Slot(places) => text.push_str(&places.iter().find_map(find)?),
            Piece::Optional(inner) => text.push_str(&model(inner, body).unwrap_or_default()),
        }
    }
    Some(text)
}

proptest! {
    #[test]
    fn a_template_says_what_a_person_would_make_of_it_by_hand(pieces in pieces(), body in body(), pretty: bool) {
        let template = written(&pieces);
        let text = if pretty { format!("{body:#}") } else { body.to_string() };
        let made = render(&template, &request(&text, &HEADERS));
        prop_assert_eq!(made.ok().flatten(), model(&pieces, &body), "{} of {}", template, text);
    }
}

//! Messages that a document writes as templates, against one put together by hand: what is signed is exactly what the template
//! says, in its order, and nothing that it leaves out counts.

use super::{request, spec};
use crate::{
    request::Request,
    verify::{Verifier, VerifyError},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const KEY: &str = "a key of the tests";
const URL: &str = "https://hooks.example.com/a";

/// A part of a message.
#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Body,
    Sha256,
    Crc32,
    Method,
    Url,
    Header(&'static str),
    Member(&'static str),
    Optional(&'static str, String),
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![
        2 => Just(Piece::Body),
        1 => Just(Piece::Sha256),
        1 => Just(Piece::Crc32),
        1 => Just(Piece::Method),
        1 => Just(Piece::Url),
        2 => prop::sample::select(vec!["x-id", "x-time"]).prop_map(Piece::Header),
        2 => prop::sample::select(vec!["a", "b"]).prop_map(Piece::Member),
        1 => (prop::sample::select(vec!["a", "none"]), "[.:|]{1,2}").prop_map(|(name, text)| Piece::Optional(name, text)),
    ];
    // Between any two a literal that neither holds, so that no part can be cut elsewhere.
    prop::collection::vec((piece, "[.:|]{1,2}"), 1..5).prop_map(|pieces| {
        let mut all: Vec<Piece> =
            pieces.into_iter().flat_map(|(piece, text)| [piece, Piece::Text(text)]).collect();
        all.pop();
        all
    })
}

fn written(pieces: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Body => "{body}".to_owned(),
        Piece::Sha256 => "{sha256}".to_owned(),
        Piece::Crc32 => "{crc32}".to_owned(),
        Piece::Method => "{method}".to_owned(),
        Piece::Url => "{url}".to_owned(),
        Piece::Header(name) => format!("{{header:{name}}}"),
        Piece::Member(name) => format!("{{/{name}}}"),
        Piece::Optional(name, text) => format!("[{{/{name}}}{text}]"),
    };
    pieces.iter().map(piece).collect()
}

/// What a sender signs, put together by hand.
fn message(pieces: &[Piece], request: &Request) -> Vec<u8> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let member = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Body => String::from_utf8(request.body.to_vec()).unwrap(),
        Piece::Sha256 => hex::encode(Sha256::digest(&request.body)),
        Piece::Crc32 => crc32fast::hash(&request.body).to_string(),
        Piece::Method => request.method.to_string(),
        Piece::Url => {
            let query = request.uri.query().map(|query| format!("?{query}"));
            format!("{URL}{}", query.unwrap_or_default())
        }
        Piece::Header(name) => header(name),
        Piece::Member(name) => member(name).unwrap(),
        Piece::Optional(name, text) => member(name).map(|value| format!("{value}{text}")).unwrap_or_default(),
    };
    pieces.iter().map(piece).collect::<String>().into_bytes()
}

fn signature(message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// Returns the verifier of a template; `None` where the scheme would verify less than it says, and is refused for that.
fn compiled(pieces: &[Piece]) -> Option<Verifier> {
    let mut yaml = json!({
        "algorithm": "hmac-sha256", "header": "x-s", "encoding": "hex", "message": written(pieces),
    });
    if pieces.iter().any(|piece| matches!(piece, Piece::Url)) {
        yaml["url"] = json!(URL);
    }
    let verifier = Verifier::compile(&spec(&yaml.to_string())).ok()?;
    super::set(&verifier, &[KEY]).unwrap();
    Some(verifier)
}

fn made(
    members: &(String, String),
    headers: &(String, String),
    put: bool,
    query: Option<&String>,
) -> Request {
    let body = json!({ "a": members.0, "b": members.1, "n": 1 }).to_string();
    let mut made = request(&[("x-id", &headers.0), ("x-time", &headers.1)], body);
    made.method = if put { Method::PUT } else { Method::POST };
    made.uri = query.map_or("/hooks/a".to_owned(), |query| format!("/hooks/a?{query}")).parse().unwrap();
    made
}

/// Changes one place of a request.
fn changed(request: &Request, what: &str) -> Request {
    let mut other = request.clone();
    match what {
        "x-id" | "x-time" => {
            let value = format!("{}X", request.headers[what].to_str().unwrap());
            let name: http::HeaderName = what.parse().unwrap();
            other.headers.insert(name, value.parse().unwrap());
        }
        "method" => other.method = Method::PATCH,
        "query" => {
            let query = request.uri.query().unwrap_or("z=0");
            other.uri = format!("/hooks/a?{query}&z=1").parse().unwrap();
        }
        member => {
            let mut body: Value = serde_json::from_slice(&request.body).unwrap();
            body[member] = match &body[member] {
                Value::String(text) => json!(format!("{text}X")),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    json!(2)
                }
            };
            other.body = body.to_string().into();
        }
    }
    other
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_is_what_the_template_says_and_nothing_else_counts(
        pieces in pieces(),
        members in ("[A-Z0-9]{1,6}", "[A-Z0-9]{1,6}"),
        headers in ("[A-Z0-9]{1,6}", "[A-Z0-9]{1,6}"),
        put: bool,
        query in prop::option::of("[a-z]{1,3}=[a-z]{0,3}"),
    ) {
        let Some(verifier) = compiled(&pieces) else { return Ok(()) };
        let mut right = made(&members, &headers, put, query.as_ref());
        right.headers.insert("x-s", signature(&message(&pieces, &right)).parse().unwrap());
        prop_assert!(verifier.verify(&right).is_ok(), "{}: {:?}", written(&pieces), verifier.verify(&right));
        for what in ["x-id", "x-time", "method", "query", "a", "b", "n"] {
            let other = changed(&right, what);
            let is_same = message(&pieces, &other) == message(&pieces, &right);
            let found = verifier.verify(&other);
            let expected = if is_same { found.is_ok() } else { found == Err(VerifyError::Mismatch) };
            prop_assert!(expected, "{} with another {what}: {:?}", written(&pieces), found);
        }
    }

    #[test]
    fn a_verifier_says_of_the_body_only_what_its_template_covers(pieces in pieces()) {
        let Some(verifier) = compiled(&pieces) else { return Ok(()) };
        let is_whole = pieces.iter().any(|piece| matches!(piece, Piece::Body | Piece::Sha256));
        prop_assert_eq!(verifier.covers_body(), is_whole, "{}", written(&pieces));
    }
}

#[test]
fn some_of_these_templates_are_taken() {
    let text = |text: &str| Piece::Text(text.to_owned());
    let all = [
        vec![Piece::Body],
        vec![Piece::Header("x-time"), text("."), Piece::Body],
        vec![Piece::Method, text(":"), Piece::Url, text(":"), Piece::Sha256],
        vec![Piece::Member("a"), text("|"), Piece::Member("b"), text("|"), Piece::Crc32],
        vec![Piece::Optional("none", ":".to_owned()), text("."), Piece::Body],
    ];
    for pieces in all {
        assert!(compiled(&pieces).is_some(), "{}", written(&pieces));
    }
}

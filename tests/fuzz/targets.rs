//! What is fuzzed: one function per parser, each with the invariant that it must hold for any bytes at all. The
//! programs of `fuzz_targets` run them on what the fuzzer makes, `tests/it/corpus.rs` on what it once found.
//!
//! Where a target needs a document and a request, the first line is the one and the rest is the other.

use bytes::Bytes;
use hookway::{
    config,
    delivery::{Delivery, Quota, Verified},
    event::{
        Event,
        envelope::{self, Origin},
    },
    explain::Captured,
    journal,
    normalize::{EventSpec, Normalizer, Setting},
    request::{
        Request, Withheld,
        slot::{Params, Slot, Standing, form as fields},
    },
    verify::{Verifier, VerifySpec},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A target: its name, as the corpus knows it, and its function.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const ALL: [Target; 12] = [
    ("slot", slot),
    ("message", message),
    ("signature", signature),
    ("event", event),
    ("split", split),
    ("cloud", cloud),
    ("token", token),
    ("certificate", certificate),
    ("captured", captured),
    ("form", form),
    ("configuration", configuration),
    ("journal", journal),
];

/// A slot of any text reads any request: it finds a value, nothing, or an error. What a pointer finds is what a JSON
/// library finds there.
pub(crate) fn slot(data: &[u8]) {
    let (line, body) = head(data);
    let Some(Ok(slot)) = line.map(Slot::parse) else { return };
    let request = request(body, line);
    let params = Params::new();
    let Ok(Some(found)) = slot.read(&request, &params) else { return };
    if let (Slot::Json(_), Some(pointer), Ok(tree)) = (&slot, line, serde_json::from_slice::<Value>(body)) {
        match tree.pointer(pointer) {
            Some(Value::String(text)) => assert_eq!(text, &*found),
            Some(Value::Bool(truth)) => assert_eq!(truth.to_string(), *found),
            Some(Value::Number(_)) => {
                assert!(found.starts_with(|first: char| first == '-' || first.is_ascii_digit()));
            }
            other => panic!("{pointer} is {other:?}, and {found:?} was read"),
        }
    }
}

/// A message template of any text is compiled or refused; with a secret that the fuzzer does not know, nothing that
/// it makes is ever believed.
pub(crate) fn message(data: &[u8]) {
    let (line, body) = head(data);
    let Some(line) = line else { return };
    never_believed(&json!({ "algorithm": "hmac-sha256", "header": "x-signature", "message": line }), body);
}

/// A signature of any text, in a header or in the body, is never believed.
pub(crate) fn signature(data: &[u8]) {
    let (line, body) = head(data);
    let schemes = [
        json!({ "algorithm": "hmac-sha256", "header": "x-signature", "prefix": "sha256=" }),
        json!({ "algorithm": "hmac-sha1", "header": "x-signature", "separator": ",", "prefix": "v1=", "encoding": "hex" }),
        json!({ "algorithm": "hmac-sha512", "header": "x-signature", "separator": " ", "encoding": "base64url" }),
        json!({ "algorithm": "sha256", "key_position": "suffix", "member": "hash" }),
        json!({ "algorithm": "hmac-md5", "member": "hash", "message": "json_stringify" }),
        json!({ "algorithm": "token", "header": "x-signature" }),
    ];
    for scheme in schemes {
        believed_only_if_signed(&scheme, &request(body, line));
    }
}

/// An event document of any text reads any body; every event has a well-formed envelope, and nothing is lost.
pub(crate) fn event(data: &[u8]) {
    let (line, body) = head(data);
    let spec = match line.map(serde_json::from_str::<Value>) {
        Some(Ok(event)) => json!({ "event": event }),
        _ => {
            json!({ "event": { "format": "json", "type": "{/type}[.{/action}]", "id": "{/id|header:x-signature|'none'}",
            "object": "thing", "object_id": "/data/id", "time": "/time" } })
        }
    };
    let ignores_empty = spec["event"].get("empty").is_some();
    let Some(events) = normalized(&spec["event"], request(body, line)) else { return };
    assert!(!events.is_empty() || ignores_empty, "an authentic delivery was lost");
    for event in &events {
        let envelope = envelope::structured(event, Origin { replica: "fuzz", path: "direct" });
        let tree: Value = serde_json::from_slice(&envelope).expect("the envelope is JSON");
        assert!(tree["id"].is_string() && tree["type"].is_string() && tree["source"].is_string(), "{tree}");
        let has_data = tree.get("data").is_some() != tree.get("data_base64").is_some();
        assert!(has_data || event.data.is_empty(), "{tree}");
    }
}

/// A body of any bytes is divided; each element is a piece of it, and none is lost.
pub(crate) fn split(data: &[u8]) {
    let (line, body) = head(data);
    let each = line.filter(|line| !line.is_empty()).unwrap_or("/*|/entry/*/changes/*|lines");
    let event = json!({ "format": "json", "each": each, "type": "{./type|'none'}", "id": "{./id}[:{../id}]",
        "object": "thing", "object_id": "./id" });
    let Some(events) = normalized(&event, request(body, line)) else { return };
    assert!(!events.is_empty(), "an authentic delivery was lost");
    for event in events {
        let is_piece =
            event.data.is_empty() || body.windows(event.data.len()).any(|piece| piece == event.data);
        assert!(is_piece, "an element's bytes are not the sender's");
    }
}

/// A `CloudEvent` of any bytes, structured, in a batch or in headers, is passed on or put aside with a reason.
pub(crate) fn cloud(data: &[u8]) {
    let (line, body) = head(data);
    for kind in ["application/cloudevents+json", "application/cloudevents-batch+json", "text/plain"] {
        let mut request = request(body, line);
        request.headers.insert("content-type", HeaderValue::from_static(kind));
        for name in ["ce-id", "ce-source", "ce-type", "ce-specversion", "ce-subject"] {
            let value = line.and_then(|line| HeaderValue::from_str(line).ok());
            request.headers.insert(name, value.unwrap_or(HeaderValue::from_static("1.0")));
        }
        let events =
            normalized(&json!({ "format": "cloudevents" }), request).expect("a document of this file");
        for event in &events {
            let envelope = envelope::structured(event, Origin { replica: "fuzz", path: "direct" });
            assert!(serde_json::from_slice::<Value>(&envelope).is_ok(), "the envelope is no JSON");
        }
    }
}

/// A token of any text is never believed.
pub(crate) fn token(data: &[u8]) {
    let (line, body) = head(data);
    for algorithm in ["HS256", "RS256", "ES256"] {
        let spec = json!({ "algorithm": "jwt", "from": "header:x-signature",
            "jwt": { "algorithms": [algorithm], "jwks": "keys.json", "audience": "a", "max_age": "5m" } });
        let spec: VerifySpec = serde_json::from_value(spec).expect("a scheme of this file");
        let Ok(verifier) = Verifier::compile(&spec) else { continue };
        // The body stands for the sender's keys, too.
        let _unread = std::str::from_utf8(body).map(|keys| verifier.set_file("keys.json", keys));
        drop(verifier.set_secrets(vec![SecretString::from("6f1c5d7e-nobody-guesses-this-secret")]));
        assert!(verifier.verify(&request(body, line)).is_err(), "a forged token was believed");
    }
}

/// A certificate of any text is read or refused, and believes no signature that nobody made.
pub(crate) fn certificate(data: &[u8]) {
    let (line, body) = head(data);
    let spec = json!({ "algorithm": "rsa-x509", "header": "x-signature", "encoding": "base64",
        "certificate": { "files": ["own.pem"] } });
    let spec: VerifySpec = serde_json::from_value(spec).expect("a scheme of this file");
    let verifier = Verifier::compile(&spec).expect("a scheme of this file");
    let _unread = std::str::from_utf8(body).map(|pem| verifier.set_file("own.pem", pem));
    assert!(verifier.verify(&request(body, line)).is_err(), "a forged signature was believed");
}

/// A capture of any bytes is a request or a clear refusal.
pub(crate) fn captured(data: &[u8]) {
    for entry in [None, Some(0)] {
        match Captured::parse(data, entry) {
            Ok(captured) => assert!(captured.request.body.len() <= data.len(), "the body grew"),
            Err(problem) => assert!(!problem.is_empty(), "a refusal without a reason"),
        }
    }
}

/// A form body of any bytes falls into its fields, none of which is longer than it was written.
pub(crate) fn form(data: &[u8]) {
    let mut length = 0;
    for (name, value) in fields::pairs(data) {
        length += name.len() + value.len();
    }
    assert!(length <= data.len());
}

/// A configuration of any text is read or refused, with a place for every problem.
pub(crate) fn configuration(data: &[u8]) {
    let Ok(home) = tempfile::tempdir() else { return };
    let file = home.path().join("hookway.yaml");
    if fs::write(&file, data).is_ok()
        && let Err(error) = config::load(&file)
    {
        assert!(!error.problems.is_empty(), "a refusal without a reason");
    }
}

/// A journal of any bytes is read to its end, and a writer opens it or says why not.
pub(crate) fn journal(data: &[u8]) {
    let Ok(home) = tempfile::tempdir() else { return };
    let segment = home.path().join("00000000000000000001.segment");
    if fs::write(&segment, data).is_err() {
        return;
    }
    read_all(home.path());
    if let Ok(claim) = journal::Claim::take(home.path())
        && let Ok(found) = claim.recover()
    {
        drop(claim.open(&found, journal::Options::default()));
    }
    read_all(home.path());
}

fn read_all(dir: &Path) {
    let Ok(mut reader) = journal::Reader::open(dir, 0) else { return };
    let mut last = None;
    while let Ok(Some(entry)) = reader.read() {
        assert!(last.is_none_or(|last| last < entry.sequence), "records stand out of order");
        last = Some(entry.sequence);
    }
}

/// Returns the first line, where it is text, and what is behind it.
fn head(data: &[u8]) -> (Option<&str>, &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, rest) = data.split_at(at);
    (std::str::from_utf8(line).ok(), rest.strip_prefix(b"\n").unwrap_or(rest))
}

/// Returns a request with this body; the line stands as query, form-like header and signature.
fn request(body: &[u8], line: Option<&str>) -> Request {
    let mut headers = HeaderMap::new();
    let value = line.and_then(|line| HeaderValue::from_str(line).ok());
    if let Some(value) = value {
        headers.insert(HeaderName::from_static("x-signature"), value);
    }
    headers.insert(HeaderName::from_static("content-type"), HeaderValue::from_static("application/json"));
    let uri = line
        .and_then(|line| format!("/hooks/fuzz?{line}").parse().ok())
        .unwrap_or(Uri::from_static("/hooks/fuzz"));
    let body = Bytes::copy_from_slice(body);
    Request { method: Method::POST, uri, headers, body, received: Timestamp::UNIX_EPOCH }
}

fn never_believed(spec: &Value, body: &[u8]) {
    let (line, rest) = head(body);
    believed_only_if_signed(spec, &request(rest, line));
}

/// Compiles the scheme with a secret that no fuzzer guesses.
fn believed_only_if_signed(spec: &Value, request: &Request) {
    let spec: VerifySpec = serde_json::from_value(spec.clone()).expect("a scheme of this file");
    let Ok(verifier) = Verifier::compile(&spec) else { return };
    let secret = SecretString::from("6f1c5d7e-nobody-guesses-this-secret");
    if verifier.set_secrets(vec![secret]).is_ok() {
        assert!(verifier.verify(request).is_err(), "a forged request was believed");
    }
}

/// Returns the events that a document makes of a request; `None` where it is no document.
fn normalized(event: &Value, request: Request) -> Option<Vec<Event>> {
    let event: EventSpec = serde_json::from_value(event.clone()).ok()?;
    let (params, withheld, standing) =
        (Params::new(), Withheld::default(), &|_: &[Slot], _: Option<&str>| Standing::Open);
    let setting =
        Setting { sender: "fuzz", source: "fuzz", params, withheld, standing, ids_are_unique: false };
    Some(Normalizer::compile(&event, setting).ok()?.normalize(&unchecked(request)?))
}

fn unchecked(request: Request) -> Option<Delivery<Verified>> {
    let spec: VerifySpec = serde_json::from_value(json!({ "algorithm": "none" })).ok()?;
    let verifier = Verifier::compile(&spec).ok()?;
    let quota = Quota::new(2);
    Delivery::new(request, [quota.take(1)?, quota.take(1)?]).verify(&verifier).ok()
}

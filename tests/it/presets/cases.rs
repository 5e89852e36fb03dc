//! The cases of a preset, made from its samples: what its sender sends, and each way in which that can be wrong.

use super::{
    handshakes,
    keys::FOREIGN,
    sample,
    source::{self, Source},
};
use bytes::Bytes;
use hookway::request::Request;
use http::HeaderName;
use jiff::SignedDuration;
use serde_json::Value;

/// A request, and what it must come to.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) request: Request,
    pub(super) wanted: Wanted,
}

/// What a case must come to.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Events that go their way; proven by this key, where it is said.
    Accepted { key: Option<usize> },
    /// A success without events.
    Nothing,
    /// An answer that is no event: its status and its body, text or JSON.
    Answered { status: u16, body: Value },
    /// No answer, though it looks like a handshake.
    Unanswered,
    /// A refusal of one of these classes.
    Refused(&'static [&'static str]),
}

const ANY_REFUSAL: Wanted = Wanted::Refused(&["missing", "malformed", "mismatch"]);

/// Where the body is covered in part only: a covered text, and what a forger would write.
const COVERED: [(&str, &str, &str); 4] = [
    ("adyen", r#""value":4200"#, r#""value":1"#),
    ("aws-sns", "The door is open", "The door is shut"),
    ("mailgun", "c2a1f4", "c2a1f5"),
    ("paypal", "42.00", "42.01"),
];

/// What of a prefix says the version or the hash, and one that is not configured.
const VERSIONS: [(&str, &str); 8] = [
    ("v1a,", "v1,"),
    ("v1,", "v0,"),
    ("v1=", "v9="),
    ("v0=", "v9="),
    ("h1=", "h0="),
    ("hmac-sha256=", "hmac-sha1="),
    ("sha256=", "sha1="),
    ("sha1=", "sha256="),
];

/// Returns the cases of a source.
pub(super) fn of(source: &Source) -> Vec<Case> {
    let mut cases = signed(source);
    cases.extend(handshakes::of(source));
    if !source.is_keyed() {
        return cases;
    }
    if source.document["event"]["empty"] == "ignore" {
        cases.push(heartbeat(source));
    }
    let plain = unsigned(source, SignedDuration::ZERO);
    let right = source.signed(&plain, 0);
    let mut add =
        |name: &str, request: Request, wanted| cases.push(Case { name: name.to_owned(), request, wanted });
    add("second-key", source.signed(&plain, 1), Wanted::Accepted { key: second(source) });
    add("foreign-key", source.signed(&plain, FOREIGN), Wanted::Refused(&["mismatch"]));
    add("unsigned", plain.clone(), ANY_REFUSAL);
    if let Some(request) = altered(source, &right) {
        add("altered", request, Wanted::Refused(&["mismatch", "malformed"]));
    }
    if let Some(request) = twice(source, &plain, &right) {
        add("signature-twice", request, Wanted::Refused(&["malformed"]));
    }
    if let Some(request) = other_version(source, &right) {
        add("other-version", request, ANY_REFUSAL);
    }
    if let Some(tolerance) = tolerance(source) {
        let beyond = tolerance + SignedDuration::from_secs(60);
        add("stale", source.signed(&unsigned(source, -beyond), 0), Wanted::Refused(&["expired"]));
        add("early", source.signed(&unsigned(source, beyond), 0), Wanted::Refused(&["expired"]));
    }
    cases
}

/// Returns one case per sample, under the sample's first name.
fn signed(source: &Source) -> Vec<Case> {
    let cases = source.samples().iter().map(|sample| {
        let event = &sample.names[0];
        let request = source.signed(&sample::request(source, sample, event, source::now()), 0);
        let slug: String = event
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
            .collect();
        Case { name: format!("signed-{slug}"), request, wanted: Wanted::Accepted { key: Some(0) } }
    });
    cases.collect()
}

/// Returns the first sample, made `later` than the fixtures' time.
fn unsigned(source: &Source, later: SignedDuration) -> Request {
    let sample = &source.samples()[0];
    sample::request(source, sample, &sample.names[0], source::now() + later)
}

/// Returns the first sample with an empty list, as a sender shows that it lives.
fn heartbeat(source: &Source) -> Case {
    let mut request = unsigned(source, SignedDuration::ZERO);
    let list = source.document["event"]["each"].as_str().and_then(|each| each.strip_suffix("/*")).unwrap();
    let mut body: Value = serde_json::from_slice(&request.body).unwrap();
    *body.pointer_mut(list).unwrap() = Value::Array(Vec::new());
    request.body = body.to_string().into();
    Case { name: "heartbeat".to_owned(), request: source.signed(&request, 0), wanted: Wanted::Nothing }
}

/// Keys that stand in a set or a certificate are not counted.
fn second(source: &Source) -> Option<usize> {
    let algorithm = source.verify()["algorithm"].as_str().unwrap();
    let is_counted =
        algorithm != "rsa-x509" && (algorithm != "jwt" || source.verify()["jwt"]["jwks"].is_null());
    is_counted.then_some(1)
}

/// Changes the body behind the signature; `None` where nothing of it is covered.
fn altered(source: &Source, right: &Request) -> Option<Request> {
    let mut request = right.clone();
    if let Some((_, from, to)) = COVERED.iter().find(|(name, ..)| *name == source.name) {
        let body = text(&right.body);
        assert!(body.contains(from), "{}: {from} is not in the sample", source.name);
        request.body = body.replacen(from, to, 1).into();
        return Some(request);
    }
    if !source.covers_body() {
        return None;
    }
    // Not the last character: that may be the filling of a base64 text, which says nothing.
    let at = right.body.iter().position(u8::is_ascii_alphanumeric).unwrap();
    let mut body = right.body.to_vec();
    body[at] = if body[at] == b'x' { b'y' } else { b'x' };
    request.body = body.into();
    Some(request)
}

/// Repeats what carries the signature.
fn twice(source: &Source, plain: &Request, right: &Request) -> Option<Request> {
    let mut request = right.clone();
    let verify = source.verify();
    if verify["header"].as_str().is_some_and(|name| name.ends_with('*')) {
        // One of many headers may match: there, twice is no contradiction.
        return None;
    }
    if let Some(from) = verify["from"].as_str() {
        let (kind, name) = from.split_once([':', '/']).unwrap();
        match kind {
            "query" => {
                let query = right.uri.query().unwrap();
                request.uri = format!("{}?{query}&{name}=twice", right.uri.path()).parse().unwrap();
            }
            "form" => request.body = format!("{}&{name}=twice", text(&right.body)).into(),
            _ => {
                let member = format!(r#""{}":"#, from.rsplit('/').next().unwrap());
                let body = text(&right.body);
                assert!(body.contains(&member), "{}: {member} is not in the body", source.name);
                request.body = body.replacen(&member, &format!(r#"{member}"twice",{member}"#), 1).into();
            }
        }
        return Some(request);
    }
    let added = |name: &&HeaderName| plain.headers.get(*name).is_none();
    let names: Vec<&HeaderName> = right.headers.keys().filter(added).collect();
    let names: Vec<&&HeaderName> =
        names.iter().filter(|name| Some(**name) != timestamp_header(verify).as_ref()).collect();
    let [name] = names.as_slice() else { return None };
    let name = (**name).clone();
    let value = right.headers[&name].clone();
    request.headers.append(name, value);
    Some(request)
}

fn timestamp_header(verify: &Value) -> Option<HeaderName> {
    verify["timestamp"]["header"].as_str().map(|name| name.to_ascii_lowercase().parse().unwrap())
}

/// Puts the signature under a version or hash that is not configured.
fn other_version(source: &Source, right: &Request) -> Option<Request> {
    let prefix = source.verify()["prefix"].as_str()?;
    let (configured, other) = VERSIONS.iter().find(|(configured, _)| *configured == prefix)?;
    let mut request = right.clone();
    let mut changed = 0;
    for value in request.headers.values_mut() {
        let text = value.to_str().unwrap();
        if text.contains(configured) {
            *value = text.replace(configured, other).parse().unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "{}: no header holds {configured}", source.name);
    Some(request)
}

fn tolerance(source: &Source) -> Option<SignedDuration> {
    let timestamp = source.verify()["timestamp"].as_object()?;
    let tolerance = timestamp.get("tolerance").and_then(Value::as_str).unwrap_or("5m");
    Some(tolerance.parse().unwrap())
}

fn text(body: &Bytes) -> &str {
    std::str::from_utf8(body).unwrap()
}

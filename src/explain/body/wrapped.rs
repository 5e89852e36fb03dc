//! A gateway between sender and receiver handed the body on inside something else, as base64 or JSON text, or not at all.

use super::{Cause, Variant};
use crate::verify::base64;
use serde_json::Value;

/// Members of a gateway's event that are looked into, and how deep they stand.
const MOST: usize = 16;
const DEEPEST: usize = 3;

/// Returns the body as it may have stood in what came: decoded, or as a member of a gateway's event.
pub(super) fn variants(body: &[u8]) -> impl Iterator<Item = Variant> {
    let text = std::str::from_utf8(body).ok().map(str::trim);
    let whole = text.and_then(decoded).map(|body| {
        Variant::new("body_base64", "decoded from base64; something on the way encoded it", body)
    });
    let value = text
        .filter(|text| text.starts_with(['"', '{', '[']))
        .and_then(|text| serde_json::from_str(text).ok());
    let within = value.map_or_else(Vec::new, |value: Value| within(&value));
    whole.into_iter().chain(within)
}

fn within(value: &Value) -> Vec<Variant> {
    if let Value::String(text) = value {
        let own = Variant::new(
            "body_quoted",
            "read from a JSON text; something on the way wrote it as one",
            text.clone().into_bytes(),
        );
        return vec![own];
    }
    let mut found = Vec::new();
    members(value, "", DEEPEST, &mut found);
    let member = |(place, text): (String, &str)| {
        let own = format!("that stands as text at `{place}`, in a gateway's own event");
        let packed = format!("that stands as base64 at `{place}`, in a gateway's own event");
        let packed = decoded(text).map(|body| Variant::new("body_wrapped", packed, body));
        packed.into_iter().chain([Variant::new("body_wrapped", own, text.to_owned().into_bytes())])
    };
    found.into_iter().take(MOST).flat_map(member).collect()
}

/// Gathers the texts in a value that may be a body, with their places.
fn members<'v>(value: &'v Value, place: &str, depth: usize, found: &mut Vec<(String, &'v str)>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let named: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (name, value) in named {
        let place = format!("{place}/{name}");
        // Shorter texts are names and ids.
        if let Value::String(text) = value
            && text.len() > 8
            && found.len() < MOST
        {
            found.push((place, text));
        } else {
            members(value, &place, depth, found);
        }
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    base64(text).filter(|body| !body.is_empty())
}

/// Names what points to a body that did not come, or not whole.
pub(super) fn lost(body: &[u8]) -> Option<Cause> {
    if body.is_empty() {
        let what = "there is no body, and the sender signed one: a webhook without a body is rare";
        let mend = "something on the way consumes the body, or the capture left it out: look at a proxy, an authorizer, \
                    a framework's body parser";
        return Some(Cause::hint("body_empty", what, mend));
    }
    let is_json = matches!(body.trim_ascii_start(), [b'{' | b'[', ..]);
    let read = serde_json::from_slice::<serde::de::IgnoredAny>(body);
    let is_cut = is_json && read.is_err_and(|error| error.is_eof());
    is_cut.then(|| {
        let what = format!(
            "the body is JSON that ends before its end, after {} bytes: a part of it is missing",
            body.len()
        );
        let mend = "something on the way, or the capture, cuts bodies: look for its limit on their size";
        Cause::hint("body_cut", what, mend)
    })
}

//! What a token must say: for whom it is, by whom, since when and until when, and which body it belongs to.

use crate::{
    request::{ESCAPED, Request, slot::form},
    verify::{VerifyError, spec::ClaimValue},
};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_encode;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;

/// How far two clocks may be apart.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// The values that a token's claims must have; an empty list takes any.
#[derive(Default)]
pub(in crate::verify) struct Expected {
    pub(in crate::verify) issuers: Vec<String>,
    pub(in crate::verify) audiences: Vec<String>,
    pub(in crate::verify) subjects: Vec<String>,
    pub(in crate::verify) others: Vec<(String, ClaimValue)>,
    /// The claim with the body's hex SHA-256.
    pub(in crate::verify) body_hash: Option<String>,
    /// True where the claim `qsh` must belong to the request.
    pub(in crate::verify) has_qsh: bool,
    /// True where a token may say nothing of when: it is bound to this body.
    pub(in crate::verify) may_be_timeless: bool,
    /// How far `iat` may be off.
    pub(in crate::verify) max_age: Option<SignedDuration>,
}

impl Expected {
    pub(in crate::verify) fn covers_body(&self) -> bool {
        self.body_hash.is_some()
    }

    /// True where a token that was made for another receiver fails.
    pub(in crate::verify) fn is_for_us(&self) -> bool {
        !self.audiences.is_empty() || !self.others.is_empty() || self.has_qsh || self.covers_body()
    }

    /// Checks the claims of a token whose signature is right.
    pub(super) fn check(&self, claims: &[u8], request: &Request) -> Result<(), VerifyError> {
        let claims: Value = serde_json::from_slice(claims)
            .map_err(|_| VerifyError::malformed("the token's claims are not JSON"))?;
        self.check_times(&claims, request.received)?;
        for (name, allowed) in [("iss", &self.issuers), ("aud", &self.audiences), ("sub", &self.subjects)] {
            if !allowed.is_empty() && !has_one_of(claims.get(name), allowed) {
                return Err(wrong(name));
            }
        }
        for (name, wanted) in &self.others {
            let is_right = match (claims.get(name), wanted) {
                (Some(Value::String(text)), ClaimValue::Text(wanted)) => text == wanted,
                (Some(Value::Bool(truth)), ClaimValue::Truth(wanted)) => truth == wanted,
                // Some issuers write truth values as text.
                (Some(Value::String(text)), ClaimValue::Truth(wanted)) => *text == wanted.to_string(),
                _ => false,
            };
            if !is_right {
                return Err(wrong(name));
            }
        }
        if let Some(name) = &self.body_hash {
            let digest = hex::encode(Sha256::digest(&request.body));
            digested(&claims, name, &digest)?;
        }
        if self.has_qsh {
            digested(&claims, "qsh", &qsh(request))?;
        }
        Ok(())
    }

    fn check_times(&self, claims: &Value, received: Timestamp) -> Result<(), VerifyError> {
        let [expires, begins, issued] = ["exp", "nbf", "iat"].map(|name| claims.get(name).map(time));
        // A claim that is there and no time is wrong, not absent.
        if [expires, begins, issued].contains(&Some(None)) {
            return Err(VerifyError::malformed("a time of the token is not a number of seconds"));
        }
        let off = |at: Timestamp| received.duration_since(at);
        let outside = |at| VerifyError::Expired { off_by_seconds: off(at).as_secs() };
        match (expires.flatten(), self.max_age.and(issued.flatten())) {
            (None, None) if !self.may_be_timeless => {
                return Err(VerifyError::Missing("the token's `exp`".to_owned()));
            }
            (Some(expires), _) if off(expires) > LEEWAY => return Err(outside(expires)),
            _ => {}
        }
        if let Some(begins) = begins.flatten().filter(|begins| off(*begins) < -LEEWAY) {
            return Err(outside(begins));
        }
        let Some(max_age) = self.max_age else { return Ok(()) };
        let issued = issued.flatten().ok_or_else(|| VerifyError::Missing("the token's `iat`".to_owned()))?;
        if off(issued).unsigned_abs() > max_age.unsigned_abs() {
            return Err(outside(issued));
        }
        Ok(())
    }
}

fn wrong(name: &str) -> VerifyError {
    VerifyError::Malformed(format!("the token's `{name}` is not what the scheme asks for"))
}

/// Reads a time in seconds; fractions are cut off.
fn time(value: &Value) -> Option<Timestamp> {
    let whole = value.as_i64().or_else(|| value.to_string().split_once('.')?.0.parse().ok());
    whole.and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// True where a claim, a text or a list of texts, holds one of the allowed values.
fn has_one_of(claim: Option<&Value>, allowed: &[String]) -> bool {
    let is_allowed = |value: &Value| value.as_str().is_some_and(|text| allowed.iter().any(|one| one == text));
    match claim {
        Some(Value::Array(values)) => values.iter().any(is_allowed),
        Some(value) => is_allowed(value),
        None => false,
    }
}

fn digested(claims: &Value, name: &str, digest: &str) -> Result<(), VerifyError> {
    let claimed = claims.get(name).and_then(Value::as_str);
    let claimed = claimed.ok_or_else(|| VerifyError::Missing(format!("the token's `{name}`")))?;
    let is_right: bool = claimed.to_ascii_lowercase().as_bytes().ct_eq(digest.as_bytes()).into();
    if is_right { Ok(()) } else { Err(VerifyError::Mismatch) }
}

/// Returns the hex SHA-256 of the canonical request, as Atlassian Connect puts it into the claim `qsh`:
/// `METHOD&path&query`, with the query's parameters sorted and escaped, values of one name joined by commas, `jwt` left out.
pub(in crate::verify) fn qsh(request: &Request) -> String {
    let escape = |text: &[u8]| percent_encode(text, ESCAPED).to_string();
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form::pairs(request.uri.query().unwrap_or_default().as_bytes()) {
        if *name != *b"jwt" {
            parameters.entry(escape(&name)).or_default().push(escape(&value));
        }
    }
    let query: Vec<String> = parameters
        .into_iter()
        .map(|(name, mut values)| {
            values.sort();
            format!("{name}={}", values.join(","))
        })
        .collect();
    let path = request.uri.path().trim_end_matches('/').replace('&', "%26");
    let path = if path.is_empty() { "/" } else { &path };
    hex::encode(Sha256::digest(format!("{}&{path}&{}", request.method, query.join("&"))))
}

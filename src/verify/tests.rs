//! Tests of the verify stage: published and own vectors, what must be refused, what a configuration may not
//! say, and properties over generated requests.

mod addresses;
mod bodies;
mod canonical;
mod compiling;
mod fetched;
mod json_web_tokens;
mod places;
mod properties;
mod public_keys;
mod refusals;
mod standing;
mod templates;
mod vectors;

use super::{Algorithm, SpecProblem, Verifier, VerifyError, VerifySpec};
use crate::request::{
    Request,
    slot::{Slot, Standing},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use jiff::Timestamp;

/// The moment at which test requests are received.
pub(super) const NOW: i64 = 1_762_178_400;

/// Returns `NOW` as a timestamp.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a time")
}

/// Reads the `verify` part of a sender document.
pub(super) fn spec(yaml: &str) -> VerifySpec {
    serde_saphyr::from_str(yaml).expect("the test's own scheme must be YAML")
}

/// Returns a verifier of the scheme with its secrets.
pub(super) fn verifier(yaml: &str, secrets: &[&str]) -> Verifier {
    let verifier = Verifier::compile(&spec(yaml)).expect("the test's own scheme must compile");
    set(&verifier, secrets).expect("the test's own secrets must decode");
    verifier
}

pub(super) fn set(verifier: &Verifier, secrets: &[&str]) -> Result<(), Vec<SpecProblem>> {
    verifier.set_secrets(secrets.iter().map(|secret| (*secret).into()).collect())
}

/// Returns a request that was received at `NOW`.
pub(super) fn request(headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).expect("the test's own header must have a name");
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"));
    }
    let body = body.as_ref().to_vec().into();
    Request { method: Method::POST, uri: Uri::default(), headers: map, body, received: now() }
}

/// Tells whether a changed header of this name fails the check.
pub(super) fn covers(verifier: &Verifier, header: &HeaderName) -> bool {
    let slot = Slot::parse(&format!("header:{header}")).expect("a slot");
    verifier.standing(&[slot], None) == Standing::Signed
}

/// Returns why a request is refused, by the metric's name.
pub(super) fn refusal(verifier: &Verifier, request: &Request) -> &'static str {
    verifier.verify(request).as_ref().map_or_else(VerifyError::reason, |proof| proof.assurance.name())
}

pub(super) const GITHUB: &str =
    "{ algorithm: hmac-sha256, header: x-hub-signature-256, prefix: 'sha256=', encoding: hex }";
pub(super) const PROPEXO: &str = "{ algorithm: hmac-sha256, header: propexo-signature, prefix: 'sha256=', \
     prefix_optional: true, encoding: auto }";
pub(super) const HMAC_ALONE: &str = "{ algorithm: hmac-sha256, header: x-s }";
pub(super) const LIKEMAGIC: &str = "{ algorithm: token, header: lm-webhook-secret }";
pub(super) const STANDARD: &str = "{ algorithm: hmac-sha256, header: webhook-signature, separator: ' ', \
     prefix: 'v1,', encoding: base64, key: whsec, \
     message: '{header:webhook-id}.{header:webhook-timestamp}.{body}', \
     timestamp: { header: webhook-timestamp, unit: s, tolerance: 5m } }";
pub(super) const SYNCAROO: &str = "{ algorithm: hmac-sha256, member: hash, encoding: auto, message: raw_cut, \
     missing_hash: reject }";

/// Returns Syncaroo's scheme with another message form.
pub(super) fn syncaroo(message: &str) -> String {
    SYNCAROO.replace("raw_cut", message)
}

/// Every algorithm that computes something, by name.
pub(super) fn computed() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| algorithm.digest_bytes() > 0)
}

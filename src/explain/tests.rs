//! Tests of the explainer: a request that is signed as it should be, one mistake, and its name.

mod discovery;
mod mistakes;

use super::{Case, Cause, Reach, causes};
use crate::{
    request::Request,
    verify::{Verifier, VerifySpec},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use secrecy::SecretString;

pub(super) const SECRET: &str = "a secret of the tests";
pub(super) const NOW: i64 = 1_762_178_400;

pub(super) fn spec(yaml: &str) -> VerifySpec {
    serde_saphyr::from_str(yaml).expect("the test's own scheme must be YAML")
}

pub(super) fn verifier(spec: &VerifySpec, secrets: &[&str]) -> Verifier {
    let verifier = Verifier::compile(spec).expect("the test's own scheme must compile");
    verifier.set_secrets(secrets.iter().map(|secret| (*secret).into()).collect()).expect("usable secrets");
    verifier
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a time")
}

/// Returns an unsigned request.
pub(super) fn request(headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).expect("the test's own header must have a name");
        map.append(name, HeaderValue::from_str(value).expect("a header's value"));
    }
    let uri = "/hooks/shop".parse().expect("a path");
    Request { method: Method::POST, uri, headers: map, body: body.as_ref().to_vec().into(), received: now() }
}

/// Returns a request signed by `scheme` with `secret`.
pub(super) fn signed(
    scheme: &str,
    secret: &str,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> Request {
    let mut request = request(headers, body);
    verifier(&spec(scheme), &[secret])
        .sign(&mut request, now())
        .expect("the test's own request can be signed");
    request
}

/// What is known beside the request and the scheme.
#[derive(Default)]
pub(super) struct Beside<'b> {
    pub(super) relatives: &'b [(String, VerifySpec)],
    pub(super) strangers: &'b [(String, Vec<SecretString>)],
    pub(super) declared: Option<u64>,
}

/// Returns the causes of a request's refusal; the request must be refused.
pub(super) fn explained(
    scheme: &str,
    secrets: &[&str],
    request: &Request,
    beside: &Beside<'_>,
    reach: Reach,
) -> Vec<Cause> {
    let spec = spec(scheme);
    let verifier = Verifier::compile(&spec).expect("the test's own scheme must compile");
    // A secret that does not decode is one of the mistakes.
    drop(verifier.set_secrets(secrets.iter().map(|secret| (*secret).into()).collect()));
    let error = verifier.verify(request).expect_err("a mistake must be refused");
    let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
    let case = Case {
        spec: &spec,
        secrets: &secrets,
        files: &[],
        request,
        relatives: beside.relatives,
        strangers: beside.strangers,
        declared: beside.declared,
    };
    causes(&case, &error, reach)
}

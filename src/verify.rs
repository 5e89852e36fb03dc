//! Second stage: proves where a delivery came from, on the exact bytes that were received.
//!
//! A [`Verifier`] is compiled once per source from its [`VerifySpec`]. A check is pure: no I/O, no clock of its
//! own; nothing about the algorithm is taken from the request; decoded bytes are compared in constant time
//! against every configured secret; an empty or missing secret never verifies. A key that the sender publishes and
//! that is not here yet is named by the error; [`Verifier::fetch`] brings it, and the check runs again.
//!
//! `compile` turns the data form into schemes, tried in turn, each with one of three checks: `token` compares a
//! secret that is sent as it is, `signature` checks one over a `message`, `jwt` a token with claims. `sign` goes the
//! same way backwards for `hookway trigger`, with the same message code.

mod certificate;
mod compile;
mod der;
mod freshness;
mod grammar;
mod json;
mod jwt;
mod keyring;
mod keys;
mod mac;
mod member;
mod message;
mod outside;
mod place;
mod problem;
mod public;
mod remote;
mod rewrite;
mod scheme;
mod sign;
mod signature;
mod spec;
mod token;
mod value;

#[cfg(test)]
mod tests;

pub use problem::SpecProblem;
pub use sign::SignError;
pub use spec::{
    Algorithm, CertificateSpec, ClaimValue, Encoding, JwtAlgorithm, JwtSpec, KeyForm, KeyPosition,
    MissingHash, RsaHash, Texts, TimeUnit, TimestampSpec, VerifySpec,
};

use crate::delivery::{Request, slot::Params};
use axum::http::{HeaderMap, HeaderName};
use mac::Prepared;
use parking_lot::RwLock;
use scheme::Scheme;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha1::{Digest as _, Sha1};
use std::fmt;

/// What verification established about a request's origin; weaker towards the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assurance {
    /// The sender holds the secret, and the body is as it left it.
    Signature,
    /// The sender holds the secret; the body is not covered.
    Secret,
    /// The body is consistent with its own digest; anyone could have made both.
    Integrity,
    /// Nothing was checked.
    None,
}

impl Assurance {
    /// Returns the stable name that stands in the envelope's `hookwayverified`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Secret => "secret",
            Self::Integrity => "integrity",
            Self::None => "none",
        }
    }
}

/// What was proven of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// How much it proves.
    pub assurance: Assurance,
    /// Which of the source's secrets matched, counted from 0 in the order of configuration; 0 where the
    /// scheme has no secret.
    pub key: usize,
}

impl Proof {
    /// Returns the proof of a request that nobody checked.
    pub fn none() -> Self {
        Self { assurance: Assurance::None, key: 0 }
    }
}

/// Why a request was not believed. For log and metric only: a sender is never told which one it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header or another value that the scheme needs is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A header, parameter, field or member that must stand once stands there several times.
    #[error("{0} stands more than once")]
    Repeated(String),
    /// A part of the request is not written the way the scheme prescribes.
    #[error("{0}")]
    Malformed(String),
    /// Everything is well-formed, but no secret gives this signature or token.
    #[error("no configured secret matches")]
    Mismatch,
    /// The signature is right, but its time is outside the window.
    #[error("the signed time is {off_by_seconds} s away from ours (positive: in the past)")]
    Expired {
        /// Our time less the signed time, in seconds.
        off_by_seconds: i64,
    },
    /// The source has no usable secret: our fault, not the sender's.
    #[error("the source has no usable secret")]
    Unkeyed,
    /// The sender's key at this address is not here yet: it can be fetched, and the check run again.
    #[error("the sender's key at {0} is not here")]
    KeyUnavailable(String),
}

impl VerifyError {
    /// Returns the stable name of the metric label `result`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Repeated(_) | Self::Malformed(_) => "malformed",
            Self::Mismatch => "mismatch",
            Self::Expired { .. } => "expired",
            Self::Unkeyed => "unkeyed",
            Self::KeyUnavailable(_) => "key_unavailable",
        }
    }

    /// Returns how much it says beside the errors of other alternatives.
    fn weight(&self) -> u8 {
        match self {
            Self::KeyUnavailable(_) => 6,
            Self::Expired { .. } => 5,
            Self::Mismatch => 4,
            Self::Repeated(_) | Self::Malformed(_) => 3,
            Self::Missing(_) => 2,
            Self::Unkeyed => 1,
        }
    }

    fn malformed(detail: &str) -> Self {
        Self::Malformed(detail.to_owned())
    }
}

/// Checks the requests of one source.
pub struct Verifier {
    algorithm: Algorithm,
    /// The alternatives, in the order in which they are tried.
    schemes: Box<[Scheme]>,
    /// How the secrets' text becomes key bytes, and those of the first secret.
    key_form: KeyForm,
    first: RwLock<Option<SecretSlice<u8>>>,
}

impl Verifier {
    /// Builds the verifier of a source, still without secrets, or returns all that is wrong with `spec`.
    pub fn compile(spec: &VerifySpec) -> Result<Self, Vec<SpecProblem>> {
        Self::compile_with(spec, &Params::new())
    }

    /// Likewise, with the constants that `{param:NAME}` in `spec` names.
    pub fn compile_with(spec: &VerifySpec, params: &Params) -> Result<Self, Vec<SpecProblem>> {
        let schemes = compile::compile(spec, params)?;
        let algorithm = spec.algorithm.or_else(|| schemes.first().map(|(algorithm, _)| *algorithm));
        let first = spec.alternatives().into_iter().find_map(|scheme| scheme.key);
        Ok(Self {
            algorithm: algorithm.unwrap_or(Algorithm::None),
            schemes: schemes.into_iter().map(|(_, scheme)| scheme).collect(),
            key_form: first.unwrap_or(KeyForm::Utf8),
            first: RwLock::default(),
        })
    }

    /// Replaces the secrets, all at once and while requests are verified; the first one signs.
    ///
    /// Empty secrets are left out, so that a source whose secrets are all empty is unkeyed. One that no
    /// alternative can use is left out and named by its place, never by its text; it takes no good one with it.
    #[expect(clippy::needless_pass_by_value, reason = "who hands secrets over should not keep them")]
    pub fn set_secrets(&self, secrets: Vec<SecretString>) -> Result<(), Vec<SpecProblem>> {
        let mut schemes = self.schemes.iter().map(|scheme| scheme.set_secrets(&secrets));
        let mut problems = schemes.next().unwrap_or_default();
        for others in schemes {
            problems.retain(|(place, _)| others.iter().any(|(other, _)| other == place));
        }
        let mut texts = secrets.iter().map(ExposeSecret::expose_secret).filter(|text| !text.is_empty());
        *self.first.write() = texts.next().and_then(|text| keys::decode_key(text, self.key_form));
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.into_iter().map(|(_, problem)| problem).collect())
        }
    }

    /// Returns the HMAC of `bytes` with the first secret, in the form that the scheme reads it; `None` where
    /// there is no secret, or `algorithm` is no HMAC. For handshakes that ask for proof that we hold the secret.
    pub fn hmac(&self, algorithm: Algorithm, bytes: &[u8]) -> Option<Vec<u8>> {
        let first = self.first.read();
        let key = first.as_ref()?.expose_secret();
        let prepared =
            Prepared::new(algorithm, key, None).filter(|_| algorithm.is_hmac() && !key.is_empty())?;
        Some(prepared.tag(std::iter::once(bytes)).as_bytes().to_vec())
    }

    /// True where the scheme cannot verify without a secret.
    pub fn needs_secret(&self) -> bool {
        self.schemes.iter().any(Scheme::needs_secret)
    }

    /// True where requests can be verified now: a usable secret is there, or none is needed.
    pub fn is_keyed(&self) -> bool {
        self.schemes.iter().any(Scheme::is_keyed)
    }

    /// Returns how many of the secrets in use are shorter than 16 bytes.
    pub fn weak_secrets(&self) -> usize {
        self.schemes.iter().map(Scheme::weak).max().unwrap_or_default()
    }

    /// Checks one request; a time window is judged at the moment it was received.
    pub fn verify(&self, request: &Request) -> Result<Proof, VerifyError> {
        let mut telling: Option<VerifyError> = None;
        for scheme in &self.schemes {
            match scheme.verify(request) {
                Ok(proof) => return Ok(proof),
                Err(error) if telling.as_ref().is_none_or(|other| error.weight() > other.weight()) => {
                    telling = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(telling.unwrap_or(VerifyError::Unkeyed))
    }

    /// Returns the stable name of the scheme for the metric label, as `hmac-sha256`.
    pub fn scheme(&self) -> &'static str {
        self.algorithm.name()
    }

    /// Returns the headers that hold a secret as it is, and so must not be kept or logged.
    pub fn credential_headers(&self) -> Vec<HeaderName> {
        self.schemes.iter().flat_map(Scheme::credential_headers).collect()
    }

    /// True where a changed body fails the check, whichever alternative it passes.
    pub fn covers_body(&self) -> bool {
        self.schemes.iter().all(Scheme::covers_body)
    }

    /// True where a changed header of this name fails the check, so that its value can be trusted.
    pub fn covers_header(&self, name: &HeaderName) -> bool {
        self.schemes.iter().all(|scheme| scheme.covers_header(name))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.scheme()).finish_non_exhaustive()
    }
}

/// Returns the value of a header that must stand exactly once.
fn single<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Result<&'r [u8], VerifyError> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next().ok_or_else(|| VerifyError::Missing(format!("header `{name}`")))?;
    match lines.next() {
        None => Ok(line.as_bytes()),
        Some(_) => Err(VerifyError::Repeated(name.to_string())),
    }
}

/// Returns the SHA-1 digest of a text.
fn sha1_of(text: &[u8]) -> Vec<u8> {
    Sha1::digest(text).to_vec()
}

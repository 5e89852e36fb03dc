//! Second stage: proves where a delivery came from, on the exact bytes that were received.
//!
//! A [`Verifier`] is compiled once per source from its [`VerifySpec`]. It is pure: no I/O, no clock of its
//! own; nothing about the algorithm is taken from the request; decoded bytes are compared in constant time
//! against every configured secret; an empty or missing secret never verifies.
//!
//! `compile` turns the data form into one of two checks: `token` compares a secret that is sent as it is,
//! `signature` recomputes a digest over a `message`. `sign` goes the same way backwards for
//! `hookway trigger`, with the same message code.

mod compile;
mod freshness;
mod grammar;
mod json;
mod keyring;
mod mac;
mod member;
mod message;
mod problem;
mod rewrite;
mod sign;
mod signature;
mod spec;
mod token;

#[cfg(test)]
mod tests;

pub use problem::SpecProblem;
pub use sign::SignError;
pub use spec::{Algorithm, Encoding, KeyForm, KeyPosition, MissingHash, TimeUnit, TimestampSpec, VerifySpec};

use crate::delivery::Request;
use axum::http::{HeaderMap, HeaderName};
use secrecy::SecretString;
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
    /// A header or member that the scheme needs is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A header that must stand once has several lines.
    #[error("header `{0}` stands more than once")]
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
        }
    }

    fn malformed(detail: &str) -> Self {
        Self::Malformed(detail.to_owned())
    }
}

/// Checks the requests of one source.
pub struct Verifier {
    algorithm: Algorithm,
    check: Check,
}

/// The three kinds of check that all schemes come down to.
enum Check {
    Nothing,
    Token(token::Token),
    Signature(signature::Signature),
}

impl Verifier {
    /// Builds the verifier of a source, still without secrets, or returns all that is wrong with `spec`.
    pub fn compile(spec: &VerifySpec) -> Result<Self, Vec<SpecProblem>> {
        compile::compile(spec).map(|(algorithm, check)| Self { algorithm, check })
    }

    /// Replaces the secrets, all at once and while requests are verified; the first one signs.
    ///
    /// Empty secrets are left out, so that a source whose secrets are all empty is unkeyed. One that
    /// does not decode is left out and named by its place, never by its text; it takes no good one with it.
    pub fn set_secrets(&self, secrets: Vec<SecretString>) -> Result<(), Vec<SpecProblem>> {
        match &self.check {
            Check::Nothing => problem::refuse_secrets(&secrets),
            Check::Token(token) => {
                token.set_secrets(secrets);
                Ok(())
            }
            Check::Signature(signature) => signature.set_secrets(&secrets),
        }
    }

    /// True where the scheme cannot verify without a secret.
    pub fn needs_secret(&self) -> bool {
        match &self.check {
            Check::Nothing => false,
            Check::Token(_) => true,
            Check::Signature(signature) => signature.is_keyed_scheme(),
        }
    }

    /// True where requests can be verified now: a usable secret is there, or none is needed.
    pub fn is_keyed(&self) -> bool {
        match &self.check {
            Check::Nothing => true,
            Check::Token(token) => token.ring.is_keyed(),
            Check::Signature(signature) => signature.ring.is_keyed(),
        }
    }

    /// Returns how many of the secrets in use are shorter than 16 bytes.
    pub fn weak_secrets(&self) -> usize {
        match &self.check {
            Check::Nothing => 0,
            Check::Token(token) => token.ring.weak(),
            Check::Signature(signature) => signature.ring.weak(),
        }
    }

    /// Checks one request; a time window is judged at the moment it was received.
    pub fn verify(&self, request: &Request) -> Result<Proof, VerifyError> {
        match &self.check {
            Check::Nothing => Ok(Proof::none()),
            Check::Token(token) => token.verify(request),
            Check::Signature(signature) => signature.verify(request),
        }
    }

    /// Returns the stable name of the scheme for the metric label, as `hmac-sha256`.
    pub fn scheme(&self) -> &'static str {
        self.algorithm.name()
    }

    /// Returns the headers that hold a secret as it is, and so must not be kept or logged.
    pub fn credential_headers(&self) -> &[HeaderName] {
        match &self.check {
            Check::Token(token) => std::slice::from_ref(&token.header),
            Check::Nothing | Check::Signature(_) => &[],
        }
    }

    /// True where a changed body fails the check.
    pub fn covers_body(&self) -> bool {
        match &self.check {
            Check::Nothing | Check::Token(_) => false,
            Check::Signature(signature) => signature.message.covers_body(),
        }
    }

    /// True where a changed header of this name fails the check, so that its value can be trusted.
    pub fn covers_header(&self, name: &HeaderName) -> bool {
        match &self.check {
            Check::Nothing | Check::Token(_) => false,
            Check::Signature(signature) => {
                signature.is_keyed_scheme() && signature.message.covers_header(name)
            }
        }
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

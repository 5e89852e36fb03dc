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
mod proof;
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

pub use crate::request::SpecProblem;
pub(crate) use grammar::{base64, base64url};
pub use proof::{Assurance, Proof, VerifyError};
pub use sign::SignError;
pub use spec::{
    Algorithm, CertificateSpec, ClaimValue, Constants, Encoding, JwtAlgorithm, JwtSpec, KeyForm, KeyPosition,
    MissingHash, RsaHash, TimeUnit, TimestampSpec, VerifySpec,
};

use crate::request::{
    Request, Withheld,
    slot::{Slot, Standing},
};
use http::{HeaderMap, HeaderName};
use mac::Prepared;
use parking_lot::RwLock;
use scheme::{Each, Scheme};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq as _;

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
        let schemes = compile::compile(spec)?;
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
        // What is taken without any check, beside what is checked, is an exception.
        let mut checked = self.schemes.iter().filter(|scheme| !scheme.checks_nothing()).peekable();
        checked.peek().is_none() || checked.any(Scheme::is_keyed)
    }

    /// Returns how many of the secrets in use are shorter than 16 bytes.
    pub fn weak_secrets(&self) -> usize {
        self.schemes.iter().map(Scheme::weak).max().unwrap_or_default()
    }

    /// Checks one request; a time window is judged at the moment it was received.
    pub fn verify(&self, request: &Request) -> Result<Proof, VerifyError> {
        let proof = match self.each() {
            Some(each) => each.verify(request, |element| self.first(|scheme| scheme.check_one(element))),
            None => self.first(|scheme| scheme.verify(request)),
        };
        if proof.is_err() && !self.is_keyed() { Err(VerifyError::Unkeyed) } else { proof }
    }

    /// Returns the elements that all alternatives check one by one: each may then pass another of them.
    fn each(&self) -> Option<&Each> {
        let mut all = self.schemes.iter().map(|scheme| scheme.each.as_ref());
        let first = all.next().flatten()?;
        all.all(|other| other == Some(first)).then_some(first)
    }

    /// Tries the alternatives in turn; the error is the one that says most.
    fn first(&self, check: impl Fn(&Scheme) -> Result<Proof, VerifyError>) -> Result<Proof, VerifyError> {
        let mut telling: Option<VerifyError> = None;
        for scheme in &self.schemes {
            match check(scheme) {
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

    /// Returns the places outside the body that hold a secret as it is, and so must not be kept or logged.
    pub fn withheld(&self) -> Withheld {
        let mut withheld = Withheld::default();
        for scheme in &self.schemes {
            scheme.withhold(&mut withheld);
        }
        withheld
    }

    /// True where a changed body fails the check, whichever alternative it passes.
    pub fn covers_body(&self) -> bool {
        self.schemes.iter().all(Scheme::covers_body)
    }

    /// Returns how far the value of a slot can be believed, whichever alternative a request passes: of the last of these
    /// slots, which is read where those before it are absent. `each` is the pointer with `*` to the elements that they
    /// are relative to.
    pub fn standing(&self, slots: &[Slot], each: Option<&str>) -> Standing {
        self.schemes.iter().map(|scheme| scheme.standing(slots, each)).max().unwrap_or(Standing::Unproven)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.scheme()).finish_non_exhaustive()
    }
}

/// The longest text that a handshake signs, in bytes.
const LONGEST_TOKEN: usize = 128;

/// Compares in a time that tells nothing of either text: both are hashed first.
pub fn is_equal(value: &str, expected: &str) -> bool {
    Sha256::digest(value).ct_eq(&Sha256::digest(expected)).into()
}

/// True for what a handshake may sign: short, and of few characters. Where one does, no event is of this form.
pub fn is_token(text: impl IntoIterator<Item = u8>) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+/.".contains(&byte);
    let mut length = 0;
    let all = text.into_iter().all(|byte| {
        length += 1;
        length <= LONGEST_TOKEN && fits(byte)
    });
    all && length > 0
}

/// Returns the text of a header, which may stand once.
fn header<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Result<Option<&'r str>, VerifyError> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(VerifyError::Repeated(name.to_string()));
    }
    let text = std::str::from_utf8(line.as_bytes());
    text.map(Some).map_err(|_| VerifyError::Malformed(format!("header `{name}` is not text")))
}

/// Likewise, of a header that must be there.
fn demanded_header<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Result<&'r str, VerifyError> {
    header(headers, name)?.ok_or_else(|| VerifyError::Missing(format!("header `{name}`")))
}

fn sha1_of(text: &[u8]) -> Vec<u8> {
    Sha1::digest(text).to_vec()
}

//! JSON Web Tokens (RFC 7515, 7519) that come with a request: signed by a key that the sender publishes, or by a
//! shared secret. The algorithm is one of those configured, whatever the token says; `none` is none of them.
//!
//! A token proves the sender. It proves the body only where a claim holds the body's digest.

pub(super) mod claims;
mod jwks;

pub(super) use claims::Expected;
pub(super) use jwks::Source;

use super::{
    Assurance, Proof, VerifyError,
    grammar::{self, Prefix},
    keyring::{self, Keyring},
    mac::{Prepared, Tag},
    place::Place,
    spec::{Algorithm, JwtAlgorithm},
    value::Subject,
};
use secrecy::SecretString;
use serde::Deserialize;

pub(super) struct Jwt {
    pub(super) place: Place,
    pub(super) prefix: Prefix,
    pub(super) algorithms: Vec<JwtAlgorithm>,
    pub(super) expected: Expected,
    pub(super) source: Option<Source>,
    /// The shared secrets, for HS256.
    pub(super) ring: Keyring<Prepared>,
}

/// What a token says of its own signature (RFC 7515, 4.1).
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<serde_json::Value>,
}

struct Token<'t> {
    header: Header,
    /// What is signed: the first two parts as they stand.
    message: &'t str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl Jwt {
    /// True where a shared secret is one way to prove a token.
    pub(super) fn needs_secret(&self) -> bool {
        self.algorithms.contains(&JwtAlgorithm::Hs256)
    }

    pub(super) fn set_secrets(&self, secrets: &[SecretString]) {
        let prepared = |key: &str| Prepared::new(Algorithm::HmacSha256, key.as_bytes(), None);
        self.ring.set(secrets, |key| Some((key.len(), prepared(key)?)), []);
    }

    pub(super) fn verify(&self, subject: Subject<'_>) -> Result<Proof, VerifyError> {
        let claimed = self.place.read(subject)?;
        let text = claimed.text().unwrap_or_default();
        let bare = self.prefix.strip(text.as_bytes()).and_then(|bare| std::str::from_utf8(bare).ok());
        let token = Token::read(bare.ok_or_else(|| VerifyError::malformed("the token lacks its prefix"))?)?;
        let algorithm = self.algorithm(&token.header)?;
        let key = match algorithm {
            JwtAlgorithm::Hs256 => self.shared_key(&token)?,
            JwtAlgorithm::Rs256 | JwtAlgorithm::Es256 => {
                let source = self.source.as_ref().ok_or(VerifyError::Unkeyed)?;
                let kid = token.header.kid.as_deref();
                let message = token.message.as_bytes();
                let verifies = |key: &jwks::Key| key.verifies(algorithm, message, &token.signature);
                source.find(kid, subject.request.received, verifies)?
            }
        };
        self.expected.check(&token.claims, subject.request)?;
        let assurance = if self.expected.covers_body() { Assurance::Signature } else { Assurance::Secret };
        Ok(Proof { assurance, key })
    }

    /// Returns the algorithm that the token claims, if it is an allowed one.
    fn algorithm(&self, header: &Header) -> Result<JwtAlgorithm, VerifyError> {
        let mut allowed = self.algorithms.iter().copied();
        allowed
            .find(|allowed| allowed.name() == header.alg && header.crit.is_none())
            .ok_or_else(|| VerifyError::malformed("the token is not signed by an allowed algorithm"))
    }

    fn shared_key(&self, token: &Token<'_>) -> Result<usize, VerifyError> {
        let keys = self.ring.now();
        if keys.is_empty() {
            return Err(VerifyError::Unkeyed);
        }
        let claimed = Tag::new(&token.signature);
        keyring::first_match(&keys, |key| {
            key.tag(std::iter::once(token.message.as_bytes())).matches(&claimed)
        })
        .ok_or(VerifyError::Mismatch)
    }
}

impl<'t> Token<'t> {
    fn read(text: &'t str) -> Result<Self, VerifyError> {
        let parts = || {
            let (message, signature) = text.rsplit_once('.')?;
            let (header, claims) = message.split_once('.')?;
            let header = serde_json::from_slice(&grammar::base64url(header)?).ok()?;
            let (claims, signature) = (grammar::base64url(claims)?, grammar::base64url(signature)?);
            Some(Self { header, message, claims, signature })
        };
        parts().ok_or_else(|| VerifyError::malformed("the token is not a JSON Web Token"))
    }
}

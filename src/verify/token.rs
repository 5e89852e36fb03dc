//! A shared secret that is sent as it is, in a header: proves the sender and nothing about the body.
//!
//! Both sides are hashed before they are compared, so that not even the secret's length shows in the time.

use super::{
    Assurance, Proof, VerifyError,
    keyring::{self, Held, Keyring},
    single,
};
use crate::delivery::Request;
use axum::http::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The check of one header against the secrets.
pub(super) struct Token {
    pub(super) header: HeaderName,
    /// Text in front of the token, as `Bearer `; may be empty.
    pub(super) prefix: Box<str>,
    pub(super) prefix_optional: bool,
    pub(super) ring: Keyring<TokenKey>,
}

/// One secret and what a request is compared with.
pub(super) struct TokenKey {
    digest: [u8; 32],
    pub(super) secret: SecretString,
}

impl Token {
    pub(super) fn set_secrets(&self, secrets: Vec<SecretString>) {
        let held = secrets.into_iter().enumerate().filter_map(|(place, secret)| {
            let text = secret.expose_secret();
            let (bytes, digest) = (text.len(), Sha256::digest(text).into());
            (bytes > 0).then(|| Held::new(place, bytes, TokenKey { digest, secret }))
        });
        self.ring.set(held.collect());
    }

    pub(super) fn verify(&self, request: &Request) -> Result<Proof, VerifyError> {
        let keys = self.ring.now();
        if keys.is_empty() {
            return Err(VerifyError::Unkeyed);
        }
        let digest: [u8; 32] = Sha256::digest(self.bare(single(&request.headers, &self.header)?)?).into();
        keyring::first_match(&keys, |key| key.digest.ct_eq(&digest).into())
            .map(|key| Proof { assurance: Assurance::Secret, key })
            .ok_or(VerifyError::Mismatch)
    }

    /// Returns the header's value without the prefix.
    fn bare<'v>(&self, value: &'v [u8]) -> Result<&'v [u8], VerifyError> {
        match value.strip_prefix(self.prefix.as_bytes()) {
            Some(bare) => Ok(bare),
            None if self.prefix_optional => Ok(value),
            None => Err(VerifyError::Malformed(format!("header `{}` lacks its prefix", self.header))),
        }
    }
}

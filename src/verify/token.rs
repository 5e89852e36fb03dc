//! A shared secret that is sent as it is, or as a user's name and password: proves the sender and nothing about the
//! body.
//!
//! Both sides are hashed before they are compared, so that not even the secret's length shows in the time.

use super::{
    Assurance, Proof, VerifyError,
    grammar::{self, Prefix},
    keyring::{self, Keyring},
    place::Place,
    value::Subject,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(super) struct Token {
    pub(super) place: Place,
    /// Text in front of the token, as `Bearer `; may be empty.
    pub(super) prefix: Prefix,
    /// True for `user:password` in base64.
    pub(super) is_basic: bool,
    pub(super) ring: Keyring<TokenKey>,
}

/// One secret and what a request is compared with.
pub(super) struct TokenKey {
    digest: [u8; 32],
    pub(super) secret: SecretString,
}

impl Token {
    pub(super) fn set_secrets(&self, secrets: &[SecretString]) {
        let key = |text: &str| TokenKey { digest: Sha256::digest(text).into(), secret: text.into() };
        self.ring.set(secrets, |text| Some((text.len(), key(text))), []);
    }

    pub(super) fn verify(&self, subject: Subject<'_>) -> Result<Proof, VerifyError> {
        let keys = self.ring.now();
        if keys.is_empty() {
            return Err(VerifyError::Unkeyed);
        }
        let claimed = self.place.read(subject)?;
        let text = claimed.text().unwrap_or_default();
        let bare = self
            .prefix
            .strip(text.as_bytes())
            .ok_or_else(|| VerifyError::malformed("the token lacks its prefix"))?;
        let digest: [u8; 32] = if self.is_basic {
            let bare = std::str::from_utf8(bare).ok().and_then(grammar::base64);
            Sha256::digest(
                bare.ok_or_else(|| VerifyError::malformed("the user and password are not base64"))?,
            )
            .into()
        } else {
            Sha256::digest(bare).into()
        };
        keyring::first_match(&keys, |key| key.digest.ct_eq(&digest).into())
            .map(|key| Proof { assurance: Assurance::Secret, key })
            .ok_or(VerifyError::Mismatch)
    }

    /// Returns the credential as the sender writes it, with the first secret.
    pub(super) fn write(&self) -> Result<String, VerifyError> {
        let keys = self.ring.now();
        let secret = keyring::first(&keys)?.secret.expose_secret();
        let text = if self.is_basic { grammar::to_base64(secret.as_bytes()) } else { secret.to_owned() };
        Ok(format!("{}{text}", self.prefix.text))
    }
}

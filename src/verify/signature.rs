//! A digest over a message, with a secret or without, in a header or in the body itself.

use super::{
    Assurance, Proof, SpecProblem, VerifyError,
    freshness::Freshness,
    grammar::{self, Grammar},
    keyring::{self, Held, Keyring},
    mac::{Prepared, Tag},
    member::{self, Found},
    message::Message,
    single,
    spec::{Algorithm, KeyForm, KeyPosition},
};
use crate::delivery::Request;
use axum::http::HeaderName;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::borrow::Cow;

/// The check of one digest.
pub(super) struct Signature {
    pub(super) algorithm: Algorithm,
    pub(super) place: Place,
    pub(super) grammar: Grammar,
    pub(super) message: Message,
    pub(super) freshness: Option<Freshness>,
    pub(super) key_form: KeyForm,
    pub(super) key_position: Option<KeyPosition>,
    pub(super) ring: Keyring<Prepared>,
}

/// Where the signature stands.
pub(super) enum Place {
    Header(HeaderName),
    Member {
        name: Box<str>,
        /// True where a body without it is taken, as unverified.
        may_lack: bool,
    },
}

impl Place {
    /// Returns the name of the body's member that the message does not hold.
    pub(super) fn member(&self) -> Option<&str> {
        match self {
            Self::Header(_) => None,
            Self::Member { name, .. } => Some(name),
        }
    }
}

impl Signature {
    /// True where the digest has a key; one without proves only that the body is whole.
    pub(super) fn is_keyed_scheme(&self) -> bool {
        self.algorithm.is_hmac() || self.key_position.is_some()
    }

    pub(super) fn set_secrets(&self, secrets: &[SecretString]) -> Result<(), Vec<SpecProblem>> {
        let given = || {
            secrets.iter().map(ExposeSecret::expose_secret).enumerate().filter(|(_, text)| !text.is_empty())
        };
        if !self.is_keyed_scheme() {
            return if given().next().is_none() {
                Ok(())
            } else {
                Err(vec![SpecProblem::keyless(self.algorithm)])
            };
        }
        let mut held = Vec::new();
        let mut problems = Vec::new();
        for (place, text) in given() {
            let key = decode_key(text, self.key_form).map(SecretSlice::from);
            let prepared = key.as_ref().and_then(|key| {
                let key = key.expose_secret();
                Some((key.len(), Prepared::new(self.algorithm, key, self.key_position)?))
            });
            match prepared {
                Some((bytes @ 1.., prepared)) => held.push(Held::new(place, bytes, prepared)),
                Some((0, _)) | None => problems.push(SpecProblem::undecodable(place, self.key_form)),
            }
        }
        self.ring.set(held);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    pub(super) fn verify(&self, request: &Request) -> Result<Proof, VerifyError> {
        let keys = self.ring.now();
        if keys.is_empty() {
            return Err(VerifyError::Unkeyed);
        }
        let (text, found) = match &self.place {
            Place::Header(name) => (header_text(request, name)?, None),
            Place::Member { name, may_lack } => match member::find(&request.body, name)? {
                Some(found) => (found.value.clone(), Some(found)),
                None if *may_lack => return Ok(Proof::none()),
                None => return Err(VerifyError::Missing(format!("member `{name}`"))),
            },
        };
        let signed_at =
            self.freshness.as_ref().map(|freshness| freshness.read(&request.headers)).transpose()?;
        let key = self.matching_key(&keys, &text, found.as_ref(), request)?;
        if let (Some(freshness), Some(signed_at)) = (&self.freshness, signed_at) {
            freshness.judge(signed_at, request.received)?;
        }
        Ok(Proof { assurance: self.assurance(), key })
    }

    /// Computes the digest with every key, and returns the place of the first that gives one of the signatures.
    fn matching_key(
        &self,
        keys: &[Held<Prepared>],
        text: &str,
        found: Option<&Found<'_>>,
        request: &Request,
    ) -> Result<usize, VerifyError> {
        let mut scratch = Vec::new();
        let pieces = self.message.pieces(request, self.place.member(), found, &mut scratch)?;
        let mut readable = false;
        let matched = keyring::first_match(keys, |key| {
            let expected = key.tag(&pieces);
            self.grammar.read(text, self.algorithm).fold(false, |hit, claimed| {
                readable = true;
                claimed.matches(&expected) | hit
            })
        });
        match matched {
            Some(place) => Ok(place),
            None if readable => Err(VerifyError::Mismatch),
            None => Err(VerifyError::malformed("the signature is not written as the scheme prescribes")),
        }
    }

    /// Computes the signature of a request that has none yet, with the first secret.
    pub(super) fn compute(&self, request: &Request) -> Result<Tag, VerifyError> {
        let keys = self.ring.now();
        let key = keyring::first(&keys).ok_or(VerifyError::Unkeyed)?;
        let mut scratch = Vec::new();
        Ok(key.tag(&self.message.pieces(request, self.place.member(), None, &mut scratch)?))
    }

    fn assurance(&self) -> Assurance {
        match (self.is_keyed_scheme(), self.message.covers_body()) {
            (true, true) => Assurance::Signature,
            (true, false) => Assurance::Secret,
            (false, _) => Assurance::Integrity,
        }
    }
}

fn header_text<'r>(request: &'r Request, name: &HeaderName) -> Result<Cow<'r, str>, VerifyError> {
    std::str::from_utf8(single(&request.headers, name)?)
        .map(Cow::Borrowed)
        .map_err(|_| VerifyError::Malformed(format!("header `{name}` is not text")))
}

/// Turns a secret's text into the key's bytes; `None` where it is not written that way.
fn decode_key(text: &str, form: KeyForm) -> Option<Vec<u8>> {
    match form {
        KeyForm::Utf8 => Some(text.as_bytes().to_vec()),
        KeyForm::Hex => hex::decode(text).ok(),
        KeyForm::Base64 => grammar::base64_key(text),
        KeyForm::Whsec => grammar::base64_key(text.strip_prefix("whsec_").unwrap_or(text)),
    }
}

//! What a signature is checked with: shared secrets, public keys, or the key of a certificate that the request
//! names. Each prepares what it can once, and tries all it has.

use super::{
    SpecProblem, VerifyError,
    certificate::Certificates,
    grammar::{self, Grammar},
    keyring::{self, Keyring},
    mac::Prepared,
    message::Pieces,
    place::Claimed,
    public::PublicKey,
    sha1_of,
    spec::{Algorithm, KeyForm, KeyPosition},
    value::Subject,
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// The most signatures of one request that are tried with public keys.
const MOST_SIGNATURES: usize = 8;

pub(super) enum Keys {
    /// Shared secrets for an HMAC or digest.
    Shared {
        algorithm: Algorithm,
        form: KeyForm,
        position: Option<KeyPosition>,
        ring: Keyring<Prepared>,
    },
    /// Public keys: those of the document stand behind those of the source.
    Public {
        algorithm: Algorithm,
        form: Option<KeyForm>,
        document: Vec<String>,
        ring: Keyring<PublicKey>,
    },
    Certificate(Certificates),
}

/// What became of the signatures that a request claims.
pub(super) enum Match {
    Key(usize),
    Wrong,
    /// None of them is written as the scheme prescribes.
    Unreadable,
}

impl Keys {
    /// True where a signature proves more than that the body is whole.
    pub(super) fn is_keyed_scheme(&self) -> bool {
        match self {
            Self::Shared { algorithm, position, .. } => algorithm.is_hmac() || position.is_some(),
            Self::Public { .. } | Self::Certificate(_) => true,
        }
    }

    pub(super) fn needs_secret(&self) -> bool {
        match self {
            Self::Shared { .. } => self.is_keyed_scheme(),
            Self::Public { document, .. } => document.is_empty(),
            Self::Certificate(_) => false,
        }
    }

    pub(super) fn is_keyed(&self) -> bool {
        match self {
            Self::Shared { ring, .. } => ring.is_keyed(),
            Self::Public { ring, .. } => ring.is_keyed(),
            Self::Certificate(certificates) => {
                certificates.files.is_empty() || !certificates.given.read().is_empty()
            }
        }
    }

    /// Returns how many secrets could be guessed.
    pub(super) fn weak(&self) -> usize {
        match self {
            Self::Shared { ring, .. } => ring.weak(),
            Self::Public { .. } | Self::Certificate(_) => 0,
        }
    }

    pub(super) fn set_secrets(&self, secrets: &[SecretString]) -> Vec<(usize, SpecProblem)> {
        let first_given = |problem: SpecProblem| {
            let first = secrets.iter().position(|secret| !secret.expose_secret().is_empty());
            first.map(|place| (place, problem)).into_iter().collect()
        };
        match self {
            Self::Shared { algorithm, .. } if !self.is_keyed_scheme() => {
                first_given(SpecProblem::keyless(*algorithm))
            }
            Self::Shared { algorithm, form, position, ring } => {
                let make = |text: &str| {
                    let key = decode_key(text, *form).filter(|key| !key.expose_secret().is_empty())?;
                    let key = key.expose_secret();
                    Some((key.len(), Prepared::new(*algorithm, key, *position)?))
                };
                let problem = |place| (place, SpecProblem::undecodable(place, *form));
                ring.set(secrets, make, []).into_iter().map(problem).collect()
            }
            Self::Public { algorithm, form, document, ring } => {
                let read = |text: &str| PublicKey::read(text, *algorithm, *form);
                let own = document.iter().filter_map(|text| read(text));
                let problem = |place| (place, SpecProblem::no_public_key(place, *algorithm));
                // Nobody needs to guess a public key.
                let make = |text: &str| Some((usize::MAX, read(text)?));
                ring.set(secrets, make, own).into_iter().map(problem).collect()
            }
            Self::Certificate(_) => first_given(SpecProblem::certified()),
        }
    }

    /// Finds the key that made one of the claimed signatures of a message; every key is tried.
    pub(super) fn find(
        &self,
        pieces: &Pieces<'_>,
        claimed: &Claimed<'_>,
        grammar: &Grammar,
        subject: Subject<'_>,
    ) -> Result<Match, VerifyError> {
        let mut is_readable = false;
        let matched = match self {
            Self::Shared { ring, .. } => keyring::first_match(&ring.now(), |key| {
                let expected = key.tag(pieces.iter());
                let tags = claimed.lines().flat_map(|line| grammar.digests(line, expected.as_bytes().len()));
                tags.fold(false, |hit, claimed| {
                    is_readable = true;
                    claimed.matches(&expected) | hit
                })
            }),
            Self::Public { ring, .. } => {
                let (message, signatures) = (pieces.joined(), signatures(claimed, grammar));
                is_readable = !signatures.is_empty();
                keyring::first_match(&ring.now(), |key| {
                    signatures.iter().any(|signature| key.verifies(&message, signature))
                })
            }
            Self::Certificate(certificates) => {
                let (message, signatures) = (pieces.joined(), signatures(claimed, grammar));
                is_readable = !signatures.is_empty();
                if !is_readable {
                    return Ok(Match::Unreadable); // no key could help, so none is asked for
                }
                certificates
                    .find(subject, |key| signatures.iter().any(|signature| key(&message, signature)))?
            }
        };
        Ok(match matched {
            Some(place) => Match::Key(place),
            None if is_readable => Match::Wrong,
            None => Match::Unreadable,
        })
    }

    /// Signs a message with the first key; `None` where that takes a key that only the sender has.
    pub(super) fn sign(&self, pieces: &Pieces<'_>) -> Result<Option<Vec<u8>>, VerifyError> {
        match self {
            Self::Shared { ring, .. } => {
                Ok(Some(keyring::first(&ring.now())?.tag(pieces.iter()).as_bytes().to_vec()))
            }
            Self::Public { ring, .. } => Ok(keyring::first(&ring.now())?.sign(&pieces.joined())),
            Self::Certificate(_) => Ok(None),
        }
    }
}

/// Returns the signatures that a request claims. No sender signs with many keys at once; each costs a check of the
/// whole body, and who sends a list of hundreds is nobody's sender.
fn signatures(claimed: &Claimed<'_>, grammar: &Grammar) -> Vec<Vec<u8>> {
    claimed.lines().flat_map(|line| grammar.signatures(line)).take(MOST_SIGNATURES).collect()
}

/// Turns a secret's text into the key's bytes; `None` where it is not written that way.
pub(super) fn decode_key(text: &str, form: KeyForm) -> Option<SecretSlice<u8>> {
    let bytes = match form {
        KeyForm::Utf8 => Some(text.as_bytes().to_vec()),
        KeyForm::Hex => hex::decode(text).ok(),
        KeyForm::Base64 | KeyForm::Spki | KeyForm::Whpk => grammar::base64_key(text),
        KeyForm::Whsec => {
            // Some dashboards show the signature's version in front.
            let text = text.strip_prefix("v1,").unwrap_or(text);
            grammar::base64_key(text.strip_prefix("whsec_").unwrap_or(text))
        }
        KeyForm::Sha1 => Some(sha1_of(text.as_bytes())),
    };
    bytes.map(SecretSlice::from)
}

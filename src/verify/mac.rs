//! Keyed digests: every algorithm a scheme may name, prepared with its key once, so that a request costs one
//! clone of a small state and the hashing of its bytes.

use super::spec::{Algorithm, KeyPosition};
use hmac::{Hmac, KeyInit};
use md5::Md5;
use secrecy::{ExposeSecret, SecretSlice};
use sha1::Sha1;
use sha2::{
    Sha256, Sha512,
    digest::{FixedOutput, Update},
};
use subtle::ConstantTimeEq;

/// The longest digest, SHA-512's, in bytes.
pub(super) const LONGEST: usize = 64;

/// A digest of any algorithm, on the stack.
pub(super) struct Tag {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Tag {
    /// Copies a digest; bytes beyond the longest are left out.
    pub(super) fn new(digest: &[u8]) -> Self {
        let mut bytes = [0; LONGEST];
        let len = bytes.iter_mut().zip(digest).map(|(to, from)| *to = *from).count();
        Self { bytes, len }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Compares in a time that depends on the lengths only, and those are public.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

/// A digest that has taken in the key, if the key stands in front.
enum State {
    HmacSha256(Hmac<Sha256>),
    HmacSha512(Hmac<Sha512>),
    HmacSha1(Hmac<Sha1>),
    HmacMd5(Hmac<Md5>),
    Sha256(Sha256),
    Sha512(Sha512),
    Sha1(Sha1),
    Md5(Md5),
}

pub(super) struct Prepared {
    state: State,
    /// A key that stands behind the message of a plain digest; empty otherwise.
    behind: SecretSlice<u8>,
}

impl Prepared {
    /// Prepares `key`; `None` for what is not computed (`token`, `none`) and a key that the algorithm cannot
    /// take (HMAC takes any).
    pub(super) fn new(algorithm: Algorithm, key: &[u8], position: Option<KeyPosition>) -> Option<Self> {
        let (front, behind): (&[u8], &[u8]) = match position {
            Some(KeyPosition::Suffix) => (&[], key),
            Some(KeyPosition::Prefix) | None => (key, &[]),
        };
        let state = match algorithm {
            Algorithm::HmacSha256 => State::HmacSha256(Hmac::new_from_slice(key).ok()?),
            Algorithm::HmacSha512 => State::HmacSha512(Hmac::new_from_slice(key).ok()?),
            Algorithm::HmacSha1 => State::HmacSha1(Hmac::new_from_slice(key).ok()?),
            Algorithm::HmacMd5 => State::HmacMd5(Hmac::new_from_slice(key).ok()?),
            Algorithm::Sha256 => State::Sha256(Sha256::default().chain(front)),
            Algorithm::Sha512 => State::Sha512(Sha512::default().chain(front)),
            Algorithm::Sha1 => State::Sha1(Sha1::default().chain(front)),
            Algorithm::Md5 => State::Md5(Md5::default().chain(front)),
            Algorithm::Token
            | Algorithm::Basic
            | Algorithm::Ed25519
            | Algorithm::EcdsaP256
            | Algorithm::RsaX509
            | Algorithm::Jwt
            | Algorithm::None => return None,
        };
        Some(Self { state, behind: behind.to_vec().into() })
    }

    pub(super) fn tag<'p>(&self, pieces: impl Iterator<Item = &'p [u8]>) -> Tag {
        let behind = self.behind.expose_secret();
        match &self.state {
            State::HmacSha256(state) => run(state.clone(), pieces, behind),
            State::HmacSha512(state) => run(state.clone(), pieces, behind),
            State::HmacSha1(state) => run(state.clone(), pieces, behind),
            State::HmacMd5(state) => run(state.clone(), pieces, behind),
            State::Sha256(state) => run(state.clone(), pieces, behind),
            State::Sha512(state) => run(state.clone(), pieces, behind),
            State::Sha1(state) => run(state.clone(), pieces, behind),
            State::Md5(state) => run(state.clone(), pieces, behind),
        }
    }
}

impl Algorithm {
    /// Returns the length of its digest in bytes; 0 where nothing is computed.
    pub fn digest_bytes(self) -> usize {
        Prepared::new(self, &[], None).map_or(0, |prepared| prepared.tag(std::iter::empty()).as_bytes().len())
    }
}

fn run<'p, S: Update + FixedOutput>(
    mut state: S,
    pieces: impl Iterator<Item = &'p [u8]>,
    behind: &[u8],
) -> Tag {
    for piece in pieces {
        state.update(piece);
    }
    state.update(behind);
    Tag::new(&state.finalize_fixed())
}

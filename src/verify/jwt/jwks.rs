//! A sender's public keys (RFC 7517): from an address that is fetched and looked at again, or from a file.

use crate::{
    fetch::Target,
    verify::{SpecProblem, VerifyError, grammar, remote::Remote, spec::JwtAlgorithm},
};
use jiff::Timestamp;
use parking_lot::RwLock;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How old fetched keys may be before they are fetched again beside the requests.
const REFRESH_AFTER: Duration = Duration::from_mins(15);

/// How old they may be at all: a key that was withdrawn must not count for ever.
const FORGET_AFTER: Duration = Duration::from_hours(24);

/// How long lies between two fetches at least: anybody can name a key that is not there.
const PAUSE: Duration = Duration::from_secs(5);

pub(in crate::verify) struct Source {
    /// An address, or a file's path.
    place: Box<str>,
    /// How the address is fetched; `None` for a file.
    pub(in crate::verify) remote: Option<(Target, Arc<Remote<Keys>>)>,
    /// What was read from the file.
    given: RwLock<Option<Keys>>,
}

pub(in crate::verify) struct Keys(Vec<Key>);

pub(in crate::verify) struct Key {
    kid: Option<String>,
    material: Material,
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// An uncompressed point.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a document; keys of other kinds are passed over.
    pub(in crate::verify) fn read(document: &[u8]) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(document).map_err(|_| "it is not a JSON Web Key Set".to_owned())?;
        let keys: Vec<Key> = document.keys.into_iter().filter_map(Jwk::key).collect();
        if keys.is_empty() { Err("it holds no RSA and no P-256 key".to_owned()) } else { Ok(Self(keys)) }
    }

    /// Returns whether a key with this id is there, and whether one `verifies`; a token without an id may be made
    /// by any.
    fn find(&self, kid: Option<&str>, verifies: impl Fn(&Key) -> bool) -> (bool, bool) {
        let candidates = self.0.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid);
        candidates.fold((false, false), |(_, hit), key| (true, verifies(key) || hit))
    }
}

impl Jwk {
    fn key(self) -> Option<Key> {
        if self.purpose.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let number = |text: Option<String>| grammar::base64url(&text?).filter(|number| !number.is_empty());
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Material::Rsa(RsaPublicKeyComponents { n: number(self.n)?, e: number(self.e)? }),
            ("EC", Some("P-256")) => Material::P256([vec![4], number(self.x)?, number(self.y)?].concat()),
            _ => return None,
        };
        Some(Key { kid: self.kid, material })
    }
}

impl Key {
    pub(super) fn verifies(&self, algorithm: JwtAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, algorithm) {
            (Material::Rsa(key), JwtAlgorithm::Rs256) => {
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            (Material::P256(point), JwtAlgorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            // A key of one kind never serves an algorithm of another.
            (Material::Rsa(_) | Material::P256(_), _) => false,
        }
    }
}

impl Source {
    /// Takes an `https` address or a file's path, or says what is wrong with it.
    pub(in crate::verify) fn new(place: &str) -> Result<Self, String> {
        let target = place.contains("://").then(|| Target::parse(place)).transpose();
        let target = target.map_err(|error| error.to_string())?;
        let remote = target.map(|target| (target, Remote::configured(PAUSE)));
        Ok(Self { place: place.into(), remote, given: RwLock::new(None) })
    }

    /// Finds the key that `verifies`; returns 0, since these keys are not among the secrets.
    pub(super) fn find(
        &self,
        kid: Option<&str>,
        received: Timestamp,
        verifies: impl Fn(&Key) -> bool,
    ) -> Result<usize, VerifyError> {
        let (is_known, hit) = match &self.remote {
            None => self.given.read().as_ref().ok_or(VerifyError::Unkeyed)?.find(kid, verifies),
            Some((_, remote)) => {
                let (read, _) = remote.ages(&self.place);
                if read.is_some_and(|age| age > FORGET_AFTER) {
                    remote.forget(&self.place);
                }
                let missing = || VerifyError::KeyUnavailable(self.place.to_string());
                let found = remote.get(&self.place).ok_or_else(missing)?.find(kid, verifies);
                // Keys that were asked for before the request came may lack the one that it was signed with.
                if !found.0 && remote.began(&self.place).is_none_or(|began| began < received) {
                    return Err(missing());
                }
                found
            }
        };
        match (is_known, hit) {
            (_, true) => Ok(0),
            (true, false) => Err(VerifyError::Mismatch),
            (false, false) => {
                Err(VerifyError::malformed("the token names a key that the sender does not publish"))
            }
        }
    }

    /// Fetches the keys, if what is there is older than `fresh`.
    async fn fetch(&self, fresh: Duration) {
        if let Some((target, remote)) = &self.remote {
            let read = |document: &[u8], _| Keys::read(document);
            Arc::clone(remote).fetch(&self.place, target.clone(), fresh, read).await;
        }
    }

    /// Fetches the keys that a check missed: waits for a fetch that begins after now, as soon as one may.
    pub(in crate::verify) async fn fetch_missing(&self) {
        let Some((_, remote)) = &self.remote else { return };
        let asked = Instant::now();
        let tried = || remote.ages(&self.place).1;
        while tried().is_none_or(|age| age > asked.elapsed()) {
            if let Some(rest) = tried().and_then(|age| PAUSE.checked_sub(age)) {
                tokio::time::sleep(rest).await;
            }
            self.fetch(Duration::ZERO).await;
            if tried().is_none() {
                return; // too many others wait
            }
        }
    }

    pub(in crate::verify) async fn refresh(&self) {
        self.fetch(REFRESH_AFTER).await;
    }

    /// False where the file gave no keys; a fetch that a request misses is begun for it.
    pub(in crate::verify) fn is_keyed(&self) -> bool {
        self.remote.is_some() || self.given.read().is_some()
    }

    /// True where keys were fetched in vain, and none are here.
    pub(in crate::verify) fn is_out_of_reach(&self) -> bool {
        self.remote.as_ref().is_some_and(|(_, remote)| matches!(remote.ages(&self.place), (None, Some(_))))
    }

    pub(in crate::verify) fn file(&self) -> Option<&str> {
        self.remote.is_none().then_some(&self.place)
    }

    pub(in crate::verify) fn address(&self) -> Option<&str> {
        self.remote.is_some().then_some(&self.place)
    }

    pub(in crate::verify) fn forget(&self) {
        *self.given.write() = None;
    }

    pub(in crate::verify) fn give(&self, text: &str) -> Result<(), SpecProblem> {
        let keys = Keys::read(text.as_bytes()).map_err(|error| {
            let problem = format!("`{}`: {error}", self.place);
            SpecProblem::new("jwt.jwks", problem, "give the sender's key set as JSON")
        })?;
        *self.given.write() = Some(keys);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, fetch::tests::Server};
    use std::sync::atomic::Ordering;

    const ADDRESS: &str = "https://keys.example.com/keys.json";

    #[tokio::test]
    async fn an_unknown_key_is_unavailable_until_a_fetch_that_began_after_the_request() {
        let document = std::fs::read_to_string("tests/fixtures/keys/rsa.jwks.json").unwrap();
        let server = Server::holding(&document).await;
        let source = Source::new(ADDRESS).unwrap();
        let (target, remote) = source.remote.as_ref().unwrap();
        let _first = remote.client.set(server.client());
        let unknown = |received| source.find(Some("of nobody"), received, |_| true);
        let missing = Err(VerifyError::KeyUnavailable(ADDRESS.to_owned()));
        let early = clock::now();
        source.fetch_missing().await;
        assert!(matches!(unknown(early), Err(VerifyError::Malformed(_))), "it was looked for since");
        let late = clock::now();
        assert_eq!(unknown(late), missing, "the sender may have published it since");
        source.fetch(Duration::ZERO).await;
        assert_eq!(server.asked.load(Ordering::SeqCst), 1, "not again within 5 s");
        tokio::time::pause();
        tokio::time::advance(PAUSE).await;
        tokio::time::resume();
        let failing = |_: &[u8], _| Err("not that".to_owned());
        Arc::clone(remote).fetch(ADDRESS, target.clone(), Duration::ZERO, failing).await;
        assert_eq!(unknown(late), missing, "a failed fetch tells nothing");
        assert_eq!(source.find(None, late, |_| true), Ok(0), "what was read is still good");
        tokio::time::pause();
        tokio::time::advance(PAUSE).await;
        tokio::time::resume();
        source.fetch_missing().await;
        assert!(matches!(unknown(late), Err(VerifyError::Malformed(_))), "now it was looked for");
    }
}

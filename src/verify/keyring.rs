//! The secrets of one source in the form its scheme compares with: made once when they are set, swapped whole,
//! and all of them tried for every request, so that neither a rotation nor its timing can be seen from outside.

use super::VerifyError;
use parking_lot::RwLock;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// Secrets below this many bytes are worth a warning.
const WEAK_BELOW: usize = 16;

pub(super) struct Held<K> {
    /// Its place among the configured secrets, empty ones counted.
    place: usize,
    /// True where it has fewer bytes than a secret should.
    weak: bool,
    key: K,
}

pub(super) struct Keyring<K> {
    held: RwLock<Arc<[Held<K>]>>,
}

impl<K> Keyring<K> {
    pub(super) fn empty() -> Self {
        Self { held: RwLock::new(Arc::new([])) }
    }

    /// Returns the ring of a scheme that needs no secret: `key` is all there is, and never weak.
    pub(super) fn fixed(key: K) -> Self {
        Self { held: RwLock::new(Arc::new([Held { place: 0, weak: false, key }])) }
    }

    /// Replaces all keys at once: by what is made of the text of each secret, with its length in bytes, and by others, which
    /// nobody needs to guess. Empty secrets are left out; returns the places of those that nothing can be made of.
    pub(super) fn set(
        &self,
        secrets: &[SecretString],
        make: impl Fn(&str) -> Option<(usize, K)>,
        others: impl IntoIterator<Item = K>,
    ) -> Vec<usize> {
        let (mut held, mut unusable) = (Vec::new(), Vec::new());
        for (place, secret) in secrets.iter().map(ExposeSecret::expose_secret).enumerate() {
            match make(secret) {
                _ if secret.is_empty() => {}
                Some((bytes, key)) => held.push(Held { place, weak: bytes < WEAK_BELOW, key }),
                None => unusable.push(place),
            }
        }
        let others = (secrets.len()..).zip(others).map(|(place, key)| Held { place, weak: false, key });
        *self.held.write() = held.into_iter().chain(others).collect();
        unusable
    }

    pub(super) fn is_keyed(&self) -> bool {
        !self.held.read().is_empty()
    }

    pub(super) fn weak(&self) -> usize {
        self.held.read().iter().filter(|held| held.weak).count()
    }

    /// Returns the secrets as they are now; a swap does not disturb who holds them.
    pub(super) fn now(&self) -> Arc<[Held<K>]> {
        Arc::clone(&self.held.read())
    }
}

/// Returns the place of the first key that `matches`; every key is tried.
pub(super) fn first_match<K>(held: &[Held<K>], mut matches: impl FnMut(&K) -> bool) -> Option<usize> {
    held.iter().fold(None, |found, held| {
        let hit = matches(&held.key);
        found.or(hit.then_some(held.place))
    })
}

/// Returns the key that signs.
pub(super) fn first<K>(held: &[Held<K>]) -> Result<&K, VerifyError> {
    held.first().map(|held| &held.key).ok_or(VerifyError::Unkeyed)
}

//! The secrets of one source in the form its scheme compares with: made once when they are set, swapped whole,
//! and all of them tried for every request, so that neither a rotation nor its timing can be seen from outside.

use parking_lot::RwLock;
use std::sync::Arc;

/// Secrets below this many bytes are worth a warning.
const WEAK_BELOW: usize = 16;

/// One prepared secret.
pub(super) struct Held<K> {
    /// Its place among the configured secrets, empty ones counted.
    place: usize,
    /// True where it has fewer bytes than a secret should.
    weak: bool,
    key: K,
}

impl<K> Held<K> {
    /// Keeps `key`, made of a secret of `bytes` bytes that stands at `place` in the configuration.
    pub(super) fn new(place: usize, bytes: usize, key: K) -> Self {
        Self { place, weak: bytes < WEAK_BELOW, key }
    }

    /// Keeps a public key, which nobody needs to guess.
    pub(super) fn public(place: usize, key: K) -> Self {
        Self { place, weak: false, key }
    }
}

/// The prepared secrets of one source.
pub(super) struct Keyring<K> {
    held: RwLock<Arc<[Held<K>]>>,
}

impl<K> Keyring<K> {
    /// Returns a ring without secrets.
    pub(super) fn empty() -> Self {
        Self { held: RwLock::new(Arc::new([])) }
    }

    /// Returns the ring of a scheme that needs no secret: `key` is all there is, and never weak.
    pub(super) fn fixed(key: K) -> Self {
        Self { held: RwLock::new(Arc::new([Held { place: 0, weak: false, key }])) }
    }

    /// Replaces all secrets at once.
    pub(super) fn set(&self, held: Vec<Held<K>>) {
        *self.held.write() = held.into();
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
pub(super) fn first<K>(held: &[Held<K>]) -> Option<&K> {
    held.first().map(|held| &held.key)
}

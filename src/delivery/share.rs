//! Bounds on what is on its way: requests of a source, bytes of all bodies. Nobody waits for a share; there is
//! one, or the request is refused.

use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// So much may be out at once.
#[derive(Debug)]
pub struct Quota {
    free: AtomicU64,
}

/// A part of a quota, given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    quota: Arc<Quota>,
    amount: u64,
}

/// Bytes with their share.
struct Held {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Quota {
    /// Makes a quota of `amount`.
    pub fn new(amount: u64) -> Arc<Self> {
        Arc::new(Self { free: AtomicU64::new(amount) })
    }

    /// Takes a part, or `None` when less than that is free.
    pub fn take(self: &Arc<Self>, amount: u64) -> Option<Share> {
        self.charge(amount).then(|| Share { quota: Arc::clone(self), amount })
    }

    /// Returns bytes that hold their share for as long as anybody has them; `None` where no room is left. For what a queue
    /// keeps that is not ours.
    pub fn hold(self: &Arc<Self>, bytes: Bytes) -> Option<Bytes> {
        let share = self.take(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        Some(Bytes::from_owner(Held { bytes, _share: share }))
    }

    /// How much nobody has.
    pub fn free(&self) -> u64 {
        self.free.load(Ordering::Relaxed)
    }

    fn charge(&self, amount: u64) -> bool {
        let less = |free: u64| free.checked_sub(amount);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Share {
    /// Takes so much more; false, and all as it was, when less than that is free.
    pub fn grow(&mut self, amount: u64) -> bool {
        let is_taken = self.quota.charge(amount);
        if is_taken {
            self.amount = self.amount.saturating_add(amount);
        }
        is_taken
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.free.fetch_add(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_never_overdrawn_and_gets_all_back() {
        let quota = Quota::new(10);
        let mut first = quota.take(2).unwrap();
        assert!(!first.grow(9));
        assert!(first.grow(4));
        assert!(quota.take(5).is_none());
        assert_eq!(quota.free(), 4);
        let second = quota.take(4).unwrap();
        assert!(quota.take(1).is_none());
        drop((first, second));
        assert!(quota.take(10).is_some());
    }

    #[test]
    fn bytes_hold_their_share_until_the_last_copy_of_them_is_gone() {
        let quota = Quota::new(10);
        let first = quota.hold(Bytes::from_static(b"123456")).unwrap();
        assert_eq!(&*first, b"123456");
        let copy = first.slice(1..3);
        drop(first);
        assert!(quota.hold(Bytes::from_static(b"12345")).is_none());
        drop(copy);
        assert!(quota.hold(Bytes::from_static(b"1234567890")).is_some());
    }
}

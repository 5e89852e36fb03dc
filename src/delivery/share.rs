//! Bounds on what is on its way: requests of a source, bytes of all bodies. Nobody waits for a share; there is
//! one, or the request is refused.

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

impl Quota {
    /// Makes a quota of `amount`.
    pub fn new(amount: u64) -> Arc<Self> {
        Arc::new(Self { free: AtomicU64::new(amount) })
    }

    /// Takes a part, or `None` when less than that is free.
    pub fn take(self: &Arc<Self>, amount: u64) -> Option<Share> {
        self.free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(amount))
            .is_ok()
            .then(|| Share { quota: Arc::clone(self), amount })
    }
}

impl Share {
    /// Gives back what is beyond `amount`.
    pub fn shrink(&mut self, amount: u64) {
        let surplus = self.amount.saturating_sub(amount);
        if surplus > 0 {
            self.amount -= surplus;
            self.quota.free.fetch_add(surplus, Ordering::Relaxed);
        }
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
        let mut first = quota.take(6).unwrap();
        assert!(quota.take(5).is_none());
        first.shrink(2);
        let second = quota.take(8).unwrap();
        assert!(quota.take(1).is_none());
        drop((first, second));
        assert!(quota.take(10).is_some());
    }
}

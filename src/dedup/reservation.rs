//! The right to publish an event: what a window gives to the first of its copies, and takes back with what came of it.

use super::{
    Window,
    entries::{Entries, Key, Part, State},
};
use crate::record::{Held, Receipt};
use parking_lot::Mutex;

/// The right to publish one event once. Dropped without a receipt, it gives the right back.
#[derive(Debug)]
pub struct Reservation<'w> {
    pub(super) window: &'w Window,
    pub(super) shard: &'w Mutex<Entries>,
    pub(super) key: Key,
    pub(super) name: Key,
    pub(super) is_conflict: bool,
    pub(super) held: Held,
    pub(super) open: bool,
}

impl Reservation<'_> {
    /// Returns what holds an earlier attempt and needs no second copy.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// True where another event has the same id.
    pub fn is_conflict(&self) -> bool {
        self.is_conflict
    }

    /// Remembers the event and tells those who joined.
    pub fn commit(mut self, receipt: &Receipt) {
        let repeat = receipt.repeat();
        self.open = false;
        for joined in
            self.window.settle((self.shard, self.key, self.name), |until| Some(State::Done(repeat, until)))
        {
            // A joiner that gave up hears nothing, and that is all.
            let _unheard = joined.send(repeat);
        }
    }

    /// Gives the right back, keeping what holds the event already.
    pub fn release(mut self, held: Held) {
        self.held = held;
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.open {
            let held = std::mem::take(&mut self.held);
            // Dropping the joiners' channels tells them that the first copy failed.
            drop(self.window.settle((self.shard, self.key, self.name), |until| {
                (!held.is_empty()).then(|| State::Partial(Box::new(Part { held, until })))
            }));
        }
    }
}

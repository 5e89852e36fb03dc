//! Fourth stage: recognises repeats. A sender that heard no answer sends again; the [`Window`] of a source
//! remembers what was acknowledged, so that a repeat is answered without a second record.
//!
//! The window is bounded in entries and time, in memory, and per replica: losing it can only add duplicates,
//! which carry the same id. Only a [`Reservation`] that holds a receipt can be committed, so nothing is
//! remembered before it was acknowledged. Copies in flight join the first one and share its outcome.

use crate::record::{Disposition, Receipt, SinkIndex};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// Dedup's answer for one event id.
#[derive(Debug)]
pub enum Claim<'w> {
    /// Nobody has it: publish it.
    Fresh(Reservation<'w>),
    /// It was acknowledged before, and this is what became of it.
    Duplicate(Disposition),
    /// A copy is on its way; wait for its outcome.
    InFlight(Joined),
}

/// A place beside the first copy of an event.
#[derive(Debug)]
pub struct Joined(oneshot::Receiver<Disposition>);

impl Joined {
    /// Waits for the first copy; `None` when it failed.
    pub async fn outcome(self) -> Option<Disposition> {
        self.0.await.ok()
    }
}

/// What a source remembers of its events.
#[derive(Debug)]
pub struct Window {
    /// Where its seconds begin.
    begun: Instant,
    keep: Duration,
    capacity: usize,
    hashers: [RandomState; 2],
    entries: Mutex<Entries>,
}

/// 128 bits that stand for an id; two halves, so that an entry needs no wider alignment.
type Key = (u64, u64);

/// Seconds since the window's begin; a few bytes, since a window holds a hundred thousand of them.
type Second = u32;

#[derive(Debug, Default)]
struct Entries {
    states: HashMap<Key, State>,
    /// What may be forgotten, oldest first.
    order: VecDeque<(Second, Key)>,
}

/// What is known of one id; two words, whatever it is.
#[derive(Debug)]
enum State {
    /// The first copy is on its way; these wait for it.
    InFlight(Option<Box<Waiting>>),
    /// Some sinks hold it, at least one does not.
    Partial(Box<Held>),
    /// All sinks hold it; until then.
    Done(Disposition, Second),
}

#[derive(Debug, Default)]
struct Waiting(Vec<oneshot::Sender<Disposition>>);

/// The sinks that hold an earlier attempt, and until when that is remembered.
#[derive(Debug)]
struct Held {
    acked: Vec<SinkIndex>,
    until: Second,
}

impl Window {
    /// Makes a window that remembers at most `capacity` ids, each for `keep`.
    pub fn new(keep: Duration, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            keep,
            capacity,
            hashers: [RandomState::new(), RandomState::new()],
            entries: Mutex::default(),
        })
    }

    /// Claims the right to publish the event with this id; an id is unique within the envelope's `scope`.
    pub fn claim(&self, scope: &str, id: &str) -> Claim<'_> {
        let key = self.key((scope, id));
        let mut entries = self.entries.lock();
        let now = self.now();
        let acked = match entries.states.get_mut(&key) {
            Some(State::InFlight(waiting)) => {
                let (tell, told) = oneshot::channel();
                waiting.get_or_insert_default().0.push(tell);
                return Claim::InFlight(Joined(told));
            }
            Some(State::Done(disposition, until)) if *until > now => return Claim::Duplicate(*disposition),
            Some(State::Partial(held)) if held.until > now => std::mem::take(&mut held.acked),
            Some(State::Done(..) | State::Partial(..)) | None => Vec::new(),
        };
        entries.states.insert(key, State::InFlight(None));
        Claim::Fresh(Reservation { window: self, key, acked, open: true })
    }

    /// Returns how many ids are remembered or in flight.
    pub fn len(&self) -> usize {
        self.entries.lock().states.len()
    }

    /// Tells whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns 128 bits of two keyed hashes: an equal key for another id would suppress a genuine event, and
    /// nobody outside can aim for one.
    fn key(&self, id: (&str, &str)) -> Key {
        let [high, low] = &self.hashers;
        (high.hash_one(id), low.hash_one(id))
    }

    fn now(&self) -> Second {
        seconds(self.begun.elapsed())
    }

    /// Returns until when something that is settled `now` is remembered; seconds that have begun count in full.
    fn until(&self, now: Second) -> Second {
        const BEGUN: Duration = Duration::from_nanos(999_999_999);
        now.saturating_add(seconds(self.keep.saturating_add(BEGUN))).saturating_add(1)
    }

    /// Writes down what is known of an id now, given until when it is remembered; `None`: nothing.
    fn settle(
        &self,
        key: Key,
        state: impl FnOnce(Second) -> Option<State>,
    ) -> Vec<oneshot::Sender<Disposition>> {
        let now = self.now();
        let until = self.until(now);
        let mut entries = self.entries.lock();
        let before = match state(until) {
            Some(state) => {
                entries.order.push_back((until, key));
                entries.states.insert(key, state)
            }
            None => entries.states.remove(&key),
        };
        entries.forget(now, self.capacity);
        match before {
            Some(State::InFlight(waiting)) => waiting.map_or_else(Vec::new, |waiting| waiting.0),
            Some(State::Partial(..) | State::Done(..)) | None => Vec::new(),
        }
    }
}

fn seconds(time: Duration) -> Second {
    Second::try_from(time.as_secs()).unwrap_or(Second::MAX)
}

impl Entries {
    fn forget(&mut self, now: Second, capacity: usize) {
        while let Some((until, key)) = self.order.front().copied() {
            if until > now && self.order.len() <= capacity {
                return;
            }
            self.order.pop_front();
            // A key that was claimed again since has a newer line of its own.
            let expired = match self.states.get(&key) {
                Some(State::Partial(held)) => held.until <= until,
                Some(State::Done(_, own)) => *own <= until,
                Some(State::InFlight(_)) | None => false,
            };
            if expired {
                self.states.remove(&key);
            }
        }
    }
}

/// The right to publish one event once. Dropped without a receipt, it gives the right back.
#[derive(Debug)]
pub struct Reservation<'w> {
    window: &'w Window,
    key: Key,
    acked: Vec<SinkIndex>,
    open: bool,
}

impl Reservation<'_> {
    /// Returns the sinks that hold an earlier attempt and need no second copy.
    pub fn acked(&self) -> &[SinkIndex] {
        &self.acked
    }

    /// Remembers the event and tells those who joined.
    pub fn commit(mut self, receipt: &Receipt) {
        let disposition = receipt.disposition;
        self.open = false;
        for joined in self.window.settle(self.key, |until| Some(State::Done(disposition, until))) {
            // A joiner that gave up hears nothing, and that is all.
            let _unheard = joined.send(disposition);
        }
    }

    /// Gives the right back, keeping which sinks hold the event already.
    pub fn release(mut self, acked: Vec<SinkIndex>) {
        self.acked = acked;
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.open {
            let acked = std::mem::take(&mut self.acked);
            // Dropping the joiners' channels tells them that the first copy failed.
            drop(self.window.settle(self.key, |until| {
                (!acked.is_empty()).then(|| State::Partial(Box::new(Held { acked, until })))
            }));
        }
    }
}

#[cfg(test)]
mod tests;

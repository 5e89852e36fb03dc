//! Fourth stage: recognises repeats. A sender that heard no answer sends again; the [`Window`] of a source
//! remembers what was acknowledged, so that a repeat is answered without a second record.
//!
//! A repeat is the same event: the same id, and the same bytes that were signed. Ids are shared by mistake more often
//! than bytes differ in a retry, and a loss is worse than a duplicate. An id that comes with other bytes is a conflict:
//! published, said, and remembered beside the first, so that its retries are recognised too. Only where the sender's
//! document states that the id is unique does the id alone decide.
//!
//! The window is bounded in entries and time, in memory, and per replica: losing it can only add duplicates,
//! which carry the same id. Only a [`Reservation`] that holds a receipt can be committed, so nothing is
//! remembered before it was acknowledged. Copies in flight join the first one and share its outcome.

mod entries;
mod reservation;

pub use reservation::Reservation;

use crate::{
    event::Event,
    record::{Held, Repeat},
};
use entries::{Entries, Entry, Key, Names, Second, State};
use parking_lot::{Mutex, MutexGuard};
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// Dedup's answer for one event.
#[derive(Debug)]
pub enum Claim<'w> {
    /// Nobody has it: publish it.
    Fresh(Reservation<'w>),
    /// It was acknowledged before.
    Duplicate(Repeat),
    /// A copy is on its way; wait for its outcome.
    InFlight(Joined),
}

/// A place beside the first copy of an event.
#[derive(Debug)]
pub struct Joined(oneshot::Receiver<Repeat>);

impl Joined {
    /// Waits for the first copy; `None` when it failed.
    pub async fn outcome(self) -> Option<Repeat> {
        self.0.await.ok()
    }
}

/// What a source remembers of its events.
#[derive(Debug)]
pub struct Window {
    /// Where its seconds begin.
    begun: Instant,
    keep: Duration,
    /// Of one part.
    capacity: usize,
    /// Keyed at random, so that nobody outside can aim for an equal hash.
    hasher: SipHasher13,
    /// Each stands in one of them, by the hash under which it stands, so that workers seldom wait for each other.
    shards: [Mutex<Entries>; SHARDS],
    /// How many of them are used.
    used: usize,
    /// True once two events had one id: then an event may stand under its own name, and is looked for there too.
    has_conflicts: AtomicBool,
}

/// The most parts of a window.
const SHARDS: usize = 16;

/// So many events a part holds at least: of few ids, one part may get twice as many as another, and forget too soon.
const LEAST: usize = 4096;

impl Window {
    /// Makes a window that remembers at most `capacity` events, each for `keep`.
    pub fn new(keep: Duration, capacity: usize) -> Arc<Self> {
        let used = (capacity / LEAST).clamp(1, SHARDS);
        let [one, other] = [RandomState::new(), RandomState::new()].map(|random| random.hash_one(0));
        Arc::new(Self {
            begun: Instant::now(),
            keep,
            capacity: capacity / used,
            hasher: SipHasher13::new_with_keys(one, other),
            shards: Default::default(),
            used,
            has_conflicts: AtomicBool::new(false),
        })
    }

    /// Claims the right to publish an event; `None` where nothing tells its repeats from new events.
    pub fn claim_event(&self, event: &Event) -> Option<Claim<'_>> {
        // One source's accounts share a window: the account is part of the scope.
        Some(self.claim(&event.source, &event.id, &event.told_by()?))
    }

    /// Claims the right to publish the event with this id; an id is unique within the envelope's `scope`. `content` is
    /// what copies of one event have in common beside it.
    pub fn claim(&self, scope: &str, id: &str, content: &[&[u8]]) -> Claim<'_> {
        let (names, now) = (self.names([scope, id], content), self.now());
        let own = self.shard(names.event);
        // The first event of the id may have failed, or be forgotten, before this one.
        if self.has_conflicts.load(Ordering::Relaxed) {
            let entries = own.lock();
            if entries.knows(names.event, now) {
                return self.claim_at((own, names.event), entries, &names, now);
            }
        }
        let shard = self.shard(names.id);
        let entries = shard.lock();
        if entries.has_another(&names, now) {
            // Not both at once: somebody may have them the other way round.
            drop(entries);
            self.has_conflicts.store(true, Ordering::Relaxed);
            return self.claim_at((own, names.event), own.lock(), &names, now);
        }
        self.claim_at((shard, names.id), entries, &names, now)
    }

    /// Claims the place that an event has, or is to have.
    fn claim_at<'w>(
        &'w self,
        (shard, key): (&'w Mutex<Entries>, Key),
        mut entries: MutexGuard<'_, Entries>,
        names: &Names,
        now: Second,
    ) -> Claim<'w> {
        let held = match entries.states.get_mut(&key).map(|entry| &mut entry.state) {
            Some(State::InFlight(waiting)) => {
                let (tell, told) = oneshot::channel();
                waiting.get_or_insert_default().0.push(tell);
                return Claim::InFlight(Joined(told));
            }
            Some(State::Done(repeat, until)) if *until > now => return Claim::Duplicate(*repeat),
            Some(State::Partial(part)) if part.until > now => std::mem::take(&mut part.held),
            Some(State::Done(..) | State::Partial(..)) | None => Held::default(),
        };
        let (name, is_conflict) = (names.event, key != names.id);
        entries.states.insert(key, Entry { name, state: State::InFlight(None) });
        Claim::Fresh(Reservation { window: self, shard, key, name, is_conflict, held, open: true })
    }

    /// Returns how many events are remembered or in flight.
    pub fn remembered(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().states.len()).sum()
    }

    /// Returns the hashes of an id and of the event that has it, both in one pass. An equal hash for another event
    /// would suppress a genuine one.
    fn names(&self, id: [&str; 2], content: &[&[u8]]) -> Names {
        let mut hasher = self.hasher;
        // With its length in front, no part can be cut elsewhere.
        let add = |hasher: &mut SipHasher13, part: &[u8]| {
            hasher.write(&part.len().to_le_bytes());
            hasher.write(part);
        };
        for part in id {
            add(&mut hasher, part.as_bytes());
        }
        let id = hasher.finish128();
        // An event without content is not its id.
        hasher.write(&[1]);
        for part in content {
            add(&mut hasher, part);
        }
        let event = hasher.finish128();
        Names { id: (id.h1, id.h2), event: (event.h1, event.h2) }
    }

    fn shard(&self, key: Key) -> &Mutex<Entries> {
        let [first, ..] = &self.shards;
        let place = usize::try_from(key.0).unwrap_or_default().checked_rem(self.used);
        place.and_then(|place| self.shards.get(place)).unwrap_or(first)
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
        (shard, key, name): (&Mutex<Entries>, Key, Key),
        state: impl FnOnce(Second) -> Option<State>,
    ) -> Vec<oneshot::Sender<Repeat>> {
        let now = self.now();
        let until = self.until(now);
        let mut entries = shard.lock();
        let before = match state(until) {
            Some(state) => {
                entries.order.push_back((until, key));
                entries.states.insert(key, Entry { name, state })
            }
            None => entries.states.remove(&key),
        };
        entries.forget(now, self.capacity);
        match before.map(|entry| entry.state) {
            Some(State::InFlight(waiting)) => waiting.map_or_else(Vec::new, |waiting| waiting.0),
            Some(State::Partial(..) | State::Done(..)) | None => Vec::new(),
        }
    }
}

fn seconds(time: Duration) -> Second {
    Second::try_from(time.as_secs()).unwrap_or(Second::MAX)
}

#[cfg(test)]
mod tests;

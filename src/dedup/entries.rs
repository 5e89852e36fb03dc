//! What a window holds: one entry an event, found by the hash of its id, or by its own where its id is another's too.

use crate::record::{Held, Repeat};
use std::collections::{HashMap, VecDeque};
use tokio::sync::oneshot;

/// 128 bits that stand for an id or an event; two halves, so that an entry needs no wider alignment.
pub(super) type Key = (u64, u64);

/// Seconds since the window's begin; a few bytes, since a window holds a hundred thousand of them.
pub(super) type Second = u32;

/// The hashes of one event: of its id, and of all that names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) id: Key,
    pub(super) event: Key,
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    /// The first event of an id stands under the id; any other under its own name.
    pub(super) states: HashMap<Key, Entry>,
    /// What may be forgotten, oldest first.
    pub(super) order: VecDeque<(Second, Key)>,
}

/// One event.
#[derive(Debug)]
pub(super) struct Entry {
    /// What names it.
    pub(super) name: Key,
    pub(super) state: State,
}

/// What is known of one event; two words, whatever it is.
#[derive(Debug)]
pub(super) enum State {
    /// The first copy is on its way; these wait for it.
    InFlight(Option<Box<Waiting>>),
    /// Some sinks hold it, at least one does not.
    Partial(Box<Part>),
    /// All sinks hold it; until then.
    Done(Repeat, Second),
}

#[derive(Debug, Default)]
pub(super) struct Waiting(pub(super) Vec<oneshot::Sender<Repeat>>);

/// What holds an earlier attempt, and until when that is remembered.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) held: Held,
    pub(super) until: Second,
}

impl State {
    fn is_known(&self, now: Second) -> bool {
        match self {
            Self::InFlight(_) => true,
            Self::Partial(part) => part.until > now,
            Self::Done(_, until) => *until > now,
        }
    }
}

impl Entries {
    /// True where something is known of what stands under this hash.
    pub(super) fn knows(&self, key: Key, now: Second) -> bool {
        self.states.get(&key).is_some_and(|entry| entry.state.is_known(now))
    }

    /// True where another event than this one has its id.
    pub(super) fn has_another(&self, names: &Names, now: Second) -> bool {
        let first = self.states.get(&names.id).filter(|entry| entry.state.is_known(now));
        first.is_some_and(|first| first.name != names.event)
    }

    pub(super) fn forget(&mut self, now: Second, capacity: usize) {
        while let Some((until, key)) = self.order.front().copied() {
            if until > now && self.order.len() <= capacity {
                return;
            }
            self.order.pop_front();
            // A key that was claimed again since has a newer line of its own.
            let expired = match self.states.get(&key).map(|entry| &entry.state) {
                Some(State::Partial(part)) => part.until <= until,
                Some(State::Done(_, own)) => *own <= until,
                Some(State::InFlight(_)) | None => false,
            };
            if expired {
                self.states.remove(&key);
            }
        }
    }
}

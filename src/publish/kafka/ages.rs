//! How long the records of one client wait for their answer, in turns of the look that is taken at the sink.
//!
//! A record's age must cost the path next to nothing, so it notes only the turn in which it was handed over.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Turns that are told apart; a record that waits for longer counts as a young one for a while.
const TURNS: usize = 64;

/// The records of one client that wait, by the turn in which they were handed over.
#[derive(Debug)]
pub(super) struct Ages {
    turn: AtomicUsize,
    waiting: [AtomicU32; TURNS],
}

/// One record that waits.
pub(super) struct Waits<'a>(Option<&'a AtomicU32>);

impl Default for Ages {
    fn default() -> Self {
        Self { turn: AtomicUsize::new(0), waiting: [const { AtomicU32::new(0) }; TURNS] }
    }
}

impl Ages {
    /// Counts a record until the guard is dropped.
    pub(super) fn begin(&self) -> Waits<'_> {
        let waiting = self.waiting.get(self.turn.load(Ordering::Relaxed) % TURNS);
        if let Some(waiting) = waiting {
            waiting.fetch_add(1, Ordering::Relaxed);
        }
        Waits(waiting)
    }

    /// Begins the next turn. Returns how many turns ago the record that waits for longest was handed over.
    pub(super) fn turn(&self) -> usize {
        let now = self.turn.fetch_add(1, Ordering::Relaxed) + 1;
        let waits = |age: &usize| {
            let at = now.checked_sub(*age).and_then(|turn| self.waiting.get(turn % TURNS));
            at.is_some_and(|waiting| waiting.load(Ordering::Relaxed) > 0)
        };
        // What stands in the place of the turn that begins is older than can be told.
        (1..TURNS).rev().find(waits).unwrap_or(0)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.0 {
            waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_record_that_waits_tells_the_age() {
        let ages = Ages::default();
        assert_eq!(ages.turn(), 0);
        let first = ages.begin();
        assert_eq!((ages.turn(), ages.turn()), (1, 2));
        let second = ages.begin();
        assert_eq!(ages.turn(), 3);
        drop(first);
        assert_eq!(ages.turn(), 2);
        drop(second);
        for _ in 0..2 * TURNS {
            assert_eq!(ages.turn(), 0);
        }
    }
}

//! When a journal is tidied: who asks for it, and the writer's turn at it. What goes then is `retention`'s.

use super::{
    Notice, Removed,
    queue::{Queue, State, Trouble},
    retention::{self, Bounds},
    writer::{Segment, Writer, now},
};
use std::{mem, sync::Arc, time::Duration};

/// Parts of the age that records are kept to: a segment holds records of one, and as often it is looked what is past.
const PARTS: u32 = 8;

/// How long it takes at most until that is looked at.
const MOST_PATIENCE: Duration = Duration::from_mins(1);

impl Queue {
    /// Returns how often the writer looks what is past; `None` where nothing ever is.
    pub(super) fn patience(&self) -> Option<Duration> {
        let keep = self.options.keep;
        let often = keep.age.map_or(MOST_PATIENCE, |age| MOST_PATIENCE.min(age / PARTS));
        (!keep.is_all()).then_some(often)
    }

    /// Asks the writer to remove what is past, where anything may be.
    pub(super) fn want_room(&self, state: &mut State) {
        if !self.options.keep.is_all() {
            state.untidy = true;
            self.changed.notify_one();
        }
    }

    /// Asks the writer to remove what was passed.
    pub(super) fn pass(&self, passed: u64) {
        let mut state = self.state.lock();
        state.passed = state.passed.max(passed);
        state.untidy = true;
        drop(state);
        self.changed.notify_one();
    }

    /// Returns what is to be tidied, where it is: up to where all was passed, and the first number that is not on disk.
    pub(super) fn untidy(&self, is_due: bool, is_stuck: bool) -> Option<(u64, u64)> {
        let mut state = self.state.lock();
        let is_over = !is_stuck && self.options.keep.bytes.is_some_and(|most| state.bytes > most);
        let is_untidy = mem::take(&mut state.untidy);
        state.tidying = is_untidy || is_over || is_due;
        state.tidying.then_some((state.passed, state.waiting.first))
    }

    /// Books that nothing goes any more.
    fn tidied(&self) {
        self.state.lock().tidying = false;
    }

    /// Books a segment that was removed.
    pub(super) fn removed(&self, removed: &Removed) {
        let mut state = self.state.lock();
        state.bytes = state.bytes.saturating_sub(removed.bytes);
        let is_room =
            |trouble: &Trouble| trouble.wanted.is_some_and(|wanted| state.bytes + wanted <= self.most());
        if state.trouble.as_ref().is_some_and(is_room) {
            state.trouble = None;
        }
        drop(state);
        self.notify(Notice::Removed(*removed));
    }
}

impl Writer {
    /// Removes what is past, where it is time to look.
    pub(super) fn tidy(&mut self, patience: Option<Duration>) {
        let now = now();
        let is_due = patience.is_some_and(|patience| {
            self.tidied.is_none_or(|last| now.saturating_duration_since(last) >= patience)
        });
        let Some((passed, next)) = self.queue.untidy(is_due, self.is_stuck) else { return };
        self.tidied = Some(now);
        let options = &self.queue.options;
        let (keep, now_ms) = (options.keep, (options.clock)().as_millisecond());
        if let Some(age) = keep.age {
            self.end_old(now_ms, age / PARTS);
        }
        // What was all passed on goes, though there is room for more behind it; beyond that stand only failed groups.
        let is_through = passed > 0 && passed >= self.acknowledged;
        if is_through && let Some(done) = self.segment.take() {
            self.seal(&done);
        }
        let passed = if is_through { passed.max(next.saturating_sub(1)) } else { passed };
        let written = self.segment.as_ref().map(|segment| segment.first);
        let bounds = Bounds { keep, passed, now_ms, written, next };
        let queue = Arc::clone(&self.queue);
        let (disk, dir) = (&mut *self.disk, &*self.dir);
        let known = (&mut self.sealed, &mut self.numbers);
        let tidied = retention::tidy(disk, dir, known, &bounds, |removed| queue.removed(&removed));
        self.queue.tidied();
        self.is_stuck = tidied.is_err();
        if let Err(error) = tidied {
            self.queue.notify(Notice::NotRemoved(error));
        }
    }

    /// Ends the segment that is written where its oldest record is so old: else a slow one would keep its records long
    /// beyond their age.
    fn end_old(&mut self, now_ms: i64, age: Duration) {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let is_old = |segment: &mut Segment| {
            segment.times.is_some_and(|times| now_ms.saturating_sub(times.oldest) > age)
        };
        if let Some(done) = self.segment.take_if(is_old) {
            self.seal(&done);
        }
    }
}

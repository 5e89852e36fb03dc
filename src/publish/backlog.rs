//! What waits on this machine's disk for one destination, in the order in which it came. While anything does, all that comes
//! for it waits behind, so that nothing is overtaken.
//!
//! ```text
//! direct → turn: an attempt takes too long, or fails → waiting → the drain is through, and nothing is outstanding → direct
//! ```
//!
//! All changes happen under one lock, which is never held while anything is waited for.

mod place;

pub(super) use place::{Late, Own, Place};

use super::volume::Volume;
use crate::{
    journal::{Claim, Cursor, Journal, JournalError, Options, Recovered},
    observe::metrics::{Backlogged, Shown},
    record::Record,
};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Records that wait for one destination.
pub(super) struct Backlog {
    journal: Journal,
    dir: PathBuf,
    volume: Arc<Volume>,
    is_direct: AtomicBool,
    /// True while what an earlier process has left is not through.
    is_inheriting: AtomicBool,
    state: Mutex<State>,
    /// Told when something has come, or an attempt has ended: the drain looks.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    late: BTreeMap<u64, Late>,
    /// Records that the drain has not read yet.
    unread: u64,
    /// The last number of an earlier process.
    inherited: u64,
    figures: Backlogged,
}

/// What became of a record that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Published,
    Late,
    Quarantined,
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog").field("dir", &self.dir).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Backlog {
    /// Opens what an earlier process has left, or begins anew; tells what was found, and why it may be passed on twice.
    /// Blocks.
    pub(super) fn open(
        dir: &Path,
        options: Options,
        volume: Arc<Volume>,
    ) -> Result<(Self, Recovered, Option<&'static str>), JournalError> {
        let claim = Claim::take(dir)?;
        let found = claim.recover()?;
        let journal = claim.open(&found, options)?;
        let (cursor, doubt) = journal.cursor();
        // What was passed and not removed before the last end goes now.
        journal.hand_back(&cursor);
        if let Err(error) = cursor.prepare() {
            tracing::warn!(dir = %dir.display(), %error, "after a crash, what was published from the spool would be published again");
        }
        let last = journal.durable();
        let inherited = last.saturating_sub(cursor.passed());
        // Of a segment that is gone nobody knows what it held: one record stands for all.
        let gone = u64::from(found.is_cut_off);
        let figures = Backlogged {
            inherited: inherited + gone,
            lost: gone,
            pending: inherited,
            ..Backlogged::default()
        };
        let state = State { late: BTreeMap::new(), unread: inherited, inherited: last, figures };
        let (is_direct, is_inheriting) = (AtomicBool::new(inherited == 0), AtomicBool::new(inherited > 0));
        let dir = dir.to_path_buf();
        let state = Mutex::new(state);
        let doubt = doubt.filter(|_| inherited > 0).map(crate::journal::Doubt::as_str);
        Ok((
            Self { journal, dir, volume, is_direct, is_inheriting, state, changed: Notify::new() },
            found,
            doubt,
        ))
    }

    /// Returns up to where all was passed on.
    pub(super) fn cursor(&self) -> Cursor {
        self.journal.cursor().0
    }

    /// True where nothing waits. The ordinary path asks nothing else.
    pub(super) fn is_direct(&self) -> bool {
        self.is_direct.load(Ordering::Acquire)
    }

    /// True while something of an earlier process waits: it may be of whoever keeps its events itself by now.
    pub(super) fn is_inheriting(&self) -> bool {
        self.is_inheriting.load(Ordering::Acquire)
    }

    /// Takes a record in behind those that wait; `None` where by now none does, and the record is to go its own way.
    pub(super) fn join(self: &Arc<Self>, record: &Record) -> Option<Result<Place, JournalError>> {
        let mut state = self.state.lock();
        (!self.is_direct()).then(|| self.take(&mut state, record))
    }

    /// Takes a record in, and has all that come wait behind it. With `is_late` its own attempt goes on.
    pub(super) fn turn(self: &Arc<Self>, record: &Record, is_late: bool) -> Result<Place, JournalError> {
        let mut state = self.state.lock();
        let mut place = self.take(&mut state, record)?;
        if is_late {
            state.late.insert(place.number, Late::Running);
            let backlog = Arc::clone(self);
            place.own = Some(Own { backlog, number: place.number, is_done: false });
        }
        if self.is_direct.swap(false, Ordering::AcqRel) {
            tracing::warn!(dir = %self.dir.display(), "a destination does not take its events: they wait on disk");
        }
        Ok(place)
    }

    fn take(self: &Arc<Self>, state: &mut State, record: &Record) -> Result<Place, JournalError> {
        self.volume.admit(record.size(), &self.dir)?;
        let (number, durable) = self.journal.append_at(record)?;
        state.unread += 1;
        state.figures.spooled += 1;
        state.figures.pending += 1;
        state.figures.oldest_ms = state.figures.oldest_ms.or(Some(record.timestamp_ms));
        Ok(Place { backlog: Arc::clone(self), number, durable: Box::pin(durable), own: None })
    }

    /// Returns what is known of a record's own attempt, for the drain.
    pub(super) fn late(&self, number: u64) -> Option<Late> {
        self.state.lock().late.get(&number).copied()
    }

    /// Notes what became of a record; whoever waits for its own attempt is not heard any more.
    pub(super) fn settled(&self, number: u64, fate: Fate) {
        let mut state = self.state.lock();
        state.late.remove(&number);
        let figures = &mut state.figures;
        match fate {
            Fate::Published => figures.published += 1,
            Fate::Late => figures.late += 1,
            Fate::Quarantined => figures.quarantined += 1,
        }
    }

    /// Notes that under the numbers from the first to the second nothing stands.
    pub(super) fn skipped(&self, (from, to): (u64, u64)) {
        let mut state = self.state.lock();
        state.late.retain(|number, _| !(from..=to).contains(number));
        // Those of this process are no promise: their senders heard that the write failed.
        let missing = to.min(state.inherited).saturating_add(1).saturating_sub(from);
        state.unread = state.unread.saturating_sub(missing);
        state.figures.void += missing;
    }

    /// Notes that so many of those held a record once.
    pub(super) fn lost(&self, records: u64) {
        let figures = &mut self.state.lock().figures;
        figures.lost += records;
        figures.void = figures.void.saturating_sub(records);
    }

    /// Notes that the drain has read so many.
    pub(super) fn read(&self, records: usize) {
        let mut state = self.state.lock();
        state.unread = state.unread.saturating_sub(u64::try_from(records).unwrap_or(u64::MAX));
    }

    /// Notes how many of those it has read are not done, when the oldest was received, and whether some are held.
    pub(super) fn shows(&self, open: usize, oldest_ms: Option<i64>, is_held: bool) {
        let mut state = self.state.lock();
        let unread = state.unread;
        let figures = &mut state.figures;
        figures.pending = u64::try_from(open).unwrap_or(u64::MAX).saturating_add(unread);
        if oldest_ms.is_some() || figures.pending == 0 {
            figures.oldest_ms = oldest_ms;
        }
        figures.is_held = is_held;
    }

    /// Opens the way again where all up to `passed` is done, nothing else has come, and no attempt goes on.
    pub(super) fn reopen(&self, passed: u64) -> bool {
        let state = self.state.lock();
        let is_through = !self.is_direct()
            && state.late.is_empty()
            && self.journal.decided().is_some_and(|last| last <= passed);
        if is_through {
            self.is_inheriting.store(false, Ordering::Release);
            self.is_direct.store(true, Ordering::Release);
        }
        is_through
    }

    /// Removes what the cursor has passed.
    pub(super) fn hand_back(&self, cursor: &Cursor) {
        self.journal.hand_back(cursor);
    }

    /// Waits until something has come, or an attempt has ended.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Up to here the drain may read: what is not durable was promised to nobody.
    pub(super) fn durable(&self) -> u64 {
        self.journal.durable()
    }
}

impl Shown for Backlog {
    fn figures(&self) -> Backlogged {
        let bytes = self.journal.bytes();
        let state = self.state.lock();
        Backlogged { bytes, is_waiting: !self.is_direct(), ..state.figures }
    }
}

//! The journal: an append-only log of [`Record`]s on this machine's disk. It is the embedded sink, behind
//! `publish`, that lets Hookway run without a broker.
//!
//! ```text
//! append → queue (encoded, bounded) → writer thread: one write, one fdatasync per group → answers
//! Claim  → lock → recover the segments → open       Reader: follows the segments, with or without the lock
//! ```
//!
//! - An append that succeeded is on disk. Nothing is answered before its group's `fdatasync`.
//! - Full means refuse: the oldest record is never dropped to make room for the newest.
//! - Damage costs the damaged records and no others, is reported, and never keeps the journal from opening.
//!   The format that makes this possible stands in `format`.
//! - A segment is written by one process only: every start begins a new one with its first append, so
//!   nothing is ever written behind a place that a crash may have torn.

mod aside;
mod claim;
mod cursor;
mod directory;
mod disk;
mod error;
mod format;
mod found;
mod group;
mod note;
mod numbers;
mod queue;
mod reader;
mod recover;
mod retention;
mod room;
mod scan;
mod sealed;
mod trouble;
mod writer;

pub use aside::{Aside, Placed, ROOM as ASIDE_ROOM};
pub use claim::Claim;
pub use cursor::{Cursor, Doubt};
pub use directory::{ASIDE, HANDLED, bytes_in};
pub use error::JournalError;
pub use found::{Damage, Left, Recovered};
pub use reader::{Entry, Reader};
pub use retention::{Keep, Removed};

use crate::{clock, record::Record, workers::hear};
use jiff::Timestamp;
use queue::Queue;
use std::{fs::File, sync::Arc, thread::JoinHandle, time::Duration};

/// Hears of what happens, on the writer's thread or on that of an append: it must be quick and must not block.
pub type Observer = Arc<dyn Fn(Notice) + Send + Sync>;

/// What an [`Observer`] hears of.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A group was written, or was to be.
    Group(Commit),
    /// A record was refused because the journal has reached its size.
    Full,
    /// The journal's size in bytes was measured again, after somebody had moved segments away.
    Size(u64),
    /// A segment that was past what is kept is gone.
    Removed(Removed),
    /// What is past could not be removed; it is tried again.
    NotRemoved(JournalError),
}

/// One group commit.
#[derive(Debug, Clone, Copy)]
pub struct Commit {
    /// By how many bytes the journal grew on disk, of headers and of what a failure left as well.
    pub grown: u64,
    /// How long write and `fdatasync` took.
    pub took: Duration,
    /// True where the group is durable, false where it failed.
    pub durable: bool,
}

/// How a journal is kept.
#[derive(Clone)]
pub struct Options {
    /// Size in bytes from which on a new segment is begun.
    pub segment_bytes: u64,
    /// Size of all segments in bytes beyond which appends are refused; `None` for no limit but the disk's.
    pub max_bytes: Option<u64>,
    /// What is kept of it.
    pub keep: Keep,
    /// Tells the time, for the age of what is kept.
    pub clock: fn() -> Timestamp,
    /// Records that may wait for the disk.
    pub queue_records: usize,
    /// Bytes that may wait for the disk; a single record may be larger.
    pub queue_bytes: usize,
    /// Hears of what happens.
    pub observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 * 1024 * 1024,
            max_bytes: None,
            keep: Keep::default(),
            clock: clock::now,
            queue_records: 8192,
            queue_bytes: 16 * 1024 * 1024,
            observer: None,
        }
    }
}

/// A journal that this process owns. Dropping it writes what waits, and blocks until that is done.
#[derive(Debug)]
pub struct Journal {
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
    /// Keeps other processes away; given back after the writer ended.
    _lock: Arc<File>,
}

impl Journal {
    /// Appends a record and resolves to its sequence once it is durable. The record takes its place when
    /// this is called, not when the future is polled, and keeps it when the future is dropped.
    pub fn append(
        &self,
        record: &Record,
    ) -> impl Future<Output = Result<u64, JournalError>> + Send + 'static + use<> {
        let pushed = self.append_at(record);
        async move { pushed?.1.await }
    }

    /// The same, and tells the number at once: the record has it, durable or not.
    pub fn append_at(
        &self,
        record: &Record,
    ) -> Result<(u64, impl Future<Output = Result<u64, JournalError>> + Send + 'static + use<>), JournalError>
    {
        let (number, answer) = self.queue.push(record)?;
        let queue = Arc::clone(&self.queue);
        Ok((number, async move { hear(answer).await.unwrap_or_else(|_| Err(queue.closed())) }))
    }

    /// Returns the size of all segments in bytes.
    pub fn bytes(&self) -> u64 {
        self.queue.state.lock().bytes
    }

    /// Returns the last number that is durable; 0 where none ever was.
    pub fn durable(&self) -> u64 {
        self.queue.durable()
    }

    /// Returns the last number that is durable, where none waits for the disk; 0 where none ever was.
    pub fn decided(&self) -> Option<u64> {
        self.queue.decided()
    }

    /// Returns up to where the records were passed on, and why that may be too little. There is one cursor of a journal.
    pub fn cursor(&self) -> (Cursor, Option<Doubt>) {
        Cursor::open(&self.queue.dir)
    }

    /// Removes the segments that hold nothing behind the cursor, which is durable; the writer does it when it comes to it.
    pub fn hand_back(&self, cursor: &Cursor) {
        self.queue.pass(cursor.passed());
    }

    /// True where the last record or group was not taken; [`Self::look`] then finds out whether that is over.
    pub fn is_troubled(&self) -> bool {
        self.queue.is_troubled()
    }

    /// Tells whether the journal takes records, as far as is known: what failed last is tried again. Blocks only then.
    pub fn look(&self) -> Result<(), JournalError> {
        self.queue.look()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has answered everyone; there is nothing left to do for it.
            drop(writer.join());
        }
    }
}

#[cfg(test)]
mod tests;

//! Why the journal could not do what it was asked for.

use std::{io, path::PathBuf, sync::Arc};
use thiserror::Error;

/// Why the journal could not open, append or read. Cloned to every append of a group that failed.
#[derive(Debug, Clone, Error)]
pub enum JournalError {
    /// A file or directory could not be used while the journal was opened or read.
    #[error("the journal could not {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system answered.
        source: Arc<io::Error>,
    },
    /// Another process owns the directory.
    #[error(
        "the journal directory {} is in use by another process: stop that process, or give each its own \
         directory",
        dir.display()
    )]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// A newer program wrote the directory.
    #[error(
        "{} has journal format {version} and this program reads up to {}: run the newer program again, or \
         give this one another directory; nothing was changed",
        path.display(),
        super::format::VERSION
    )]
    NewerFormat {
        /// The first file of that format.
        path: PathBuf,
        /// Its format version.
        version: u32,
    },
    /// The record is larger than a frame may be.
    #[error(
        "the record is larger than the {limit} bytes that the journal takes at once: lower the body limit"
    )]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The directory has reached its configured size. Nothing is dropped to make room.
    #[error(
        "the journal in {} has reached its {max_bytes} bytes: move its oldest segments away, or raise max_bytes",
        dir.display()
    )]
    Full {
        /// The directory.
        dir: PathBuf,
        /// The limit in bytes.
        max_bytes: u64,
    },
    /// More waits for the disk than the queue holds.
    #[error("the journal in {} is slower than what arrives: its queue is full, try again later", dir.display())]
    QueueFull {
        /// The directory.
        dir: PathBuf,
    },
    /// The write or fsync of the record's group failed. The record may or may not stand on disk; it was
    /// never acknowledged.
    #[error("the journal could not write to {}: {source}", dir.display())]
    Write {
        /// The directory.
        dir: PathBuf,
        /// What the system answered.
        source: Arc<io::Error>,
    },
    /// Two writes in a row failed; for a short while nothing more is tried.
    #[error("the journal in {} rests after repeated failures, and will try again: {source}", dir.display())]
    Failed {
        /// The directory.
        dir: PathBuf,
        /// What the system answered the last time.
        source: Arc<io::Error>,
    },
    /// The journal was closed before it took the record.
    #[error("the journal in {} is closed", dir.display())]
    Closed {
        /// The directory.
        dir: PathBuf,
    },
}

impl JournalError {
    /// Returns the error of a journal for whose work the system gives no thread.
    pub(crate) fn thread(dir: &str, error: io::Error) -> Self {
        Self::io("start a thread for", dir)(error)
    }

    /// Returns a closure that says what was tried with which path, for `map_err`.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source: Arc::new(source) }
    }
}

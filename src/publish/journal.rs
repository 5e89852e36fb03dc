//! The embedded journal as a sink: an event is there once it is on disk.
//!
//! What stands in the directory is looked at behind the start, as part of the check that every sink has to pass: it may
//! take as long as the disk has to read, and until then events are refused and probes answered.

use super::{Prepared, PublishError, Publisher};
use crate::{
    journal::{Claim, Journal, JournalError, Options, Recovered},
    record::{Ack, Record},
};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{Arc, OnceLock},
    thread,
};
use tokio::sync::oneshot;

/// Hears of what was found, on a thread that may block.
pub type Finder = Box<dyn Fn(&Recovered) + Send>;

/// A journal as a sink.
#[derive(Debug)]
pub struct JournalSink {
    inner: Arc<Inner>,
    place: String,
}

#[derive(Debug)]
struct Inner {
    journal: OnceLock<Journal>,
    /// How it is opened; `None` once it is.
    closed: Mutex<Option<Closed>>,
}

struct Closed {
    claim: Claim,
    options: Options,
    finder: Finder,
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").field("claim", &self.claim).finish_non_exhaustive()
    }
}

impl JournalSink {
    /// Takes an open journal and its directory, for messages.
    pub fn new(journal: Journal, place: String) -> Self {
        let inner = Inner { journal: OnceLock::from(journal), closed: Mutex::new(None) };
        Self { inner: Arc::new(inner), place }
    }

    /// Takes a directory whose journal [`Publisher::prepare`] opens; `finder` hears of what stands there.
    pub fn opening(claim: Claim, options: Options, finder: Finder, place: String) -> Self {
        let closed = Mutex::new(Some(Closed { claim, options, finder }));
        Self { inner: Arc::new(Inner { journal: OnceLock::new(), closed }), place }
    }

    /// Opens the journal where that was not done, and looks whether it takes records. Not on the runtime's own threads
    /// for blocking work: their end would have to wait for the disk.
    async fn look(&self) -> Result<(), JournalError> {
        if self.inner.journal.get().is_some_and(|journal| !journal.is_troubled()) {
            return Ok(());
        }
        let inner = Arc::clone(&self.inner);
        let (answer, answered) = oneshot::channel();
        let look = move || {
            // Who no longer waits needs no answer.
            drop(answer.send(inner.open().and_then(Journal::look)));
        };
        let spawned = thread::Builder::new().name("journal-look".to_owned()).spawn(look);
        spawned.map_err(|error| JournalError::thread(&self.place, error))?;
        answered.await.unwrap_or_else(|_| Err(JournalError::Closed { dir: self.place.clone().into() }))
    }
}

impl Inner {
    fn open(&self) -> Result<&Journal, JournalError> {
        let mut closed = self.closed.lock();
        if let Some(Closed { claim, options, finder }) = &*closed {
            let found = claim.recover()?;
            finder(&found);
            let journal = claim.open(&found, options.clone())?;
            self.journal.get_or_init(|| journal);
            *closed = None;
        }
        self.journal.get().ok_or_else(|| JournalError::Closed { dir: std::path::PathBuf::new() })
    }
}

/// Tells what the journal's error means for a record.
pub(super) fn refused(error: &JournalError) -> PublishError {
    match error {
        JournalError::QueueFull { .. } => PublishError::Saturated,
        JournalError::TooLarge { limit } => PublishError::TooLarge(format!("limit {limit} bytes")),
        JournalError::Full { .. } => PublishError::Full(error.to_string()),
        JournalError::Io { .. }
        | JournalError::Locked { .. }
        | JournalError::NewerFormat { .. }
        | JournalError::Write { .. }
        | JournalError::Failed { .. }
        | JournalError::Closed { .. } => PublishError::Disk(error.to_string()),
    }
}

impl Publisher for JournalSink {
    fn publish(self: Arc<Self>, record: Record) -> BoxFuture<'static, Result<Ack, PublishError>> {
        Box::pin(async move {
            let Some(journal) = self.inner.journal.get() else {
                let reading = format!("the journal at {} is still being read", self.place);
                return Err(PublishError::Unprepared(reading));
            };
            let appended = journal.append(&record).await;
            appended.map(|sequence| Ack::Journal { sequence }).map_err(|error| refused(&error))
        })
    }

    fn keeps_order(&self) -> bool {
        true
    }

    fn may_spool(&self) -> bool {
        // What hinders it is this machine's disk.
        false
    }

    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
        Box::pin(async move {
            self.look().await.map_err(|error| refused(&error))?;
            let facts = vec![format!("journal at {}", self.place)];
            Ok(Prepared { facts, warnings: Vec::new(), durability: 1 })
        })
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        // Every append that was answered is on disk already.
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests;

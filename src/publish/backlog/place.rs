//! One record's place among those that wait, and its own attempt where that goes on.

use super::Backlog;
use crate::journal::JournalError;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// An attempt that took too long, whose record waits here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::publish) enum Late {
    /// It may still succeed: until it has ended, the drain leaves the record alone.
    Running,
    /// It has succeeded: the record is done.
    Done,
}

/// A record's place, durable once it is awaited.
pub(in crate::publish) struct Place {
    pub(super) backlog: Arc<Backlog>,
    pub(super) number: u64,
    pub(super) durable: BoxFuture<'static, Result<u64, JournalError>>,
    pub(super) own: Option<Own>,
}

/// A record's own attempt goes on until this is dropped.
pub(in crate::publish) struct Own {
    pub(super) backlog: Arc<Backlog>,
    pub(super) number: u64,
    pub(super) is_done: bool,
}

impl Place {
    /// Waits until the record is on disk, and returns its number.
    pub(in crate::publish) async fn durable(self) -> Result<u64, JournalError> {
        let Self { backlog, number, durable, .. } = self;
        let durable = durable.await;
        if durable.is_err() {
            let mut state = backlog.state.lock();
            state.late.remove(&number);
            // It was promised to nobody.
            state.unread = state.unread.saturating_sub(1);
            state.figures.pending = state.figures.pending.saturating_sub(1);
            state.figures.void += 1;
        }
        backlog.changed.notify_one();
        durable
    }

    /// Takes out what tells of its own attempt, where that goes on.
    pub(in crate::publish) fn own(&mut self) -> Option<Own> {
        self.own.take()
    }
}

impl Own {
    /// The attempt has succeeded.
    pub(in crate::publish) fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut state = self.backlog.state.lock();
        // The drain may have been told already that the record is not there.
        if let Some(late) = state.late.get_mut(&self.number) {
            if self.is_done {
                *late = Late::Done;
            } else {
                state.late.remove(&self.number);
            }
        }
        drop(state);
        self.backlog.changed.notify_one();
    }
}

//! What hinders a journal, and whether that is over: the queue notes what was not taken, and a look tries it again.

use super::{
    JournalError, Notice, directory,
    queue::{Queue, State, Trouble},
};
use std::sync::Arc;

impl State {
    /// Returns what changes with each group that is booked; `None` while one is on its way, or segments go, since nobody
    /// knows how much of that is in the files.
    fn settled(&self) -> Option<(u64, u32)> {
        let is_still = self.writing == 0 && self.waiting.len() == 0 && !self.tidying;
        is_still.then_some((self.bytes, self.failures_in_a_row))
    }
}

impl Queue {
    /// True where the last record or group was not taken, and the journal's state is to be looked at.
    pub(super) fn is_troubled(&self) -> bool {
        let state = self.state.lock();
        state.closed || state.trouble.is_some()
    }

    /// Tells whether records are taken, as far as is known. What hindered the last one is looked at again: a failing disk
    /// is tried, and a journal that had reached its size is measured.
    pub(super) fn look(&self) -> Result<(), JournalError> {
        let state = self.state.lock();
        if state.closed {
            return Err(self.closed());
        }
        match &state.trouble {
            None => Ok(()),
            Some(Trouble { wanted: Some(_), error }) => {
                let (error, before) = (error.clone(), state.settled());
                drop(state);
                self.measure(before, error)
            }
            Some(Trouble { wanted: None, .. }) => {
                drop(state);
                let dir = self.dir.to_path_buf();
                directory::probe(&self.dir)
                    .map_err(|error| JournalError::Write { dir, source: Arc::new(error) })
            }
        }
    }

    /// Measures a journal that had reached its size, where nothing changes meanwhile.
    fn measure(&self, before: Option<(u64, u32)>, error: JournalError) -> Result<(), JournalError> {
        if before.is_none() {
            return Err(error);
        }
        // Not under the lock: a disk that hangs would hold up all who hand over a record.
        let bytes = directory::size(&self.dir)?;
        let mut state = self.state.lock();
        if state.settled() != before {
            return Err(error);
        }
        state.bytes = bytes;
        self.notify(Notice::Size(bytes));
        let wanted = state.trouble.as_ref().and_then(|trouble| trouble.wanted);
        if bytes + wanted.unwrap_or_default() > self.most() {
            self.want_room(&mut state);
            return Err(error);
        }
        state.trouble = None;
        Ok(())
    }
}

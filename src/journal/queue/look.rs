//! Whether the journal takes records: what hindered the last one, and whether that is over.

use super::{
    super::{JournalError, Notice, directory},
    Queue,
};
use std::sync::Arc;

/// What hinders the journal.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: JournalError,
    /// Bytes that the refused record takes, where the journal has reached its size.
    pub(super) wanted: Option<u64>,
}

impl Queue {
    /// True where the last record or group was not taken, and the journal's state is to be looked at.
    pub(in crate::journal) fn is_troubled(&self) -> bool {
        let state = self.state.lock();
        state.closed || state.trouble.is_some()
    }

    /// Tells whether records are taken, as far as is known. What hindered the last one is looked at again: a failing disk
    /// is tried, and a journal that had reached its size is measured.
    pub(in crate::journal) fn look(&self) -> Result<(), JournalError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(self.closed());
        }
        match &state.trouble {
            None => Ok(()),
            Some(Trouble { wanted: Some(wanted), error }) => {
                let (wanted, error) = (*wanted, error.clone());
                // While a group is written, nobody knows how much of it is in the files.
                if state.writing > 0 || state.waiting.len() > 0 {
                    return Err(error);
                }
                state.bytes = directory::size(&self.dir)?;
                self.notify(Notice::Size(state.bytes));
                if state.bytes + wanted > self.options.max_bytes.unwrap_or(u64::MAX) {
                    return Err(error);
                }
                state.trouble = None;
                Ok(())
            }
            Some(Trouble { wanted: None, .. }) => {
                drop(state);
                let dir = self.dir.to_path_buf();
                directory::probe(&self.dir)
                    .map_err(|error| JournalError::Write { dir, source: Arc::new(error) })
            }
        }
    }
}

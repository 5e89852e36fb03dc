//! Records that are written and made durable together, and who waits for each.

use super::{JournalError, format::len64, sealed::Times};
use tokio::sync::oneshot;

/// What became of one record: its sequence, once it is durable.
pub(super) type Answer = Result<u64, JournalError>;

/// Records that are written and made durable together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// The first record's sequence; the others follow without a gap.
    pub(super) first: u64,
    /// The frames.
    pub(super) bytes: Vec<u8>,
    /// When its records came; `None` while there is none.
    pub(super) times: Option<Times>,
    /// Who waits for each.
    pub(super) answers: Vec<oneshot::Sender<Answer>>,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }

    /// Returns the sequence after the last record's.
    pub(super) fn next(&self) -> u64 {
        self.first + len64(self.len())
    }

    pub(super) fn answer(&mut self, outcome: &Result<(), JournalError>) {
        for (sequence, answer) in (self.first..).zip(self.answers.drain(..)) {
            // Who no longer waits needs no answer.
            drop(answer.send(outcome.clone().map(|()| sequence)));
        }
        self.bytes.clear();
        self.times = None;
    }
}

//! Where appends wait for the disk: records are encoded here, by who brings them, while the writer is busy
//! with the group before. Whatever waits when the writer returns is the next group.

use super::{
    JournalError, Notice, Options,
    format::{self, HEADER_LEN, MAX_PAYLOAD, len64},
    group::{Answer, Group},
    sealed::Times,
};
use crate::record::Record;
use parking_lot::{Condvar, Mutex};
use std::{fmt, io, mem, path::Path, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long nothing is tried after two failures in a row.
const REST: Duration = Duration::from_millis(500);
/// Failures in a row after which the journal rests.
const FAILURES_TO_REST: u32 = 2;

/// The queue between appends and the writer.
pub(super) struct Queue {
    pub(super) dir: Arc<Path>,
    pub(super) options: Options,
    /// The number of this process in every frame; see the format.
    tag: u32,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) waiting: Group,
    /// Bytes that are in the writer's hands.
    pub(super) writing: u64,
    /// Size of all segments in bytes.
    pub(super) bytes: u64,
    pub(super) failures_in_a_row: u32,
    /// Why nothing is taken at present.
    resting: Option<JournalError>,
    /// Why the last record that was not taken, or the last group, failed; `None` once a later one went well.
    pub(super) trouble: Option<Trouble>,
    /// The last number that is durable.
    pub(super) acknowledged: u64,
    pub(super) closed: bool,
    /// True where segments may have to go before the next turn by itself.
    pub(super) untidy: bool,
    /// All up to here was read by whom it was for.
    pub(super) passed: u64,
    /// True while segments go.
    pub(super) tidying: bool,
}

/// What hinders the journal.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: JournalError,
    /// Bytes that the refused record takes, where the journal has reached its size.
    pub(super) wanted: Option<u64>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("dir", &self.dir).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Queue {
    /// Returns an empty queue whose first record gets `next_sequence`; `bytes` stand in segments.
    pub(super) fn new(
        dir: Arc<Path>,
        options: Options,
        tag: u32,
        (acknowledged, next_sequence): (u64, u64),
        bytes: u64,
    ) -> Self {
        let state = Mutex::new(State {
            waiting: Group { first: next_sequence, ..Group::default() },
            writing: 0,
            bytes,
            failures_in_a_row: 0,
            resting: None,
            trouble: None,
            acknowledged,
            closed: false,
            // What stands there may be past by now.
            untidy: true,
            passed: 0,
            tidying: false,
        });
        Self { dir, options, tag, state, changed: Condvar::new() }
    }

    /// Encodes a record into the waiting group and returns the number that it has there. The receiver gets its answer, or an
    /// error where the writer ended without one.
    pub(super) fn push(&self, record: &Record) -> Result<(u64, oneshot::Receiver<Answer>), JournalError> {
        let frame_len = format::frame_len(record).ok_or(JournalError::TooLarge { limit: MAX_PAYLOAD })?;
        let mut state = self.state.lock();
        self.admit(&mut state, frame_len)?;
        let sequence = state.waiting.next();
        format::encode(&mut state.waiting.bytes, self.tag, sequence, record, frame_len);
        state.waiting.times = Some(Times::of(record.timestamp_ms).and(state.waiting.times));
        let (answer, answered) = oneshot::channel();
        state.waiting.answers.push(answer);
        drop(state);
        self.changed.notify_one();
        Ok((sequence, answered))
    }

    /// Returns the last number that is durable.
    pub(super) fn durable(&self) -> u64 {
        self.state.lock().acknowledged
    }

    /// Returns the last number that is durable, where none waits for the disk.
    pub(super) fn decided(&self) -> Option<u64> {
        let state = self.state.lock();
        (state.writing == 0 && state.waiting.len() == 0).then_some(state.acknowledged)
    }

    fn admit(&self, state: &mut State, frame_len: usize) -> Result<(), JournalError> {
        let dir = || self.dir.to_path_buf();
        if state.closed {
            return Err(self.closed());
        }
        if let Some(error) = &state.resting {
            return Err(error.clone());
        }
        if let Some(max_bytes) = self.options.max_bytes {
            // The group in the writer's hands and the waiting one may each begin a segment.
            let ahead = state.writing + len64(state.waiting.bytes.len() + frame_len + 2 * HEADER_LEN);
            if state.bytes + ahead > max_bytes {
                let error = JournalError::Full { dir: dir(), max_bytes };
                state.trouble = Some(Trouble { error: error.clone(), wanted: Some(ahead) });
                self.want_room(state);
                self.notify(Notice::Full);
                return Err(error);
            }
        }
        let held = state.waiting.len();
        let bytes = state.waiting.bytes.len() + frame_len;
        let over = held >= self.options.queue_records || bytes > self.options.queue_bytes;
        if held > 0 && over { Err(JournalError::QueueFull { dir: dir() }) } else { Ok(()) }
    }

    /// Waits for records and puts all that wait into `group`, whose memory serves the next. The group stays empty where
    /// the journal is to be tidied first, or `patience` ended. False when the queue was closed and nothing waits.
    pub(super) fn take(&self, group: &mut Group, patience: Option<Duration>) -> bool {
        let mut state = self.state.lock();
        let waits = |state: &mut State| state.waiting.len() == 0 && !state.closed && !state.untidy;
        match patience {
            Some(patience) => drop(self.changed.wait_while_for(&mut state, waits, patience)),
            None => self.changed.wait_while(&mut state, waits),
        }
        if state.waiting.len() == 0 {
            return !state.closed;
        }
        group.first = state.waiting.next();
        group.bytes.shrink_to(self.options.queue_bytes);
        mem::swap(&mut state.waiting, group);
        state.writing = len64(group.bytes.len());
        true
    }

    pub(super) fn most(&self) -> u64 {
        self.options.max_bytes.unwrap_or(u64::MAX)
    }

    /// Books a group that is durable and answers it. `written` counts new headers as well.
    pub(super) fn acknowledge(&self, group: &mut Group, written: u64) {
        let mut state = self.state.lock();
        state.writing = 0;
        state.acknowledged = group.next().saturating_sub(1);
        state.bytes += written;
        state.failures_in_a_row = 0;
        state.trouble = None;
        drop(state);
        group.answer(&Ok(()));
    }

    /// Answers a group that failed. After the second failure in a row also answers what waits, and takes
    /// nothing more for a while. `remains` is what the failure left on disk in bytes.
    pub(super) fn refuse(&self, group: &mut Group, error: io::Error, remains: u64) {
        let source = Arc::new(error);
        let dir = || self.dir.to_path_buf();
        let mut state = self.state.lock();
        state.writing = 0;
        state.bytes += remains;
        state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
        let error = JournalError::Write { dir: dir(), source: Arc::clone(&source) };
        state.trouble = Some(Trouble { error: error.clone(), wanted: None });
        group.answer(&Err(error));
        if state.failures_in_a_row < FAILURES_TO_REST {
            return;
        }
        let resting = JournalError::Failed { dir: dir(), source };
        state.waiting.first = state.waiting.next();
        state.waiting.answer(&Err(resting.clone()));
        state.resting = Some(resting);
        self.changed.wait_while_for(&mut state, |state| !state.closed, REST);
        state.resting = None;
    }

    pub(super) fn notify(&self, notice: Notice) {
        if let Some(observer) = &self.options.observer {
            observer(notice);
        }
    }

    /// Takes no more records; what waits is still written.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes no more records and drops what waits, because nobody will write it.
    pub(super) fn abandon(&self) {
        self.close();
        drop(mem::take(&mut self.state.lock().waiting));
    }

    pub(super) fn closed(&self) -> JournalError {
        JournalError::Closed { dir: self.dir.to_path_buf() }
    }
}

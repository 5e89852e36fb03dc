//! A record whose batch was refused, and the way on which it goes to be published alone.

use crate::record::{Ack, Record};
use rdkafka::{
    Timestamp,
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{OwnedHeaders, OwnedMessage},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{mpsc, oneshot};

/// What became of one record.
pub(super) type Outcome = Result<Ack, KafkaError>;

/// Whom librdkafka tells what became of a record.
pub(super) type Waiting = oneshot::Sender<Outcome>;

/// A record that is to be published alone, and who waits for it.
pub(super) struct Again {
    pub(super) waiting: Waiting,
    pub(super) record: OwnedMessage,
}

/// The way to the client whose batches hold one record.
#[derive(Clone)]
pub(super) struct Alone {
    records: mpsc::UnboundedSender<Again>,
    batch_was_too_large: Arc<AtomicBool>,
}

impl Again {
    /// Takes a record that was in no batch yet.
    pub(super) fn new(record: Record, headers: OwnedHeaders, waiting: Waiting) -> Self {
        let key = record.key.map(String::into_bytes);
        let (topic, at) = (record.destination.to_string(), Timestamp::CreateTime(record.timestamp_ms));
        let record = OwnedMessage::new(Some(record.value.to_vec()), key, topic, at, -1, -1, Some(headers));
        Self { waiting, record }
    }
}

impl Alone {
    /// Makes the way, and what comes out at its end.
    #[expect(
        clippy::disallowed_methods,
        reason = "it holds records that were in a client's own queue, which bounds them"
    )]
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Again>) {
        let (records, received) = mpsc::unbounded_channel();
        (Self { records, batch_was_too_large: Arc::default() }, received)
    }

    /// Takes a record; `refused` is what its batch heard.
    pub(super) fn take(&self, again: Again, refused: Option<&KafkaError>) {
        let code = refused.and_then(KafkaError::rdkafka_error_code);
        if matches!(code, Some(Code::MessageSizeTooLarge | Code::MessageBatchTooLarge)) {
            self.batch_was_too_large.store(true, Ordering::Relaxed);
        }
        // Fails when the runtime is gone, and then nobody waits.
        let _gone = self.records.send(again);
    }

    /// Returns whether a batch was refused for its size and nobody has looked into it.
    pub(super) fn batch_was_too_large(&self) -> bool {
        self.batch_was_too_large.load(Ordering::Relaxed)
    }

    /// Notes that somebody looks into it; returns whether there was one.
    pub(super) fn look_into_it(&self) -> bool {
        self.batch_was_too_large.swap(false, Ordering::Relaxed)
    }
}

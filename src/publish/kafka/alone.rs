//! Publishes records one by one whose batch the broker refused.
//!
//! A batch is refused as a whole: for its size, though each record fits, or for one record in it. So its records go
//! again, in their order, through a client whose batches hold one record. What is refused there is the record's own
//! fault, and all others are stored. The client is started by the first refusal.

use super::{
    acks::{Outcome, Waiting},
    slot::Slot,
};
use crate::record::Record;
use rdkafka::{
    Message as _, Timestamp,
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{OwnedHeaders, OwnedMessage},
    producer::BaseRecord,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::mpsc;

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
    /// Starts the task that publishes through `slot`; it ends with the last way to it.
    #[expect(
        clippy::disallowed_methods,
        reason = "it holds records that were in a client's own queue, which bounds them"
    )]
    pub(super) fn start(slot: Arc<Slot>) -> Self {
        let (records, received) = mpsc::unbounded_channel();
        tokio::spawn(publish(slot, received));
        Self { records, batch_was_too_large: Arc::default() }
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

async fn publish(slot: Arc<Slot>, mut records: mpsc::UnboundedReceiver<Again>) {
    while let Some(Again { waiting, mut record }) = records.recv().await {
        let Some(producer) = slot.producer_or_first().await else {
            tell(waiting, Err(KafkaError::Canceled));
            continue;
        };
        let headers = record.detach_headers();
        let mut message = BaseRecord::with_opaque_to(record.topic(), Box::new(waiting))
            .payload(record.payload().unwrap_or_default());
        message.key = record.key();
        message.headers = headers;
        message.timestamp = record.timestamp().to_millis();
        // The partition that the key chose, or for want of one the client.
        message.partition = Some(record.partition()).filter(|partition| *partition >= 0);
        if let Err((error, message)) = producer.send(message) {
            if error.rdkafka_error_code() == Some(Code::Fatal) {
                slot.replace(&producer, "it had a fatal error", false);
            }
            tell(*message.delivery_opaque, Err(error));
        }
    }
}

fn tell(waiting: Waiting, outcome: Outcome) {
    // Work that ended by a panic waits no more.
    let _unheard = waiting.send(outcome);
}

//! Publishes records one by one whose batch the broker refused.
//!
//! A batch is refused as a whole: for its size, though each record fits, or for one record in it. So its records go
//! again, in their order, through a client whose batches hold one record. What is refused there is the record's own
//! fault, and all others are stored. The client is started by the first refusal.

use super::{
    again::{Again, Alone, Outcome, Waiting},
    slot::Slot,
};
use rdkafka::{
    Message as _,
    error::{KafkaError, RDKafkaErrorCode as Code},
    producer::BaseRecord,
};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Starts the task that publishes through `slot`, and returns the way to it; it ends with the last such way.
pub(super) fn start(slot: Arc<Slot>) -> Alone {
    let (alone, received) = Alone::new();
    tokio::spawn(publish(slot, received));
    alone
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

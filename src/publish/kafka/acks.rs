//! Takes what librdkafka says of each record, on its own thread, and tells the request that waits for it.
//!
//! A refusal of the broker holds for the batch that the client made, and all records in it hear it. So none is told
//! yet: each is handed to [`super::alone`], in the order of the batch, and what it hears there is its own.

use super::{
    again::{Again, Alone, Waiting},
    talk::Talk,
};
use crate::record::Ack;
use rdkafka::{
    ClientContext, Message as _,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode as Code},
    producer::{DeliveryResult, ProducerContext},
};
use std::sync::Arc;

/// Takes what librdkafka has to say.
pub(super) struct Callbacks {
    /// Where records go whose batch was refused; `None` where each travels alone already.
    pub(super) alone: Option<Alone>,
    pub(super) talk: Arc<Talk>,
}

/// Returns true where the broker refuses a batch for something in it: only alone does a record hear of itself.
pub(super) fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidDifferentRecord
            | Code::InvalidTimestamp
            | Code::PolicyViolation
            | Code::UnsupportedForMessageFormat
    )
}

impl ProducerContext for Callbacks {
    type DeliveryOpaque = Box<Waiting>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Box<Waiting>) {
        let outcome = match result {
            Ok(message) => Ok(Ack::Kafka { partition: message.partition(), offset: message.offset() }),
            Err((error, message)) => {
                if let Some(alone) = &self.alone
                    && error.rdkafka_error_code().is_some_and(is_refusal)
                {
                    alone.take(Again { waiting: *waiting, record: message.detach() }, Some(error));
                    return;
                }
                Err(error.clone())
            }
        };
        // Work that ended by a panic waits no more.
        let _unheard = waiting.send(outcome);
    }
}

impl ClientContext for Callbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.talk.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.talk.error(&error, reason);
    }
}

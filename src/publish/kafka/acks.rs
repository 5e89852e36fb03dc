//! Carries Kafka's answers from librdkafka's thread to the requests that wait for them.
//!
//! The client calls back for each record, on a thread of its own. Waking a request from there goes through a queue
//! that all threads of the runtime share, and may have to wake one of them. So the answers go through one channel,
//! and a task that is woken once for many of them hands them out where a wake-up is cheap.
//!
//! A refusal of the broker holds for the batch that the client made, and all records in it hear it. So none is told
//! yet: each is handed to [`super::alone`], in the order of the batch, and what it hears there is its own.

use super::{
    again::{Again, Alone, Outcome, Waiting},
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
use tokio::{runtime::Handle, sync::mpsc};

/// Answers handed out between two looks at the channel.
const BATCH: usize = 512;

/// Takes what librdkafka has to say.
pub(super) struct Callbacks {
    answers: mpsc::UnboundedSender<(Waiting, Outcome)>,
    /// Where records go whose batch was refused; `None` where each travels alone already.
    alone: Option<Alone>,
    talk: Arc<Talk>,
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

impl Callbacks {
    /// Starts the task that hands out the answers; it ends with the client.
    #[expect(
        clippy::disallowed_methods,
        reason = "it holds one answer for a record on its way, and the client's own queue bounds these"
    )]
    pub(super) fn new(runtime: &Handle, alone: Option<Alone>, talk: Arc<Talk>) -> Self {
        let (answers, received) = mpsc::unbounded_channel();
        runtime.spawn(hand_out(received));
        Self { answers, alone, talk }
    }
}

async fn hand_out(mut answers: mpsc::UnboundedReceiver<(Waiting, Outcome)>) {
    let mut batch = Vec::with_capacity(BATCH);
    while answers.recv_many(&mut batch, BATCH).await > 0 {
        for (waiting, outcome) in batch.drain(..) {
            // Work that ended by a panic waits no more.
            let _unheard = waiting.send(outcome);
        }
    }
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
        // Fails when the runtime is gone, and then nobody waits.
        let _gone = self.answers.send((*waiting, outcome));
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn each_request_hears_its_own_answer_and_one_that_is_gone_holds_up_none() {
        let callbacks = Callbacks::new(&Handle::current(), None, Arc::default());
        let answer = |offset| Ok(Ack::Kafka { partition: 3, offset });
        let refused = || Err(KafkaError::MessageProduction(Code::MessageTimedOut));
        let (waiting, gone) = oneshot::channel();
        drop(gone);
        callbacks.answers.send((waiting, answer(0))).unwrap();
        let mut heard = Vec::new();
        for offset in 1..=i64::try_from(BATCH).unwrap() * 2 {
            let (waiting, outcome) = oneshot::channel();
            let outcome_of = if offset % 7 == 0 { refused() } else { answer(offset) };
            callbacks.answers.send((waiting, outcome_of)).unwrap();
            heard.push((offset, outcome));
        }
        drop(callbacks);
        for (offset, outcome) in heard {
            let expected = if offset % 7 == 0 { refused() } else { answer(offset) };
            assert_eq!(outcome.await.unwrap(), expected);
        }
    }
}

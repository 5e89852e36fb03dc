//! All that is to be done with one verified delivery, whoever waits for it.

use super::{Pipeline, Source, batch, shielded::Shielded, source::is_large};
use crate::{
    delivery::{Delivery, Verified},
    observe::metrics::{Stage, Stopwatch},
    record::Receipt,
    refusal::Refusal,
    workers::beside,
};
use jiff::Timestamp;
use std::{panic::resume_unwind, sync::Arc};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// All that is to be done with one verified delivery.
pub(super) struct Work {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) source: Arc<Source>,
    pub(super) delivery: Delivery<Verified>,
    /// When its sender will have heard an answer.
    pub(super) until: Instant,
    /// Measures its stages.
    pub(super) watch: Stopwatch,
}

impl Work {
    /// Does it, a large one beside the worker.
    pub(super) fn shielded(self, tasks: &TaskTracker) -> Shielded<'_, Outcome> {
        if !is_large(self.delivery.request()) {
            return Shielded::new(self.run(), Outcome::unheard, tasks);
        }
        let aside = async {
            let done = beside(self.run()).await;
            done.unwrap_or_else(|error| resume_unwind(error.into_panic()))
        };
        Shielded::new(aside, Outcome::unheard, tasks)
    }

    /// Carries the events of the delivery; stops at the first that is refused, since the sender sends all again.
    pub(super) async fn run(self) -> Outcome {
        let Self { pipeline, source, delivery, until, mut watch } = self;
        let received = delivery.request().received;
        let mut events = source.normalizer.normalize(&delivery);
        watch.lap(&source.metrics, Stage::Normalize);
        // By far the most requests are one event, which needs no list of futures.
        let (receipts, refusal) = match &mut *events {
            [event] => match pipeline.carry(&source, &delivery, event, &mut watch, until).await {
                Ok(receipt) => (vec![receipt], None),
                Err(refusal) => (Vec::new(), Some(refusal)),
            },
            // Boxed, so that its size is not that of every request's work.
            _ => Box::pin(batch::carry(&pipeline, &source, &delivery, events, until)).await,
        };
        Outcome { source, receipts, refusal, received }
    }
}

/// What became of one verified delivery.
pub(super) struct Outcome {
    source: Arc<Source>,
    receipts: Vec<Receipt>,
    refusal: Option<Refusal>,
    received: Timestamp,
}

impl Outcome {
    /// The sender hears of it.
    pub(super) fn heard(self) -> Result<Vec<Receipt>, Refusal> {
        let durable = self.durable();
        match self.refusal {
            None => {
                let spooled = self.receipts.iter().filter(|receipt| receipt.is_spooled()).count();
                self.source.metrics.accepted(durable, spooled.try_into().unwrap_or(u64::MAX), self.received);
                Ok(self.receipts)
            }
            Some(refusal) => {
                self.source.metrics.late(durable);
                Err(refusal)
            }
        }
    }

    /// The sender was refused at the deadline, or has hung up.
    pub(super) fn unheard(self) {
        self.source.metrics.late(self.durable());
    }

    fn durable(&self) -> u64 {
        self.receipts.len().try_into().unwrap_or(u64::MAX)
    }
}

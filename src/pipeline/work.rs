//! All that is to be done with one verified delivery, whoever waits for it.

use super::{Pipeline, Source};
use crate::{
    clock,
    delivery::{Delivery, Verified},
    observe::metrics::Stage,
    record::Receipt,
    refusal::Refusal,
};
use std::sync::Arc;
use tokio::time::Instant;

/// All that is to be done with one verified delivery.
pub(super) struct Work {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) source: Arc<Source>,
    pub(super) delivery: Delivery<Verified>,
}

impl Work {
    /// Carries the events of the delivery; stops at the first that is refused, since the sender sends all again.
    pub(super) async fn run(self) -> Outcome {
        let Self { pipeline, source, delivery } = self;
        let start = Instant::now();
        let events = source.normalizer.normalize(&delivery);
        source.metrics.staged(Stage::Normalize, start);
        let (mut receipts, mut refusal) = (Vec::with_capacity(events.len()), None);
        // One after the other: events of one object in one request keep their order.
        for event in events {
            match pipeline.carry(&source, &delivery, event).await {
                Ok(receipt) => receipts.push(receipt),
                Err(refused) => {
                    refusal = Some(refused);
                    break;
                }
            }
        }
        Outcome { source, receipts, refusal }
    }
}

/// What became of one verified delivery.
pub(super) struct Outcome {
    source: Arc<Source>,
    receipts: Vec<Receipt>,
    refusal: Option<Refusal>,
}

impl Outcome {
    /// The sender hears of it.
    pub(super) fn heard(self) -> Result<Vec<Receipt>, Refusal> {
        let durable = self.durable();
        match self.refusal {
            None => {
                self.source.metrics.accepted(durable, clock::now());
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

//! What a run of the load generator saw: answers, latencies, failures, and the ledger of the 2xx.

use std::{collections::BTreeMap, time::Duration};

/// One 2xx: the receiver's promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promise {
    /// The delivery's number within the run, and its place in the ring of bodies.
    pub(crate) sequence: u64,
    /// 200 or 202.
    pub(crate) status: u16,
    /// `Hookway-Event-Id` of the answer.
    pub(crate) event_id: String,
}

/// What a run saw.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How long the run took; for [`Until::Elapsed`] the window itself.
    pub(crate) window: Duration,
    /// Deliveries answered with 2xx within the window.
    pub(crate) accepted: u64,
    /// From the request's first byte to the answer's last, for every 2xx; ascending.
    pub(crate) latencies: Vec<Duration>,
    /// How many answers had which status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// How many deliveries had no answer, by kind of failure.
    pub(crate) failures: BTreeMap<String, u64>,
    /// Every 2xx, where it was asked for; in no order.
    pub(crate) ledger: Vec<Promise>,
}

impl Outcome {
    /// Returns the deliveries accepted per second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.accepted).unwrap()) / self.window.as_secs_f64()
    }

    /// Returns the latency that `percent` of the answers did not exceed; zero where there was none.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(rank).copied().unwrap_or_default()
    }

    /// Returns how many deliveries had another answer than 2xx, or none.
    pub(crate) fn unaccepted(&self) -> u64 {
        let refused = self.statuses.iter().filter(|(status, _)| !(200..300).contains(*status));
        refused.map(|(_, count)| count).sum::<u64>() + self.failures.values().sum::<u64>()
    }

    /// Adds what another connection saw.
    pub(super) fn absorb(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.latencies.extend(other.latencies);
        self.ledger.extend(other.ledger);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (kind, count) in other.failures {
            *self.failures.entry(kind).or_default() += count;
        }
    }
}

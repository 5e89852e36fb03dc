//! Batching that adapts to load.
//!
//! librdkafka's `linger.ms` is fixed per producer: 0 answers a lonely event soonest, 2 carries more events at less of the
//! broker's CPU. So there are two producers, an eager one and a batching one, and each event takes
//! the one that suits the number of records awaiting their ack, smoothed so that a burst does not flip it.
//! Events of one object may so travel by both; only what is sent after a 2xx is promised to stand behind it,
//! and by then the first is acknowledged. A `linger.ms` of the user's own leaves one producer.
//!
//! A third, whose batches hold one record, is for what was refused in a batch ([`super::alone`]).

use super::{
    again::Alone,
    alone,
    slot::{Producer, Slot},
    talk::Talk,
};
use futures_util::future::join_all;
use rdkafka::{ClientConfig, error::KafkaError};
use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};

/// Smoothed number of records in flight above which batching pays.
const THRESHOLD: u32 = 6;

/// The smoothed number moves by 1/128 of the difference with each event.
const SMOOTHING: u32 = 128;

/// The smoothed number is kept in units of 1/1024, since it moves by less than one.
const SCALE: u32 = 1024;

/// Milliseconds that the batching producer waits for more records.
const LINGER: &str = "2";

/// librdkafka's own `batch.size`.
const LARGEST_BATCH: u64 = 1_000_000;

/// No batch is made smaller than this for want of knowledge: a record alone may always be larger.
const SMALLEST_BATCH: u64 = 4096;

/// The producers of one cluster.
pub(super) struct Producers {
    eager: Arc<Slot>,
    /// `None` where the user set `linger.ms`.
    batching: Option<Arc<Slot>>,
    single: Arc<Slot>,
    alone: Alone,
    /// The largest batch that the settings allow.
    widest: u64,
    outstanding: AtomicUsize,
    smoothed: AtomicU32,
}

/// The settings of each.
pub(super) struct Settings {
    pub(super) eager: ClientConfig,
    pub(super) batching: Option<ClientConfig>,
    pub(super) single: ClientConfig,
}

impl From<ClientConfig> for Settings {
    fn from(mut eager: ClientConfig) -> Self {
        let lingers = eager.get("linger.ms").or_else(|| eager.get("queue.buffering.max.ms")).is_some();
        let mut batching = eager.clone();
        batching.set("linger.ms", LINGER);
        if !lingers {
            eager.set("linger.ms", "0");
        }
        let mut single = eager.clone();
        single.set("batch.num.messages", "1");
        Self { eager, batching: (!lingers).then_some(batching), single }
    }
}

/// Counts one record until its outcome is known.
pub(super) struct Outstanding<'a>(&'a AtomicUsize);

impl Drop for Outstanding<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Producers {
    pub(super) fn new(mut config: ClientConfig, talk: &Arc<Talk>) -> Result<Self, KafkaError> {
        let widest = config.get("batch.size").and_then(|size| size.parse().ok()).unwrap_or(LARGEST_BATCH);
        config.set("batch.size", widest.to_string());
        let settings = Settings::from(config);
        let single = Slot::new(settings.single, None, Arc::clone(talk));
        let alone = alone::start(Arc::clone(&single));
        let slot = |config: ClientConfig| {
            let slot = Slot::new(config, Some(alone.clone()), Arc::clone(talk));
            slot.fill().map(|()| slot)
        };
        let eager = slot(settings.eager)?;
        let batching = settings.batching.map(slot).transpose()?;
        let (outstanding, smoothed) = (AtomicUsize::new(0), AtomicU32::new(0));
        Ok(Self { eager, batching, single, alone, widest, outstanding, smoothed })
    }

    /// Returns the producer for the next event, and the guard that counts it; `None` once all ends. Records that follow
    /// each other `in_turn` all go by one, which the load does not choose.
    pub(super) fn choose(&self, in_turn: bool) -> Option<(Producer, Outstanding<'_>)> {
        let outstanding = self.outstanding.fetch_add(1, Ordering::Relaxed) + 1;
        let counted = Outstanding(&self.outstanding);
        let slot = match &self.batching {
            Some(batching) if in_turn || self.smooth(outstanding) > THRESHOLD * SCALE => batching,
            Some(_) | None => &self.eager,
        };
        slot.producer().map(|producer| (producer, counted))
    }

    /// Moves the smoothed number towards `outstanding`. A lost update between two threads only smooths more.
    fn smooth(&self, outstanding: usize) -> u32 {
        let target =
            u32::try_from(outstanding).unwrap_or(u32::MAX).min(u32::MAX / SCALE).saturating_mul(SCALE);
        let before = self.smoothed.load(Ordering::Relaxed);
        let after = if target >= before {
            before + (target - before) / SMOOTHING
        } else {
            before - (before - target) / SMOOTHING
        };
        self.smoothed.store(after, Ordering::Relaxed);
        after
    }

    /// The way to the producer whose batches hold one record.
    pub(super) fn alone(&self) -> &Alone {
        &self.alone
    }

    fn shared(&self) -> impl Iterator<Item = &Arc<Slot>> {
        std::iter::once(&self.eager).chain(&self.batching)
    }

    /// Makes a new client in the place of one with a fatal error.
    pub(super) fn replace(&self, broken: &Producer) {
        for slot in self.shared().chain([&self.single]) {
            if slot.producer().is_some_and(|producer| Arc::ptr_eq(&producer, broken)) {
                slot.replace(broken, "it had a fatal error", false);
            }
        }
    }

    /// Makes new clients in the place of all, which get nowhere; what they hold is answered as failed.
    pub(super) fn replace_stuck(&self) {
        for slot in self.shared().chain([&self.single]) {
            if let Some(producer) = slot.producer() {
                slot.replace(&producer, "its records wait although the brokers answer others", true);
            }
        }
    }

    /// Changes settings of all clients, which are replaced for that. Returns whether that was a change.
    pub(super) fn set(&self, settings: &[(String, String)]) -> bool {
        self.shared().chain([&self.single]).filter(|slot| slot.set(settings)).count() > 0
    }

    /// Makes batches fit `limit`, the smallest that the topics in use take; `None` where it can't be known. Where a
    /// batch was refused for its size all the same, they become smaller than they were.
    pub(super) fn fit(&self, limit: Option<u64>, now: u64, was_too_large: bool) -> u64 {
        let known = limit.unwrap_or(self.widest).min(self.widest);
        let size = if was_too_large && known >= now { (now / 2).max(SMALLEST_BATCH) } else { known };
        // Without knowledge, what a refusal has taught stays.
        let size = if limit.is_none() { size.min(now) } else { size };
        // All of them: the first change must not hide the others.
        let setting = [("batch.size".to_owned(), size.to_string())];
        let changes = self.shared().filter(|slot| slot.set(&setting)).count();
        if changes > 0 {
            tracing::info!(bytes = size, "kafka batches are made to fit the smallest topic in use");
        }
        size
    }

    /// The largest batch that the settings allow.
    pub(super) fn widest(&self) -> u64 {
        self.widest
    }

    /// Begins the next turn of the look at this sink; returns how many turns the oldest record has waited.
    pub(super) fn turn(&self) -> usize {
        self.shared()
            .filter_map(|slot| slot.producer())
            .map(|producer| producer.ages.turn())
            .max()
            .unwrap_or(0)
    }

    /// Waits until no record is outstanding, or the clients' own time limit ends, and ends them.
    pub(super) async fn close(&self) {
        join_all(self.shared().chain([&self.single]).map(|slot| slot.close())).await;
    }
}

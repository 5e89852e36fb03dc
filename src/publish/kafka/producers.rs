//! Batching that adapts to load.
//!
//! librdkafka's `linger.ms` is fixed per producer: 0 answers a lonely event soonest, 5 carries a flood at a
//! third of the broker's CPU. So there are two producers, an eager one and a batching one, and each event takes
//! the one that suits the number of records awaiting their ack, smoothed so that a burst does not flip it.
//! Events of one object may so travel by both; only what is sent after a 2xx is promised to stand behind it,
//! and by then the first is acknowledged. A `linger.ms` of the user's own leaves one producer.

use super::client::Client;
use parking_lot::RwLock;
use rdkafka::{ClientConfig, error::KafkaError, producer::Producer as _};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Smoothed number of records in flight from which batching pays.
const THRESHOLD: u32 = 64;

/// The smoothed number moves by 1/128 of the difference with each event.
const SMOOTHING: u32 = 128;

/// The smoothed number is kept in units of 1/1024, since it moves by less than one.
const SCALE: u32 = 1024;

/// Milliseconds that the batching producer waits for more records.
const LINGER: &str = "5";

/// A client that is in use.
pub(super) type Producer = Arc<Client>;

/// The producers of one cluster.
pub(super) struct Producers {
    eager: Slot,
    /// `None` where the user set `linger.ms`.
    batching: Option<Slot>,
    outstanding: AtomicUsize,
    smoothed: AtomicU32,
}

/// A producer and how to make it again.
struct Slot {
    config: ClientConfig,
    producer: RwLock<Producer>,
}

/// Counts one record until its outcome is known.
pub(super) struct Outstanding<'a>(&'a AtomicUsize);

impl Drop for Outstanding<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Producers {
    pub(super) fn new(mut config: ClientConfig) -> Result<Self, KafkaError> {
        let batching = match config.get("linger.ms").or_else(|| config.get("queue.buffering.max.ms")) {
            Some(_) => None,
            None => Some(Slot::new(config.clone().set("linger.ms", LINGER).clone())?),
        };
        if batching.is_some() {
            config.set("linger.ms", "0");
        }
        Ok(Self {
            eager: Slot::new(config)?,
            batching,
            outstanding: AtomicUsize::new(0),
            smoothed: AtomicU32::new(0),
        })
    }

    /// Returns the producer for the next event, and the guard that counts it.
    pub(super) fn choose(&self) -> (Producer, Outstanding<'_>) {
        let outstanding = self.outstanding.fetch_add(1, Ordering::Relaxed) + 1;
        let slot = match &self.batching {
            Some(batching) if self.smooth(outstanding) > THRESHOLD * SCALE => batching,
            Some(_) | None => &self.eager,
        };
        (Arc::clone(&slot.producer.read()), Outstanding(&self.outstanding))
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

    /// Makes a new client in the place of one with a fatal error.
    pub(super) fn replace(&self, broken: &Producer) {
        for slot in std::iter::once(&self.eager).chain(&self.batching) {
            slot.replace(broken);
        }
    }

    /// The settings of the clients.
    pub(super) fn config(&self) -> &ClientConfig {
        &self.eager.config
    }

    /// Waits until no record is outstanding, or the client's own time limit ends.
    pub(super) async fn flush(&self) {
        for slot in std::iter::once(&self.eager).chain(&self.batching) {
            let producer = Arc::clone(&slot.producer.read());
            let flushed = tokio::task::spawn_blocking(move || producer.flush(Duration::from_secs(4))).await;
            if let Ok(Err(error)) = flushed {
                tracing::warn!(%error, "kafka producer did not flush");
            }
        }
    }
}

impl Slot {
    fn new(config: ClientConfig) -> Result<Self, KafkaError> {
        let producer = RwLock::new(Arc::new(Client::start(&config)?));
        Ok(Self { config, producer })
    }

    fn replace(&self, broken: &Producer) {
        let mut producer = self.producer.write();
        if !Arc::ptr_eq(&producer, broken) {
            return;
        }
        match Client::start(&self.config) {
            Ok(new) => {
                tracing::error!("kafka producer had a fatal error and was replaced");
                let old = std::mem::replace(&mut *producer, Arc::new(new));
                // The end of a client blocks.
                tokio::task::spawn_blocking(move || drop(old));
            }
            Err(error) => tracing::error!(%error, "kafka producer can't be replaced"),
        }
    }
}

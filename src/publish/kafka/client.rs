//! A librdkafka client with the thread that takes its answers and, at last, ends it.
//!
//! The end of a client blocks for a moment. Who lets go of one is as a rule a task of the runtime, so the thread is
//! the client's last holder and ends it there.

use super::acks::Callbacks;
use rdkafka::{ClientConfig, error::KafkaError, producer::BaseProducer};
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

use super::ages::Ages;

/// How long the thread waits for answers before it looks whether the client ends. The crate spends the last millisecond
/// of each such turn in a busy loop, so that its own `ThreadedProducer`, with ten turns a second, costs 1 % of a core.
const TURN: Duration = Duration::from_millis(500);

/// A librdkafka client. Let go of, it ends within a turn and a moment, and what it still holds is given up.
pub(super) struct Client {
    producer: Arc<BaseProducer<Callbacks>>,
    ends: Arc<AtomicBool>,
    ended: CancellationToken,
    /// Which state of its slot's settings it began with.
    pub(super) version: u64,
    /// Set once another client is to take its place.
    pub(super) is_replaced: AtomicBool,
    /// How long its records wait.
    pub(super) ages: Ages,
}

impl Client {
    /// Starts a client and its thread; it connects in the background. Takes some milliseconds.
    pub(super) fn start(
        (config, version): &(ClientConfig, u64),
        callbacks: Callbacks,
    ) -> Result<Self, KafkaError> {
        let producer = Arc::new(config.create_with_context(callbacks)?);
        let (ends, ended) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
        let (polled, told): (Arc<BaseProducer<Callbacks>>, _) = (Arc::clone(&producer), Arc::clone(&ends));
        let done = ended.clone().drop_guard();
        let poll = move || {
            while !(told.load(Ordering::Acquire) && Arc::strong_count(&polled) == 1) {
                polled.poll(TURN);
            }
            drop(polled);
            drop(done);
        };
        let refused = |error| KafkaError::ClientCreation(format!("no thread for its answers: {error}"));
        thread::Builder::new().name("kafka-acks".to_owned()).spawn(poll).map_err(refused)?;
        let (is_replaced, ages) = (AtomicBool::new(false), Ages::default());
        Ok(Self { producer, ends, ended, version: *version, is_replaced, ages })
    }

    /// Returns what tells when the client, let go of by all, has ended.
    pub(super) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }
}

impl Deref for Client {
    type Target = BaseProducer<Callbacks>;

    fn deref(&self) -> &Self::Target {
        &self.producer
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
    }
}

//! A librdkafka client with the thread that takes its answers.

use super::acks::Callbacks;
use rdkafka::{ClientConfig, error::KafkaError, producer::BaseProducer};
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long the thread waits for answers before it looks whether the client ends. The crate spends the last millisecond
/// of each such turn in a busy loop, so that its own `ThreadedProducer`, with ten turns a second, costs 1 % of a core.
const TURN: Duration = Duration::from_millis(500);

/// A librdkafka client. Its end takes up to a turn, and what it still holds is then given up.
pub(super) struct Client {
    producer: Arc<BaseProducer<Callbacks>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    /// Starts a client and its thread; it connects in the background.
    pub(super) fn start(config: &ClientConfig) -> Result<Self, KafkaError> {
        let producer = Arc::new(config.create_with_context(Callbacks::new())?);
        let ends = Arc::new(AtomicBool::new(false));
        let (polled, told): (Arc<BaseProducer<Callbacks>>, _) = (Arc::clone(&producer), Arc::clone(&ends));
        let poll = move || {
            while !told.load(Ordering::Relaxed) {
                polled.poll(TURN);
            }
        };
        let thread = thread::Builder::new().name("kafka-acks".to_owned()).spawn(poll);
        let refused = |error| KafkaError::ClientCreation(format!("no thread for its answers: {error}"));
        Ok(Self { producer, ends, thread: Some(thread.map_err(refused)?) })
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
        self.ends.store(true, Ordering::Relaxed);
        // Waited for, because the client must not outlive the libraries that the process takes down at its end.
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread for kafka's answers had panicked");
        }
    }
}

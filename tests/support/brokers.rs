//! The brokers that the tests of one run share: each is started when first asked for, once, and ends with the
//! run. `HOOKWAY_TEST_KAFKA=host:port` and `HOOKWAY_TEST_NATS=nats://host:port` name running ones to use instead.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::kafka::Kafka;
use super::nats::Nats;
use super::ports;

/// The shared brokers of one run.
#[derive(Debug)]
pub(crate) struct Brokers {
    kafka: OnceLock<Kafka>,
    nats: OnceLock<Nats>,
    run: u64,
    names: AtomicU32,
}

impl Brokers {
    /// Starts nothing yet.
    pub(crate) fn new() -> Self {
        Self { kafka: OnceLock::new(), nats: OnceLock::new(), run: ports::random(), names: AtomicU32::new(0) }
    }

    /// Returns whether running brokers were named, so that none may be started or broken.
    pub(crate) fn are_given() -> bool {
        given("HOOKWAY_TEST_KAFKA").or_else(|| given("HOOKWAY_TEST_NATS")).is_some()
    }

    /// Returns the shared Kafka.
    pub(crate) fn kafka(&self) -> &Kafka {
        self.kafka.get_or_init(|| given("HOOKWAY_TEST_KAFKA").map_or_else(Kafka::start, |at| Kafka::at(&at)))
    }

    /// Returns the shared NATS server.
    pub(crate) fn nats(&self) -> &Nats {
        self.nats.get_or_init(|| given("HOOKWAY_TEST_NATS").map_or_else(Nats::start, |at| Nats::at(&at)))
    }

    /// Returns a name for a topic, a stream or a subject that no other test and no other run uses.
    pub(crate) fn name(&self, stem: &str) -> String {
        format!("{stem}-{:016x}-{}", self.run, self.names.fetch_add(1, Ordering::Relaxed))
    }
}

fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

//! A sink: its client, how events are written for it, and what is known of it.

use super::Publisher;
use crate::{event::envelope::Binding, observe::metrics::SinkMetrics, record::SinkFormat};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// What a look at a destination found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// What works, in words: brokers, versions, topics.
    pub facts: Vec<String>,
    /// What works and is weaker than it should be.
    pub warnings: Vec<String>,
    /// How durable an ack is: 2 survives the loss of a broker, 1 is one broker's word, 0 unknown.
    pub durability: u8,
}

/// A named destination.
pub struct Sink {
    /// Its name in the configuration.
    pub name: String,
    /// How events are written there.
    pub form: Form,
    /// The client that speaks to the broker.
    pub publisher: Arc<dyn Publisher>,
    /// Its counters.
    pub metrics: SinkMetrics,
    /// Set once the destination was found good.
    pub ready: OnceLock<Prepared>,
    /// What the last look found against it, before that.
    pub hindrance: Mutex<Option<String>>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("name", &self.name).field("form", &self.form).finish_non_exhaustive()
    }
}

/// How events are written into a sink's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// One document, or headers and body.
    pub format: SinkFormat,
    /// Whose header names are used.
    pub binding: Binding,
}

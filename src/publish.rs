//! Sixth stage: hands an event to every sink of its plan and waits for each one's word.
//!
//! A [`Publisher`] speaks to one broker. It resolves when the broker answers, however late; deadlines belong to
//! `receive`. All sinks of an event are awaited even after one has failed, because the acks that did come are
//! what the sender's retry must skip.

mod complaints;
pub mod journal;
pub mod kafka;
mod lane;
mod lanes;
mod message_id;
pub mod nats;
mod room;
mod written;

pub use room::MOST_BYTES;

use crate::{
    clock,
    event::{Event, envelope::Binding},
    observe::{
        metrics::{SinkMetrics, SourceMetrics},
        told::Told,
    },
    record::{Ack, Held, PublishError, Record, Settled, SinkFormat, Target},
};
use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use lanes::Lanes;
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use tokio::time::Instant;

/// Speaks to one broker.
pub trait Publisher: Send + Sync {
    /// Stores a record; resolves when the broker holds it, or never will.
    fn publish(&self, record: Record) -> BoxFuture<'_, Result<Ack, PublishError>>;

    /// True where records that are handed over one after the other are stored in that order, without waiting for each
    /// ack. After a failure a later one may stand before an earlier one that is sent again.
    fn keeps_order(&self) -> bool {
        false
    }

    /// Returns the destinations that are known from the start, where each may be down while others take records; `None`
    /// where they are up or down together.
    fn destinations(&self) -> Option<&[String]> {
        None
    }

    /// Checks the connection and these destinations, and makes what the configuration says to make.
    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>>;

    /// Looks at the destination again, cheaply, once it was found good; and mends what such a look can mend.
    fn probe(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        Box::pin(async { self.prepare().await.map(drop) })
    }

    /// Waits until nothing is outstanding, and ends the clients: nothing is published behind it.
    fn flush(&self) -> BoxFuture<'_, ()>;
}

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

/// All configured sinks, in the order of their names.
#[derive(Debug)]
pub struct Sinks {
    all: Vec<Sink>,
    /// The destinations of each.
    lanes: Vec<Lanes>,
    replica: String,
    /// The `hookwaypath` of what is published.
    path: &'static str,
}

/// What came of handing one event to its targets.
#[derive(Debug)]
pub struct Outcome {
    /// The targets that hold the event, those of earlier attempts included.
    pub held: Held,
    /// Why the others do not; empty when all do.
    pub failed: Vec<(Target, PublishError)>,
}

impl Sinks {
    /// Takes the sinks in their order, and this replica's name.
    pub fn new(sinks: Vec<Sink>, replica: String) -> Self {
        let lanes = sinks.iter().map(|sink| Lanes::new(&sink.name, &*sink.publisher, &sink.metrics));
        Self { lanes: lanes.collect(), all: sinks, replica, path: "direct" }
    }

    /// Has the envelopes say that their events are replayed.
    #[must_use]
    pub fn replaying(self) -> Self {
        Self { path: "replay", ..self }
    }

    /// Returns the sinks, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Sink> {
        self.all.iter()
    }

    /// True where all sinks keep the order in which records are handed over.
    pub fn keep_order(&self) -> bool {
        self.all.iter().all(|sink| sink.publisher.keeps_order())
    }

    /// Hands the event to every target that does not hold it already, and waits for all.
    pub async fn publish(
        &self,
        event: &Event,
        targets: &[Target],
        held: &Held,
        source: &SourceMetrics,
    ) -> Outcome {
        let mut outcome = Outcome { held: held.clone(), failed: Vec::new() };
        let document = OnceLock::new();
        let publish = |target: &Target| self.publish_to(event, target.clone(), &document, source);
        // One target is by far the commonest plan, and needs no list of futures.
        if let [target] = targets
            && held.is_empty()
        {
            outcome.note(target, publish(target).await);
            return outcome;
        }
        let waiting: Vec<&Target> = targets.iter().filter(|target| !held.has(target)).collect();
        let results = join_all(waiting.iter().map(|target| publish(target))).await;
        for (target, result) in waiting.into_iter().zip(results) {
            outcome.note(target, result);
        }
        outcome
    }

    async fn publish_to(
        &self,
        event: &Event,
        target: Target,
        document: &OnceLock<Bytes>,
        source: &SourceMetrics,
    ) -> Result<Ack, PublishError> {
        let mut sinks = self.all.iter().zip(&self.lanes).enumerate();
        let found = sinks.find(|(_, (sink, _))| sink.name == target.sink.as_str());
        let Some((place, (sink, lanes))) = found else {
            return Err(PublishError::Misconfigured("the plan names a sink that does not exist".to_owned()));
        };
        if sink.ready.get().is_none() {
            let known = sink.hindrance.lock().clone();
            let why = known.unwrap_or_else(|| "nobody has looked at it yet".to_owned());
            return Err(PublishError::Unprepared(why));
        }
        let destination = Arc::clone(&target.destination);
        let record = self.record(sink, event, target, document);
        let handed_over = Instant::now();
        let result = lanes.hand_over(sink, &destination, record, handed_over).await;
        let now = clock::now();
        sink.metrics.attempted(&result, handed_over.elapsed(), now);
        if let Ok(ack) = &result {
            source.tell(event, || Told::stored(event, &sink.name, &destination, ack));
        }
        if result.as_ref().is_ok_and(Ack::is_duplicate) {
            sink.metrics.had_it();
        } else if result.is_ok() {
            source.delivered(place, now.duration_since(event.recorded).try_into().unwrap_or_default());
        }
        result
    }
}

impl<'a> IntoIterator for &'a Sinks {
    type Item = &'a Sink;
    type IntoIter = std::slice::Iter<'a, Sink>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Outcome {
    /// Settles the event where all its targets hold it.
    pub fn settled(&self, event: &Event, targets: &[Target]) -> Option<Settled> {
        let reason = event.quarantine.as_ref().map(|quarantine| quarantine.reason);
        self.failed.is_empty().then(|| self.held.settled(targets, reason)).flatten()
    }

    fn note(&mut self, target: &Target, result: Result<Ack, PublishError>) {
        match result {
            Ok(ack) => self.held.note(target, &ack),
            Err(error) => self.failed.push((target.clone(), error)),
        }
    }
}

#[cfg(test)]
mod tests;

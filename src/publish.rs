//! Sixth stage: hands an event to every sink of its plan and waits for each one's word.
//!
//! A [`Publisher`] speaks to one broker. It resolves when the broker answers, however late; deadlines belong to
//! `receive`. All sinks of an event are awaited even after one has failed, because the acks that did come are
//! what the sender's retry must skip.

mod backlog;
mod complaints;
mod drain;
mod hand_over;
pub mod journal;
pub mod kafka;
mod lane;
mod lanes;
mod message_id;
pub mod nats;
mod note;
mod room;
mod sink;
mod spool;
mod volume;
mod waiting;
mod written;

pub use drain::{MOST_DRAINED, Rescue, Unwanted};
pub use hand_over::Way;
pub use room::MOST_BYTES;
pub use sink::{Form, Prepared, Sink};
pub use spool::{Finder, Spool};
pub use waiting::{Unread, Waiting};

use crate::{
    clock,
    event::Event,
    journal::JournalError,
    observe::{metrics::SourceMetrics, told::Told},
    record::{Ack, Held, PublishError, Record, Settled, Target},
};
use bytes::Bytes;
use drain::Drains;
use futures_util::future::{BoxFuture, join_all};
use hand_over::Parcel;
use lanes::Lanes;
use std::sync::{Arc, OnceLock};

/// Speaks to one broker.
pub trait Publisher: Send + Sync {
    /// Stores a record; resolves when the broker holds it, or never will. Whoever no longer waits may drop it: what was
    /// handed over stays so.
    fn publish(self: Arc<Self>, record: Record) -> BoxFuture<'static, Result<Ack, PublishError>>;

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

    /// True where events may wait on disk while the destination is away.
    fn may_spool(&self) -> bool {
        true
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

/// All configured sinks, in the order of their names.
#[derive(Debug)]
pub struct Sinks {
    all: Vec<Arc<Sink>>,
    /// The destinations of each.
    lanes: Vec<Arc<Lanes>>,
    /// What publishes events that wait, once it is begun.
    drains: OnceLock<Drains>,
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
        let all: Vec<Arc<Sink>> = sinks.into_iter().map(Arc::new).collect();
        let lanes = all.iter().map(|sink| Arc::new(Lanes::new(Arc::clone(sink))));
        Self { lanes: lanes.collect(), drains: OnceLock::new(), all, replica, path: "direct" }
    }

    /// Has events wait in the spool where a destination does not take them, and opens what waits there. Blocks.
    pub fn spooling(self, spool: &Arc<Spool>) -> Result<Self, JournalError> {
        let lanes = self.all.iter().map(|sink| Lanes::new(Arc::clone(sink)).spooling(spool).map(Arc::new));
        Ok(Self { lanes: lanes.collect::<Result<_, _>>()?, ..self })
    }

    /// Begins to publish what waits, on the runtime that this is called from.
    pub fn drain(&self, rescue: &Rescue) {
        let drains = self.drains.get_or_init(|| Drains::here(Arc::clone(rescue)));
        for lanes in self.lanes.iter().filter(|lanes| lanes.may_spool()) {
            let own = drains.clone();
            lanes.when_opened(Box::new(move |lanes, lane| own.begin(lanes, lane)));
            let opened =
                lanes.all().into_iter().filter(|lane| lane.backlog.initialized() && lane.claim_drain());
            opened.for_each(|lane| drains.begin(lanes, &lane));
        }
    }

    /// Tells whether events wait on disk for a sink.
    pub fn is_spooling(&self, sink: &str) -> bool {
        self.lanes.iter().any(|lanes| lanes.sink.name == sink && lanes.is_spooling())
    }

    /// Tells whether events wait on disk for any sink: then those that are said to follow one another wait there too.
    pub fn any_spools(&self) -> bool {
        self.lanes.iter().any(|lanes| lanes.is_spooling())
    }

    /// Ends that; what still waits stands on disk.
    pub async fn end_drains(&self) {
        if let Some(drains) = self.drains.get() {
            drains.end().await;
        }
    }

    /// Has the envelopes say that their events are replayed.
    #[must_use]
    pub fn replaying(self) -> Self {
        Self { path: "replay", ..self }
    }

    /// Returns the sinks, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Sink>> {
        self.all.iter()
    }

    /// True where all sinks keep the order in which records are handed over; one after the other goes what may have to wait
    /// on disk.
    pub fn keep_order(&self) -> bool {
        self.lanes.iter().all(|lanes| lanes.sink.publisher.keeps_order() && !lanes.may_spool())
    }

    /// Hands the event to every target that does not hold it already, and waits for all.
    pub async fn publish(
        &self,
        event: &Event,
        targets: &[Target],
        held: &Held,
        source: Option<&SourceMetrics>,
        way: Way<'_>,
    ) -> Outcome {
        let mut outcome = Outcome { held: held.clone(), failed: Vec::new() };
        let document = OnceLock::new();
        let publish = |target: &Target| self.publish_to(event, target.clone(), (&document, way), source);
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
        (document, way): (&OnceLock<Bytes>, Way<'_>),
        source: Option<&SourceMetrics>,
    ) -> Result<Ack, PublishError> {
        let mut lanes = self.lanes.iter().enumerate();
        let Some((place, lanes)) = lanes.find(|(_, lanes)| lanes.sink.name == target.sink.as_str()) else {
            return Err(PublishError::Misconfigured("the plan names a sink that does not exist".to_owned()));
        };
        let (sink, destination) = (&lanes.sink, &target.destination);
        let other = OnceLock::new();
        let write = |path| {
            let document = if path == self.path { document } else { &other };
            self.record(sink, event, target.clone(), path, document)
        };
        let (source_name, in_turn) = (&*event.source_name, event.in_turn);
        let parcel = Parcel { destination, source: source_name, in_turn, write: &write, path: self.path };
        let result = lanes.hand_over(&parcel, way).await;
        let (Ok(ack), Some(source)) = (&result, source) else { return result };
        source.tell(event, || Told::stored(event, &sink.name, destination, ack));
        if !ack.is_duplicate() && !matches!(ack, Ack::Spool { .. }) {
            let took = clock::now().duration_since(event.recorded);
            source.delivered(place, took.try_into().unwrap_or_default());
        }
        result
    }
}

impl<'a> IntoIterator for &'a Sinks {
    type Item = &'a Arc<Sink>;
    type IntoIter = std::slice::Iter<'a, Arc<Sink>>;

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

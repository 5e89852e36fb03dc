//! The destinations of one sink, each a [`Lane`]: one that is down holds up no other. All share the sink's [`Room`].

use super::{
    Sink,
    backlog::Backlog,
    lane::{Attempt, Lane},
    room::Room,
    spool::Spool,
};
use crate::{
    clock,
    journal::JournalError,
    record::{Ack, PublishError, Record},
};
use std::{
    fmt,
    iter::repeat_with,
    sync::{Arc, OnceLock},
};
use tokio::time::Instant;

/// Names that a sender's text makes and that have a lane of their own; more share one.
const MOST_NAMED: usize = 64;

/// Label of all lanes that no route names.
const UNNAMED: &str = "*";

/// A destination's place, free until the first record for it.
type Place = OnceLock<(Arc<str>, Arc<Lane>)>;

/// Hears of a lane that was opened.
pub(super) type Opened = Box<dyn Fn(&Arc<Lanes>, &Arc<Lane>) + Send + Sync>;

/// The lanes of one sink.
pub(super) struct Lanes {
    pub(super) sink: Arc<Sink>,
    /// Destinations with a lane of their own, in the order in which they came; empty where all are one.
    own: Box<[Place]>,
    /// All other destinations.
    shared: Arc<Lane>,
    room: Room,
    /// Where events wait; `None` at level `strict`.
    spool: Option<Arc<Spool>>,
    /// Hears of each lane for which events begin to wait for the first time.
    opened: OnceLock<Opened>,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("sink", &self.sink).field("own", &self.own).finish_non_exhaustive()
    }
}

impl Lanes {
    pub(super) fn new(sink: Arc<Sink>) -> Self {
        let known = |name: &String| Place::from((Arc::from(name.as_str()), lane(&sink, name, name)));
        let own = sink
            .publisher
            .destinations()
            .map(|names| names.iter().map(known).chain(repeat_with(Place::new).take(MOST_NAMED)).collect());
        let shared = Arc::new(Lane::new((sink.name.clone(), None), UNNAMED, sink.metrics.lane_down(UNNAMED)));
        let (own, room, opened) = (own.unwrap_or_default(), Room::default(), OnceLock::new());
        Self { sink, own, shared, room, spool: None, opened }
    }

    /// Gives each lane a place on disk, and opens what waits there. Blocks.
    pub(super) fn spooling(mut self, spool: &Arc<Spool>) -> Result<Self, JournalError> {
        let found = spool.found(&self.sink.name)?;
        let (may_spool, is_one) =
            (self.sink.publisher.may_spool(), self.sink.publisher.destinations().is_none());
        if !may_spool || is_one {
            // Left by a sink of another kind that had the name.
            for name in found.iter().filter(|name| !may_spool || name.is_some()) {
                let (sink, destination) = (&self.sink.name, name.as_deref().unwrap_or_default());
                tracing::error!(
                    sink,
                    destination,
                    "events may wait for a sink of this name as it was before: configure it as it was, or `hookway spool export` them"
                );
            }
        }
        if !may_spool {
            return Ok(self);
        }
        if self.sink.publisher.destinations().is_some() {
            // As many as an earlier process had.
            let known: Vec<Place> = found
                .iter()
                .flatten()
                .filter(|name| !self.has(name))
                .map(|name| Place::from((Arc::from(name.as_str()), lane(&self.sink, UNNAMED, name))))
                .collect();
            let free = MOST_NAMED.saturating_sub(known.len());
            let literal = std::mem::take(&mut self.own).into_iter().filter(|place| place.get().is_some());
            self.own = literal.chain(known).chain(repeat_with(Place::new).take(free)).collect();
        }
        self.spool = Some(Arc::clone(spool));
        let shared = self.opened(spool, &self.shared)?;
        // A name that may wait among all others must not get a lane of its own beside them, nor a folder that would say so at
        // the next start.
        if !shared.is_direct() {
            let had_its_own = |place: &Place| {
                let name = place.get().map(|(name, _)| name.to_string());
                name.is_some_and(|name| found.contains(&Some(name)))
            };
            self.own = std::mem::take(&mut self.own).into_iter().filter(had_its_own).collect();
        }
        // Nobody else has seen the lanes yet.
        drop(self.shared.backlog.set(shared));
        for lane in self.own.iter().filter_map(Place::get).map(|(_, lane)| lane) {
            drop(lane.backlog.set(self.opened(spool, lane)?));
        }
        Ok(self)
    }

    /// Has this hear of each lane that is opened from now on.
    pub(super) fn when_opened(&self, opened: Opened) {
        // Whoever came first is heard.
        drop(self.opened.set(opened));
    }

    fn has(&self, name: &str) -> bool {
        self.own.iter().filter_map(Place::get).any(|(known, _)| **known == *name)
    }

    /// Returns the lanes that there are.
    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        let own = self.own.iter().filter_map(Place::get).map(|(_, lane)| lane);
        own.chain([&self.shared]).cloned().collect()
    }

    /// True where events wait on disk for one of them.
    pub(super) fn is_spooling(&self) -> bool {
        let own = self.own.iter().filter_map(Place::get).map(|(_, lane)| lane);
        let mut opened = own.chain([&self.shared]).filter_map(|lane| lane.backlog.get());
        opened.any(|backlog| !backlog.is_direct())
    }

    /// True where the sink has a spool.
    pub(super) fn may_spool(&self) -> bool {
        self.spool.is_some()
    }

    /// Returns what waits for a lane, which is opened for a name's first time.
    pub(super) async fn backlog<'l>(
        self: &Arc<Self>,
        lane: &'l Arc<Lane>,
    ) -> Result<&'l Arc<Backlog>, JournalError> {
        let open = async || {
            let Some(spool) = self.spool.clone() else {
                return Err(JournalError::Closed { dir: std::path::PathBuf::new() });
            };
            let (lanes, lane) = (Arc::clone(self), Arc::clone(lane));
            let opened = tokio::task::spawn_blocking(move || lanes.opened(&spool, &lane));
            opened.await.map_err(|error| JournalError::thread("the spool", std::io::Error::other(error)))?
        };
        let backlog = lane.backlog.get_or_try_init(open).await?;
        // Several may have waited for it.
        if let Some(opened) = self.opened.get()
            && lane.claim_drain()
        {
            opened(self, lane);
        }
        Ok(backlog)
    }

    fn opened(&self, spool: &Spool, lane: &Lane) -> Result<Arc<Backlog>, JournalError> {
        let backlog = Arc::new(spool.open(&self.sink.name, lane.destination())?);
        let shown: Arc<Backlog> = Arc::clone(&backlog);
        let shown: std::sync::Weak<Backlog> = Arc::downgrade(&shown);
        self.sink.metrics.show(lane.label(), shown);
        Ok(backlog)
    }

    /// How long an event may wait without a word in the log.
    pub(super) fn patience(&self) -> Option<std::time::Duration> {
        self.spool.as_ref().map(|spool| spool.patience)
    }

    /// Hands a record over, unless its destination is down, or too much waits in the sink already.
    pub(super) async fn attempt(&self, lane: &Lane, record: Record) -> Result<Ack, PublishError> {
        let now = Instant::now();
        self.is_ready()?;
        let result = match lane.begin(now) {
            Ok(attempt) => self.publish(attempt, record).await,
            Err(down) => Err(down),
        };
        self.attempted(&result, now);
        result
    }

    /// Hands over a record that waited.
    pub(super) async fn again(&self, lane: &Lane, record: Record) -> Result<Ack, PublishError> {
        let now = Instant::now();
        self.is_ready()?;
        let result = self.publish(lane.enter(now), record).await;
        self.attempted(&result, now);
        result
    }

    async fn publish(&self, attempt: Attempt<'_>, record: Record) -> Result<Ack, PublishError> {
        let _share = self.room.take(&record).ok_or(PublishError::Saturated)?;
        let result = Arc::clone(&self.sink.publisher).publish(record).await;
        attempt.ended(&result, Instant::now());
        result
    }

    fn is_ready(&self) -> Result<(), PublishError> {
        if self.sink.ready.get().is_some() {
            return Ok(());
        }
        let known = self.sink.hindrance.lock().clone();
        Err(PublishError::Unprepared(known.unwrap_or_else(|| "nobody has looked at it yet".to_owned())))
    }

    fn attempted(&self, result: &Result<Ack, PublishError>, began: Instant) {
        self.sink.metrics.attempted(result, began.elapsed(), clock::now());
        if result.as_ref().is_ok_and(Ack::is_duplicate) {
            self.sink.metrics.had_it();
        }
    }

    /// Returns a destination's lane, which stays the same as long as the process lives.
    pub(super) fn find(&self, destination: &Arc<str>) -> &Arc<Lane> {
        let make = || (Arc::clone(destination), lane(&self.sink, UNNAMED, destination));
        // A few dozen names at most, and most of them the very same text.
        let mut lanes = self.own.iter().map(|place| place.get_or_init(make));
        lanes.find(|(name, _)| name == destination).map_or(&self.shared, |(_, lane)| lane)
    }
}

fn lane(sink: &Sink, label: &str, name: &str) -> Arc<Lane> {
    let place = (sink.name.clone(), Some(name.to_owned()));
    Arc::new(Lane::new(place, label, sink.metrics.lane_down(label)))
}

#[cfg(test)]
mod tests;

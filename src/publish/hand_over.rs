//! Hands an event to one destination: there at once, or, where that takes too long and the destination has a place on disk, to
//! what waits for it.
//!
//! ```text
//! direct → acknowledged                                            → held by the destination
//!        → too late, or failed → on disk, and all that comes later → held by this replica, published from there
//! ```

use super::{backlog::Place, journal, lane::Lane, lanes::Lanes, note::Note};
use crate::{
    journal::JournalError,
    record::{Ack, PublishError, Record},
    request::Kept,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// What may be done with an event that its destination does not take at once.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    /// Level `strict`: it is waited for, and its sender keeps the event.
    Strict,
    /// Level `available`: it waits on disk.
    Available {
        /// From when on it is waited for no longer.
        from: Instant,
        /// Its request, for the quarantine.
        request: &'a (dyn Fn() -> Kept + Sync),
    },
    /// Past all that waits: for the quarantine of what the drains can't publish, which must not wait behind itself.
    Past,
}

/// An event that is written for one destination, by the path that it takes.
pub(super) struct Parcel<'a> {
    pub(super) destination: &'a Arc<str>,
    pub(super) source: &'a str,
    /// True where the next event of its object follows at once: all of them go the same way.
    pub(super) in_turn: bool,
    /// Writes it, with `direct`, `spool` or `replay` as its path.
    pub(super) write: &'a (dyn Fn(&'static str) -> Record + Sync),
    /// The path of what goes there at once.
    pub(super) path: &'static str,
}

/// An attempt that goes on by itself.
type Attempt = BoxFuture<'static, Result<Ack, PublishError>>;

impl Lanes {
    /// Hands an event over; resolves once it is there, or on disk.
    pub(super) async fn hand_over(
        self: &Arc<Self>,
        parcel: &Parcel<'_>,
        way: Way<'_>,
    ) -> Result<Ack, PublishError> {
        let lane = self.find(parcel.destination);
        match way {
            Way::Available { from, request } if self.may_spool() => {
                Box::pin(self.available(lane, parcel, from, request)).await
            }
            Way::Past => self.again(lane, (parcel.write)(parcel.path)).await,
            Way::Strict if lane.backlog.get().is_some_and(|backlog| backlog.is_inheriting()) => {
                let words = "events of an earlier start wait on disk, and this one would overtake them";
                Err(PublishError::Unavailable(words.to_owned()))
            }
            Way::Available { .. } | Way::Strict => self.attempt(lane, (parcel.write)(parcel.path)).await,
        }
    }

    async fn available(
        self: &Arc<Self>,
        lane: &Arc<Lane>,
        parcel: &Parcel<'_>,
        from: Instant,
        request: &(dyn Fn() -> Kept + Sync),
    ) -> Result<Ack, PublishError> {
        let spooled = || {
            let mut record = (parcel.write)("spool");
            Note::new(parcel.source, &request()).put(&mut record);
            record
        };
        if let Some(backlog) = lane.backlog.get().filter(|backlog| !backlog.is_direct())
            && let Some(place) = backlog.join(&spooled())
        {
            return on_disk(place.map_err(|error| refused(&error))?).await;
        }
        if parcel.in_turn {
            // Those before it may be on their way to the disk.
            let place = self.backlog(lane).await.and_then(|backlog| backlog.turn(&spooled(), false));
            return on_disk(place.map_err(|error| refused(&error))?).await;
        }
        let mut attempt = self.begun(lane, (parcel.write)(parcel.path));
        let (running, error) = match timeout_at(from, &mut attempt).await {
            Ok(Ok(ack)) => return Ok(ack),
            Ok(Err(error)) if error.is_hopeless() => return Err(error),
            Ok(Err(error)) => (None, Some(error)),
            Err(_) => (Some(attempt), None),
        };
        let place = match self.backlog(lane).await {
            Ok(backlog) => backlog.turn(&spooled(), running.is_some()),
            Err(error) => Err(error),
        };
        match (place, running) {
            (Ok(place), Some(attempt)) => both(place, attempt).await,
            (Ok(place), None) => on_disk(place).await,
            // Without a place its sender keeps it, unless its attempt succeeds after all.
            (Err(_), Some(attempt)) => attempt.await,
            (Err(full), None) => {
                tracing::debug!(%full, "an event has no place on disk");
                Err(error.unwrap_or_else(|| refused(&full)))
            }
        }
    }

    fn begun(self: &Arc<Self>, lane: &Arc<Lane>, record: Record) -> Attempt {
        let (lanes, lane) = (Arc::clone(self), Arc::clone(lane));
        Box::pin(async move { lanes.attempt(&lane, record).await })
    }
}

async fn on_disk(place: Place) -> Result<Ack, PublishError> {
    let number = place.durable().await.map_err(|error| refused(&error))?;
    Ok(Ack::Spool { number })
}

/// Waits for the disk and for the attempt that goes on; what comes first is the event's word, and the other follows by itself.
async fn both(mut place: Place, mut attempt: Attempt) -> Result<Ack, PublishError> {
    let own = place.own();
    let mut durable = Box::pin(on_disk(place));
    tokio::select! {
        biased;
        result = &mut attempt => match (result, own) {
            (Ok(ack), Some(own)) => {
                own.done();
                // Nobody waits for the copy, and the drain leaves it out.
                tokio::spawn(durable);
                Ok(ack)
            }
            // The copy is what there is now.
            (_, own) => {
                drop(own);
                durable.await
            }
        },
        result = &mut durable => match result {
            Ok(ack) => {
                tokio::spawn(async move {
                    if let (Ok(_), Some(own)) = (attempt.await, own) {
                        own.done();
                    }
                });
                Ok(ack)
            }
            Err(_) => attempt.await,
        },
    }
}

/// Tells what an error of the spool means for an event.
fn refused(error: &JournalError) -> PublishError {
    if let JournalError::Full { max_bytes, .. } = error {
        let mend = "repair the destination, or raise spool.max_bytes";
        return PublishError::Full(format!("the spool has reached its {max_bytes} bytes: {mend}"));
    }
    journal::refused(error)
}

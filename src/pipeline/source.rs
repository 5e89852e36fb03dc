//! One configured sender, as the path needs it.

use crate::{
    dedup::{Claim, Joined, Window},
    delivery::{Delivery, Quota, Unproven, Unverified, Verified},
    event::{Event, Identity, Quarantine, Reason},
    explain::Explainer,
    normalize::Normalizer,
    observe::{conflicts::ConflictLog, metrics::SourceMetrics, told::Told},
    publish::Way,
    record::{Disposition, Receipt, Settled},
    refusal::Refusal,
    request::{Kept, Request},
    respond::{Capture, Confirmer, Responders},
    verify::Verifier,
    workers::beside,
};
use std::{mem::take, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// One configured sender: how its deliveries are checked, mapped and answered.
#[derive(Debug)]
pub struct Source {
    /// Its name in the configuration and in the URL.
    pub name: Arc<str>,
    /// Checks where a delivery came from.
    pub verifier: Verifier,
    /// Says in the log why a delivery was refused.
    pub explainer: Explainer,
    /// How it shakes hands.
    pub handshakes: Handshakes,
    /// Maps a delivery to events.
    pub normalizer: Normalizer,
    /// Remembers what was acknowledged; `None` where nothing tells a repeat from a new event.
    pub window: Option<Arc<Window>>,
    /// How long an answer may take.
    pub deadline: Duration,
    /// The largest body taken, in bytes.
    pub max_body: u64,
    /// The requests that may be on their way at once.
    pub in_flight: Arc<Quota>,
    /// Bounds the events of its lists on their way at once.
    pub listed: Arc<Quota>,
    /// Status of an accepted request.
    pub success: u16,
    /// Status of an accepted request of which an event waits on disk.
    pub spooled: u16,
    /// False where its events are never to wait there: its sender keeps them while a destination is away.
    pub may_spool: bool,
    /// Body of an accepted request.
    pub success_body: bytes::Bytes,
    /// True where a refusal has a body.
    pub problems: bool,
    /// Its counters.
    pub metrics: SourceMetrics,
    /// Says in the log that ids are shared.
    pub conflicts: ConflictLog,
}

/// How one source shakes hands. By default it does not.
#[derive(Debug, Default)]
pub struct Handshakes {
    /// What is recognised and answered.
    pub responders: Responders,
    /// Where a secret goes that a sender hands over; `None` where the operator takes none.
    pub capture: Option<Arc<Capture>>,
    /// Fetches the addresses by which senders ask for agreement; `None` where the operator does not agree.
    pub confirmer: Option<Arc<dyn Confirmer>>,
}

/// What a destination gets at least before an event waits on disk.
const LEAST_PATIENCE: Duration = Duration::from_millis(50);

/// A body of so many bytes may hold a list whose elements are read for milliseconds.
const LARGE: usize = 64 << 10;

/// True where a request's work must leave the worker, or its other connections would wait for it.
pub(super) fn is_large(request: &Request) -> bool {
    request.body.len() >= LARGE
}

/// Does work beside the worker, and waits for it until the deadline.
async fn aside<T: Send + 'static>(
    until: Instant,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = timeout_at(until, beside(work)).await.map_err(|_| Refusal::Deadline)?;
    // It panicked.
    done.map_err(|_| Refusal::Internal)
}

impl Source {
    /// Returns the status of an accepted request with these receipts.
    pub fn status(&self, receipts: &[Receipt]) -> u16 {
        if receipts.iter().any(Receipt::is_spooled) { self.spooled } else { self.success }
    }

    /// Verifies a delivery, a large one beside the worker.
    pub(super) async fn verify(
        self: &Arc<Self>,
        delivery: Delivery<Unverified>,
        until: Instant,
    ) -> Result<Delivery<Verified>, Refusal> {
        let checked = if is_large(delivery.request()) {
            let source = Arc::clone(self);
            aside(until, async move { delivery.verify_fetching(&source.verifier, until).await }).await?
        } else {
            delivery.verify_fetching(&self.verifier, until).await
        };
        match checked {
            Ok(delivery) => Ok(delivery),
            Err(unproven) => Err(self.unproven(*unproven, until).await),
        }
    }

    /// Returns the refusal of a delivery whose origin was not proven, with its cause where that is cheap to find: beside the
    /// worker, for a few of a flood.
    async fn unproven(self: &Arc<Self>, unproven: Unproven, until: Instant) -> Refusal {
        let (mut refusal, delivery) = (Refusal::from(unproven.error), unproven.delivery);
        if !matches!(refusal, Refusal::Unverified(..)) || !self.explainer.admit() {
            return refusal;
        }
        let source = Arc::clone(self);
        let explained = aside(until, async move {
            if let Refusal::Unverified(error, cause) = &mut refusal {
                *cause = source.explainer.cause(delivery.request(), error).map(Box::new);
            }
            refusal
        });
        explained.await.unwrap_or_else(|error| error)
    }

    /// Returns how its events go whose sender hears an answer at `until`: a destination gets a second of it, or less where
    /// there is little, before they wait on disk.
    pub(super) fn way<'a>(&self, until: Instant, request: &'a (dyn Fn() -> Kept + Sync)) -> Way<'a> {
        if !self.may_spool {
            return Way::Strict;
        }
        let patience = match self.deadline.as_millis() {
            3500.. => 1000,
            1500.. => 500,
            _ => 200,
        };
        let (now, room) = (Instant::now(), until.checked_sub(self.deadline / 4).unwrap_or(until));
        // However late a body came, its destination is asked first.
        let from = (now + Duration::from_millis(patience)).min(room).max(now + LEAST_PATIENCE);
        Way::Available { from, request }
    }

    /// Claims an event, where something tells its repeats from new events.
    pub(super) fn claim(&self, event: &mut Event) -> Option<Claim<'_>> {
        let Some(window) = &self.window else {
            // The operator wants no repeats recognised: no broker behind us may do it either.
            event.identity = Identity::Fresh;
            return None;
        };
        let claim = window.claim_event(event)?;
        event.id_conflicts = matches!(&claim, Claim::Fresh(reservation) if reservation.is_conflict());
        Some(claim)
    }

    /// Notes what became of an event, and returns its receipt, which takes its id.
    pub(super) fn settle(&self, event: &mut Event, settled: Settled) -> Receipt {
        self.metrics.settled(settled.disposition());
        match settled.disposition() {
            Disposition::Filtered => self.metrics.tell(event, || Told::placeless(event, "filtered")),
            Disposition::Suppressed => self.metrics.tell(event, || Told::placeless(event, "suppressed")),
            // Each of its sinks told it.
            Disposition::Published
            | Disposition::Spooled
            | Disposition::Quarantined(_)
            | Disposition::AlreadyStored => {}
        }
        if event.id_conflicts {
            self.metrics.conflicted();
            self.conflicts.note(&self.name, &event.id);
        }
        Receipt::new(take(&mut event.id), settled)
    }

    /// Waits for the first copy of an event, until its own sender has heard an answer: then nobody needs its outcome, and
    /// another request needs its place.
    pub(super) async fn join(
        &self,
        first: Joined,
        event: &mut Event,
        until: Instant,
    ) -> Result<Receipt, Refusal> {
        let outcome = timeout_at(until, first.outcome()).await.map_err(|_| Refusal::Deadline)?;
        outcome.map(|repeat| self.settle(event, repeat.into())).ok_or(Refusal::InFlight)
    }

    /// Marks an event for the quarantine.
    pub(super) fn quarantine(
        &self,
        delivery: &Delivery<Verified>,
        event: &mut Event,
        reason: Reason,
        detail: String,
    ) {
        let kept = Arc::new(self.normalizer.keep(delivery.request()));
        event.quarantine = Some(Box::new(Quarantine::new(reason, detail, kept)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workers::Workers;
    use std::{num::NonZeroUsize, sync::mpsc};
    use tokio::runtime::Builder;

    #[test]
    fn a_wait_beside_the_worker_ends_with_the_deadline() {
        // Nothing drives it, as if all its threads were busy.
        let home = Builder::new_current_thread().build().unwrap();
        let inside = home.enter();
        let workers = Workers::start(NonZeroUsize::MIN).unwrap();
        drop(inside);
        let (tell, told) = mpsc::channel();
        workers.seat().unwrap().runtime.spawn(async move {
            tell.send(aside(Instant::now() + Duration::from_millis(10), async {}).await).unwrap();
        });
        assert!(matches!(told.recv().unwrap(), Err(Refusal::Deadline)));
    }
}

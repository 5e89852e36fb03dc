//! The path, composed: receive → verify → normalize → dedup → route → publish.
//!
//! [`Pipeline::accept`] is what `receive` calls. Once a delivery is verified, the work belongs to the server and
//! not to the connection: a sender that hangs up cancels nothing, and an outcome that comes after the deadline is
//! remembered all the same, so that the sender's retry adds no second record.

use crate::{
    clock,
    dedup::{Claim, Reservation, Window},
    delivery::{Delivery, Unverified, Verified},
    event::{Event, Quarantine, Reason},
    normalize::Normalizer,
    observe::metrics::{Metrics, SourceMetrics, Stage},
    publish::{Outcome, PublishError, Sinks},
    record::{Disposition, Plan, Receipt, SinkIndex, Target},
    refusal::Refusal,
    route::{RouteTarget, Routes},
    verify::Verifier,
};
use prometheus::IntGauge;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};
use tokio_util::task::TaskTracker;

/// One configured sender: how its deliveries are checked, mapped and answered.
#[derive(Debug)]
pub struct Source {
    /// Its name in the configuration and in the URL.
    pub name: Arc<str>,
    /// Checks where a delivery came from.
    pub verifier: Verifier,
    /// Maps a delivery to events.
    pub normalizer: Normalizer,
    /// Remembers what was acknowledged; `None` where nothing tells a repeat from a new event.
    pub window: Option<Arc<Window>>,
    /// How long an answer may take.
    pub deadline: Duration,
    /// The largest body taken, in bytes.
    pub max_body: u64,
    /// The requests that may be on their way at once.
    pub in_flight: Arc<Semaphore>,
    /// Status of an accepted request.
    pub success: u16,
    /// Body of an accepted request.
    pub success_body: bytes::Bytes,
    /// Its counters.
    pub metrics: SourceMetrics,
}

/// The stages behind verification, shared by all sources.
#[derive(Debug)]
pub struct Pipeline {
    routes: Routes,
    quarantine: RouteTarget,
    sinks: Sinks,
    tasks: TaskTracker,
    in_flight: IntGauge,
}

/// Counts events on their way, however their task ends.
struct InFlight<'a>(&'a IntGauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Pipeline {
    /// Joins the parts that `app` has built.
    pub fn new(routes: Routes, quarantine: RouteTarget, sinks: Sinks, tasks: TaskTracker, metrics: &Metrics) -> Self {
        Self { routes, quarantine, sinks, tasks, in_flight: metrics.events_in_flight.clone() }
    }

    /// The sinks that events are published to.
    pub fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    /// Takes a delivery along the path and returns the receipt of each of its events, or why there is none.
    ///
    /// Waits until `deadline`; the work goes on behind it.
    pub async fn accept(
        self: &Arc<Self>,
        source: &Arc<Source>,
        delivery: Delivery<Unverified>,
        deadline: Instant,
    ) -> Result<Vec<Receipt>, Refusal> {
        let start = Instant::now();
        let delivery = delivery.verify(&source.verifier)?;
        source.metrics.verified("ok");
        source.metrics.staged(Stage::Verify, start);

        let (tell, told) = oneshot::channel();
        let (pipeline, source) = (Arc::clone(self), Arc::clone(source));
        self.tasks.spawn(async move {
            let (receipts, refusal) = pipeline.carry_all(&source, &delivery).await;
            let durable = receipts.len().try_into().unwrap_or(u64::MAX);
            let refused = refusal.is_some();
            match tell.send(refusal.map_or(Ok(receipts), Err)) {
                Ok(()) if !refused => source.metrics.accepted(durable, clock::now()),
                Ok(()) | Err(_) => source.metrics.late(durable),
            }
        });
        match tokio::time::timeout_at(deadline, told).await {
            Ok(Ok(result)) => result,
            // The task ended without a word: it panicked.
            Ok(Err(_)) => Err(Refusal::Internal),
            Err(_) => Err(Refusal::Deadline),
        }
    }

    /// Carries the events of a delivery; stops at the first that is refused, since the sender sends all again.
    async fn carry_all(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
    ) -> (Vec<Receipt>, Option<Refusal>) {
        let start = Instant::now();
        let events = source.normalizer.normalize(delivery);
        source.metrics.staged(Stage::Normalize, start);
        let mut receipts = Vec::with_capacity(events.len());
        // One after the other: events of one object in one request keep their order.
        for event in events {
            match self.carry(source, delivery, event).await {
                Ok(receipt) => receipts.push(receipt),
                Err(refusal) => return (receipts, Some(refusal)),
            }
        }
        (receipts, None)
    }

    /// Carries one event through dedup, route and publish.
    async fn carry(&self, source: &Source, delivery: &Delivery<Verified>, event: Event) -> Result<Receipt, Refusal> {
        self.in_flight.inc();
        let _counted = InFlight(&self.in_flight);
        let start = Instant::now();
        let reservation = match source.claim(&event) {
            Some(Claim::Fresh(reservation)) => Some(reservation),
            Some(Claim::Duplicate(_)) => return Ok(source.suppress(event.id)),
            Some(Claim::InFlight(first)) => {
                return first.outcome().await.map(|_| source.suppress(event.id)).ok_or(Refusal::InFlight);
            }
            None => None,
        };
        source.metrics.observed(&event);
        let (event, plan) = self.plan(source, delivery, event);
        let start = source.metrics.staged(Stage::Route, start);
        let result = self.settle(source, delivery, event, plan, reservation).await;
        source.metrics.staged(Stage::Publish, start);
        result
    }

    /// Chooses where an event goes; what has no place goes to the quarantine with the reason.
    fn plan(&self, source: &Source, delivery: &Delivery<Verified>, event: Event) -> (Event, Plan) {
        if event.quarantine.is_some() {
            return self.to_quarantine(event);
        }
        match self.routes.plan(&event) {
            Ok(plan) => (event, plan),
            Err(unplanned) => {
                self.to_quarantine(source.quarantined(delivery, event, unplanned.reason, unplanned.detail))
            }
        }
    }

    fn to_quarantine(&self, mut event: Event) -> (Event, Plan) {
        // A quarantine's name may be a template too; where it can't be filled, the event loses its key and object.
        let target = self.quarantine.target(&event).or_else(|_| {
            (event.key, event.subject) = (None, None);
            self.quarantine.target(&event)
        });
        (event, Plan::Publish(target.into_iter().collect()))
    }

    /// Publishes an event by its plan and remembers the outcome.
    async fn settle(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
        event: Event,
        plan: Plan,
        reservation: Option<Reservation>,
    ) -> Result<Receipt, Refusal> {
        let acked = reservation.as_ref().map_or(&[][..], |reservation| reservation.acked());
        let outcome = match &plan {
            Plan::Drop => None,
            Plan::Publish(targets) => Some(self.publish(source, delivery, &event, targets, acked).await),
        };
        let disposition = match (outcome, &event.quarantine) {
            (None, _) => Disposition::Filtered,
            (Some(Ok(rescued)), quarantine) => match rescued.or(quarantine.as_ref().map(|q| q.reason)) {
                Some(reason) => Disposition::Quarantined(reason),
                None => Disposition::Published,
            },
            (Some(Err(unsettled)), _) => {
                if let Some(reservation) = reservation {
                    reservation.release(unsettled.acked);
                }
                return Err(unsettled.refusal);
            }
        };
        let receipt = Receipt { id: event.id, disposition };
        source.metrics.settled(disposition);
        if let Some(reservation) = reservation {
            reservation.commit(&receipt);
        }
        Ok(receipt)
    }

    /// Publishes to all targets; a record that its destination can never take goes to the quarantine instead,
    /// and then the reason is returned.
    async fn publish(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
        event: &Event,
        targets: &[Target],
        acked: &[SinkIndex],
    ) -> Result<Option<Reason>, Unsettled> {
        let Outcome { mut acked, failed } = self.sinks.publish(event, targets, acked, &source.metrics).await;
        let (hopeless, failed): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|(_, error)| matches!(error, PublishError::TooLarge(_)));
        if let Some((sink, error)) = failed.into_iter().next() {
            return Err(Unsettled { acked, refusal: self.unpublished(sink, error) });
        }
        let Some((sink, error)) = hopeless.into_iter().next() else { return Ok(None) };
        if event.quarantine.is_some() {
            return Err(Unsettled { acked, refusal: self.unpublished(sink, error) });
        }
        let event = source.quarantined(delivery, event.clone(), Reason::TooLarge, error.to_string());
        let (event, plan) = self.to_quarantine(event);
        let Plan::Publish(targets) = plan else { return Ok(None) };
        let rescue = self.sinks.publish(&event, &targets, &[], &source.metrics).await;
        match rescue.failed.into_iter().next() {
            None => Ok(Some(Reason::TooLarge)),
            Some((sink, error)) => {
                acked.retain(|held| *held != sink);
                Err(Unsettled { acked, refusal: self.unpublished(sink, error) })
            }
        }
    }

    fn unpublished(&self, sink: SinkIndex, error: PublishError) -> Refusal {
        let sink = self.sinks.get(sink).map_or_else(String::new, |sink| sink.name.clone());
        Refusal::Unpublished { sink, error }
    }
}

/// Why an event has no receipt, and which sinks hold it all the same.
struct Unsettled {
    acked: Vec<SinkIndex>,
    refusal: Refusal,
}

impl Source {
    /// Claims the event's id, where the sender's ids tell repeats from new events.
    fn claim(&self, event: &Event) -> Option<Claim> {
        // Two sources have windows of their own, and one source's accounts share one: the account is part of it.
        let window = self.window.as_ref().filter(|_| event.id_is_stable)?;
        Some(window.claim(&event.source, &event.id))
    }

    fn suppress(&self, id: String) -> Receipt {
        self.metrics.repeated();
        self.metrics.settled(Disposition::Suppressed);
        Receipt { id, disposition: Disposition::Suppressed }
    }

    fn quarantined(&self, delivery: &Delivery<Verified>, mut event: Event, reason: Reason, detail: String) -> Event {
        let headers = self.normalizer.kept_headers(&delivery.request().headers);
        event.quarantine = Some(Box::new(Quarantine { reason, detail, headers }));
        event
    }
}

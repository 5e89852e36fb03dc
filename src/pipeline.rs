//! The path, composed: receive → verify → normalize → dedup → route → publish.
//!
//! [`Pipeline::accept`] is what `receive` calls. Once a delivery is verified, the work belongs to the server and
//! not to the connection: a sender that hangs up cancels nothing, and an outcome that comes after the deadline is
//! remembered all the same, so that the sender's retry adds no second record.

mod batch;
mod handshake;
mod shielded;
mod source;
mod work;

pub use handshake::Handshakes;
pub use source::Source;

use crate::{
    dedup::{Claim, Reservation},
    delivery::{Delivery, Quota, Unverified, Verified},
    event::{Event, Reason},
    observe::metrics::{Metrics, Stage},
    publish::{self, PublishError, Sinks},
    record::{Disposition, Plan, Receipt, SinkIndex, Target},
    refusal::Refusal,
    respond::{Reply, Step},
    route::{RouteTarget, Routes},
};
use prometheus::IntGauge;
use shielded::Shielded;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use work::{Outcome, Work};

/// The stages behind verification, shared by all sources.
#[derive(Debug)]
pub struct Pipeline {
    routes: Routes,
    quarantine: RouteTarget,
    sinks: Sinks,
    tasks: TaskTracker,
    in_flight: IntGauge,
    /// Bounds the events of lists: a small body may hold thousands, and each takes many times its room in it.
    listed: Arc<Quota>,
}

/// What a sender hears that is not refused.
#[derive(Debug)]
pub enum Answer {
    /// Each of its events has a receipt.
    Accepted(Vec<Receipt>),
    /// It shook hands, and nothing is published.
    Handshake {
        /// The handshake's name.
        name: String,
        /// What it hears.
        reply: Reply,
    },
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
    pub fn new(
        routes: Routes,
        quarantine: RouteTarget,
        sinks: Sinks,
        tasks: TaskTracker,
        metrics: &Metrics,
    ) -> Self {
        let (in_flight, listed) = (metrics.events_in_flight.clone(), Quota::new(batch::MOST_LISTED));
        Self { routes, quarantine, sinks, tasks, in_flight, listed }
    }

    /// The sinks that events are published to.
    pub fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    /// Takes a delivery along the path and returns the receipt of each of its events, or why there is none. A
    /// handshake is answered on the way, before verification or behind it, as the sender's document says.
    ///
    /// `begun` is when the delivery was whole. Waits until `deadline`; the work goes on behind it.
    pub async fn accept(
        self: &Arc<Self>,
        source: &Arc<Source>,
        delivery: Delivery<Unverified>,
        begun: Instant,
        deadline: Instant,
    ) -> Result<Answer, Refusal> {
        if let Some(answer) = source.shake(delivery.request(), Step::Unverified, deadline).await? {
            return Ok(answer);
        }
        let delivery = delivery.verify_fetching(&source.verifier, deadline).await;
        let delivery = delivery.map_err(|unproven| source.unproven(*unproven))?;
        source.metrics.proven(delivery.proof().key, delivery.request().received);
        if let Some(answer) = source.shake(delivery.request(), Step::Verified, deadline).await? {
            return Ok(answer);
        }
        let begun = source.metrics.staged(Stage::Verify, begun);

        let work = Work { pipeline: Arc::clone(self), source: Arc::clone(source), delivery, begun };
        let work = Shielded::new(work.run(), Outcome::unheard, self.tasks.clone());
        let outcome = tokio::time::timeout_at(deadline, work).await.map_err(|_| Refusal::Deadline)?;
        outcome.ok_or(Refusal::Internal)?.heard().map(Answer::Accepted)
    }

    /// Carries one event through dedup, route and publish.
    async fn carry(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
        event: Event,
        begun: Instant,
    ) -> Result<Receipt, Refusal> {
        self.in_flight.inc();
        let _counted = InFlight(&self.in_flight);
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
        let begun = source.metrics.staged(Stage::Route, begun);
        let result = self.settle(source, delivery, event, plan, reservation).await;
        source.metrics.staged(Stage::Publish, begun);
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
        let publish::Outcome { mut acked, failed } =
            self.sinks.publish(event, targets, acked, &source.metrics).await;
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

//! The path, composed: receive → verify → normalize → dedup → route → publish.
//!
//! [`Pipeline::accept`] is what `receive` calls. Once a delivery is verified, the work belongs to the server and
//! not to the connection: a sender that hangs up cancels nothing, and an outcome that comes after the deadline is
//! remembered all the same, so that the sender's retry adds no second record.

mod batch;
mod fit;
mod handshake;
mod rescue;
mod shielded;
mod source;
mod unwanted;
mod work;

pub use batch::{MOST_LISTED, MOST_LISTED_OF_ONE};
pub use source::{Handshakes, Source};

use crate::{
    deadline::Deadline,
    dedup::{Claim, Reservation},
    delivery::{Delivery, Quota, Unverified, Verified},
    event::Event,
    journal::Aside,
    observe::metrics::{Counted, Metrics, Stage, Stopwatch},
    publish::Sinks,
    record::{Held, Plan, PublishError, Receipt, Settled, SinkId, Target},
    refusal::Refusal,
    respond::{Reply, Step},
    route::{RouteTarget, Routes},
};
use prometheus::IntGauge;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use work::Work;

/// The stages behind verification, shared by all sources.
#[derive(Debug)]
pub struct Pipeline {
    routes: Routes,
    quarantine: RouteTarget,
    sinks: Sinks,
    /// Where an event goes that is too large for the quarantine.
    aside: Aside,
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

impl Pipeline {
    /// Joins the parts that `app` has built.
    pub fn new(
        routes: Routes,
        quarantine: RouteTarget,
        sinks: Sinks,
        aside: Aside,
        tasks: TaskTracker,
        metrics: &Metrics,
    ) -> Self {
        let (in_flight, listed) = (metrics.events_in_flight.clone(), Quota::new(MOST_LISTED));
        Self { routes, quarantine, sinks, aside, tasks, in_flight, listed }
    }

    /// The sinks that events are published to.
    pub fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    /// Takes a delivery along the path and returns the receipt of each of its events, or why there is none. A
    /// handshake is answered on the way, before verification or behind it, as the sender's document says.
    ///
    /// `watch` was last read when the delivery was whole. Waits until the deadline; the work goes on behind it.
    pub async fn accept(
        self: &Arc<Self>,
        source: &Arc<Source>,
        delivery: Delivery<Unverified>,
        mut watch: Stopwatch,
        deadline: &mut Deadline<'_>,
    ) -> Result<Answer, Refusal> {
        if let Some(answer) = source.shake(delivery.request(), Step::Unverified, deadline.at).await? {
            return Ok(answer);
        }
        let delivery = source.verify(delivery, deadline.at).await?;
        source.metrics.proven(delivery.proof().key, delivery.request().received);
        // Only now: strangers must not be able to take a source's places. Held until the answer: what outlives it counts
        // against its sink, and not against the source.
        let _place = source.in_flight.take(1).ok_or(Refusal::Overloaded("requests of this source"))?;
        if let Some(answer) = source.shake(delivery.request(), Step::Verified, deadline.at).await? {
            return Ok(answer);
        }
        watch.lap(&source.metrics, Stage::Verify);

        let (pipeline, source) = (Arc::clone(self), Arc::clone(source));
        let work = Work { pipeline, source, delivery, until: deadline.at, watch };
        let outcome =
            deadline.wait(deadline.at, work.shielded(&self.tasks)).await.ok_or(Refusal::Deadline)?;
        outcome.ok_or(Refusal::Internal)?.heard().map(Answer::Accepted)
    }

    /// Carries one event through dedup, route and publish; its receipt takes its id. A copy of one that is on its way
    /// waits for that until `until`.
    async fn carry(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
        event: &mut Event,
        watch: &mut Stopwatch,
        until: Instant,
    ) -> Result<Receipt, Refusal> {
        let _counted = Counted::new(&self.in_flight);
        let reservation = match source.claim(event) {
            Some(Claim::Fresh(reservation)) => Some(reservation),
            Some(Claim::Duplicate(repeat)) => return Ok(source.settle(event, repeat.into())),
            Some(Claim::InFlight(first)) => return source.join(first, event, until).await,
            None => None,
        };
        source.metrics.observed(event);
        let plan = self.plan(source, delivery, event)?;
        watch.lap(&source.metrics, Stage::Route);
        let held = reservation.as_ref().map(Reservation::held);
        let settled = self.settle(source, delivery, event, &plan, (held, until)).await;
        watch.lap(&source.metrics, Stage::Publish);
        match settled {
            Ok(settled) => {
                let receipt = source.settle(event, settled);
                if let Some(reservation) = reservation {
                    reservation.commit(&receipt);
                }
                Ok(receipt)
            }
            Err(unsettled) => {
                if let Some(reservation) = reservation {
                    reservation.release(unsettled.held);
                }
                Err(unsettled.refusal)
            }
        }
    }

    /// Chooses where an event goes; what has no place goes to the quarantine with the reason.
    fn plan(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
        event: &mut Event,
    ) -> Result<Plan, Refusal> {
        let plan = self.routes.plan_or_quarantine(event, &self.quarantine, |event, why| {
            source.quarantine(delivery, event, why.reason, why.detail);
        });
        plan.map_err(|why| unpublished(&self.quarantine.sink, PublishError::Misconfigured(why)))
    }

    /// Returns the event's place in the quarantine; without one it is not acknowledged.
    fn quarantine_target(&self, event: &Event) -> Result<Target, Refusal> {
        let target = self.quarantine.quarantine_target(event);
        target.map_err(|why| unpublished(&self.quarantine.sink, PublishError::Misconfigured(why)))
    }

    /// Publishes an event by its plan, but to the targets that hold it already.
    async fn settle(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
        event: &Event,
        plan: &Plan,
        (held, until): (Option<&Held>, Instant),
    ) -> Result<Settled, Unsettled> {
        let targets = match plan.targets() {
            Ok(targets) => targets,
            Err(dropped) => return Ok(dropped),
        };
        let none = Held::default();
        let request = || source.normalizer.keep(delivery.request());
        let way = source.way(until, &request);
        let outcome =
            self.sinks.publish(event, targets, held.unwrap_or(&none), Some(&source.metrics), way).await;
        if let Some(settled) = outcome.settled(event, targets) {
            return Ok(settled);
        }
        // What follows is rare, and so not worth room in the future of every request.
        if let ([target], Some(_)) = (targets, &event.quarantine) {
            return Box::pin(self.fit((Some(&source.metrics), way), event, target, outcome)).await;
        }
        Box::pin(self.rescue((source, way), delivery, event, outcome)).await
    }
}

fn unpublished(sink: &SinkId, error: PublishError) -> Refusal {
    Refusal::Unpublished { sink: sink.as_str().to_owned(), error }
}

/// Why an event has no receipt, and which targets hold it all the same.
struct Unsettled {
    held: Held,
    refusal: Refusal,
}

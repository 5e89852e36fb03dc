//! What becomes of an event that a destination does not hold: hopeless ones go to the quarantine, all others may go
//! well the next time.

use super::{Pipeline, Source, Unsettled, unpublished};
use crate::{
    delivery::{Delivery, Verified},
    event::Event,
    publish::{Outcome, Way},
    record::Settled,
    refusal::Refusal,
};

impl Pipeline {
    /// Publishes to the quarantine what its destination can never take; all else that failed may go well the next
    /// time.
    pub(super) async fn rescue(
        &self,
        (source, way): (&Source, Way<'_>),
        delivery: &Delivery<Verified>,
        event: &Event,
        outcome: Outcome,
    ) -> Result<Settled, Unsettled> {
        let Outcome { held, failed } = outcome;
        // What may go well decides: the sender's retry meets the hopeless one again.
        let decisive = failed.iter().position(|(_, error)| !error.is_hopeless()).unwrap_or(0);
        let Some((target, error)) = failed.into_iter().nth(decisive) else {
            return Err(Unsettled { held, refusal: Refusal::Internal });
        };
        let Some(reason) = error.quarantined_as().filter(|_| event.quarantine.is_none()) else {
            return Err(Unsettled { held, refusal: unpublished(&target.sink, error) });
        };
        let mut event = event.clone();
        source.quarantine(delivery, &mut event, reason, error.to_string());
        let target = match self.quarantine_target(&event) {
            Ok(target) => target,
            Err(refusal) => return Err(Unsettled { held, refusal }),
        };
        let by = (Some(&source.metrics), way);
        let rescue = self.publish_one(by, &event, &target).await;
        let fitted = self.fit(by, &event, &target, rescue).await;
        fitted.map_err(|Unsettled { refusal, .. }| Unsettled { held, refusal })
    }
}

//! What becomes of an event that a destination does not hold: hopeless ones go to the quarantine, all others may go
//! well the next time.

use super::{Pipeline, Source, Unsettled};
use crate::{
    delivery::{Delivery, Verified},
    event::Event,
    publish::Outcome,
    record::Disposition,
};

impl Pipeline {
    /// Publishes to the quarantine what its destination can never take; all else that failed may go well the next
    /// time.
    pub(super) async fn rescue(
        &self,
        source: &Source,
        delivery: &Delivery<Verified>,
        event: &Event,
        outcome: Outcome,
    ) -> Result<Disposition, Unsettled> {
        let Outcome { mut acked, failed, .. } = outcome;
        // What may go well decides: the sender's retry meets the hopeless one again.
        let decisive = failed.iter().position(|(_, error)| !error.is_hopeless()).unwrap_or(0);
        let Some((sink, error)) = failed.into_iter().nth(decisive) else { return Ok(Disposition::Published) };
        let Some(reason) = error.quarantined_as().filter(|_| event.quarantine.is_none()) else {
            return Err(Unsettled { acked, refusal: self.unpublished(sink, error) });
        };
        let mut event = event.clone();
        source.quarantine(delivery, &mut event, reason, error.to_string());
        let target = match self.quarantine_target(&event) {
            Ok(target) => target,
            Err(refusal) => return Err(Unsettled { acked, refusal }),
        };
        let rescue = self.sinks.publish(&event, std::slice::from_ref(&target), &[], &source.metrics).await;
        match self.fit(source, &event, &target, rescue).await {
            Ok(()) => Ok(Disposition::Quarantined(reason)),
            Err(Unsettled { refusal, .. }) => {
                acked.retain(|held| *held != target.sink);
                Err(Unsettled { acked, refusal })
            }
        }
    }
}

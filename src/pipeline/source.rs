//! One configured sender, as the path needs it.

use super::Handshakes;
use crate::{
    dedup::{Claim, Window},
    delivery::{Delivery, Quota, Unproven, Verified},
    event::{Event, Quarantine, Reason},
    explain::Explainer,
    normalize::Normalizer,
    observe::metrics::SourceMetrics,
    record::{Disposition, Receipt},
    refusal::Refusal,
    verify::Verifier,
};
use std::{sync::Arc, time::Duration};

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
    /// Status of an accepted request.
    pub success: u16,
    /// Body of an accepted request.
    pub success_body: bytes::Bytes,
    /// Its counters.
    pub metrics: SourceMetrics,
}

impl Source {
    /// Returns the refusal of a delivery whose origin was not proven, with its cause where that is cheap to find.
    pub(super) fn unproven(&self, unproven: Unproven) -> Refusal {
        let mut refusal = Refusal::from(unproven.error);
        if let Refusal::Unverified(error, cause) = &mut refusal {
            *cause = self.explainer.cause(unproven.delivery.request(), error).map(Box::new);
        }
        refusal
    }

    /// Claims the event's id, where the sender's ids tell repeats from new events.
    pub(super) fn claim(&self, event: &Event) -> Option<Claim<'_>> {
        // Two sources have windows of their own, and one source's accounts share one: the account is part of it.
        let window = self.window.as_ref().filter(|_| event.id_is_stable)?;
        Some(window.claim(&event.source, &event.id))
    }

    pub(super) fn suppress(&self, id: String) -> Receipt {
        self.metrics.repeated();
        self.metrics.settled(Disposition::Suppressed);
        Receipt { id, disposition: Disposition::Suppressed }
    }

    /// Marks an event for the quarantine.
    pub(super) fn quarantine(
        &self,
        delivery: &Delivery<Verified>,
        event: &mut Event,
        reason: Reason,
        detail: String,
    ) {
        let headers = Arc::new(self.normalizer.kept_headers(&delivery.request().headers));
        event.quarantine = Some(Box::new(Quarantine { reason, detail, headers }));
    }
}

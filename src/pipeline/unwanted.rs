//! What becomes of an event that waited on disk, and that its destination never takes: it goes to the quarantine, with the
//! request that it came with, as it would have at once.

use super::{Pipeline, Source};
use crate::{
    event::{
        Event, Quarantine, Reason,
        envelope::read::{Attributes, Envelope},
    },
    publish::{Outcome, Rescue, Unwanted, Way},
    record::{Held, PublishError},
    refusal::Refusal,
};
use std::sync::Arc;

impl Pipeline {
    /// Returns what the drains do with such a record. `sources` count what becomes of it.
    pub fn rescue_of_drains(self: &Arc<Self>, sources: Vec<Arc<Source>>) -> Rescue {
        let (pipeline, sources) = (Arc::downgrade(self), Arc::new(sources));
        Arc::new(move |unwanted| {
            let (pipeline, sources) = (pipeline.upgrade(), Arc::clone(&sources));
            Box::pin(async move {
                let over = || PublishError::Unprepared("the process ends".to_owned());
                pipeline.ok_or_else(over)?.quarantine_unwanted(unwanted, &sources).await
            })
        })
    }

    async fn quarantine_unwanted(
        &self,
        unwanted: Unwanted,
        sources: &[Arc<Source>],
    ) -> Result<(), PublishError> {
        let (event, error, was_quarantined) = read(unwanted).map_err(PublishError::Misconfigured)?;
        let source = sources.iter().find(|source| source.name == event.source_name);
        let by = (source.map(|source| &source.metrics), Way::Past);
        let target = self.quarantine_target(&event).map_err(error_of)?;
        let outcome = if was_quarantined {
            Outcome { held: Held::default(), failed: vec![(target.clone(), error)] }
        } else {
            self.publish_one(by, &event, &target).await
        };
        let fitted = self.fit(by, &event, &target, outcome).await;
        fitted.map(drop).map_err(|unsettled| error_of(unsettled.refusal))
    }
}

/// Reads the event of a record, and why it is quarantined: for what its destination says, or for what was said before.
fn read(unwanted: Unwanted) -> Result<(Event, PublishError, bool), String> {
    let Unwanted { record, request, binding, error } = unwanted;
    let envelope = Envelope { headers: &record.headers, value: &record.value, binding };
    let attributes: Attributes = envelope.attributes();
    let (data, is_json) = envelope.data().ok_or("it is no envelope")?;
    let mut event = attributes.event(data, is_json)?;
    let before = attributes.reason()?;
    let now = error.quarantined_as().unwrap_or(Reason::Rejected);
    let detail = attributes.get("hookwaydetail").map_or_else(|| error.to_string(), ToOwned::to_owned);
    let quarantine = Quarantine::new(before.unwrap_or(now), detail, Arc::new(request));
    event.quarantine = Some(Box::new(quarantine));
    Ok((event, error, before.is_some()))
}

fn error_of(refusal: Refusal) -> PublishError {
    if let Refusal::Unpublished { error, .. } = refusal {
        return error;
    }
    PublishError::Unavailable(refusal.to_string())
}

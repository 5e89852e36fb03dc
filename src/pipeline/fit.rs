//! An authentic event always finds its place: one that is too large for the quarantine goes there without its large
//! headers, and if that is not enough without its data, which then stand in a file, whole and durable.

use super::{Pipeline, Source, Unsettled, unpublished};
use crate::{
    event::{Cut, Event},
    journal::Placed,
    publish::Outcome,
    record::{Held, PublishError, Settled, Target},
    refusal::Refusal,
};
use serde_json::json;
use std::sync::Arc;

/// Bytes that are left of the headers, and of the target.
const ROOM: usize = 1024;

impl Pipeline {
    /// Publishes a quarantined event again, smaller and smaller, where it was too large for its target. `outcome` is
    /// what came of it whole.
    pub(super) async fn fit(
        &self,
        source: &Source,
        event: &Event,
        target: &Target,
        outcome: Outcome,
    ) -> Result<Settled, Unsettled> {
        let mut smaller = event.clone();
        let Some(error) = too_large(&outcome) else {
            if event.key.is_none() && outcome.failed.iter().any(|(_, error)| is_rejected(error)) {
                // A compacted topic takes nothing without a key, and every event has an id.
                smaller.key = Some(event.id.clone());
                return judge(&smaller, target, self.publish_one(source, &smaller, target).await);
            }
            return judge(event, target, outcome);
        };
        tracing::warn!(source = %source.name, id = event.id, %error, "an event is too large for the quarantine as it is");
        cut_request(&mut smaller);
        let outcome = self.publish_one(source, &smaller, target).await;
        if too_large(&outcome).is_none() {
            return judge(&smaller, target, outcome);
        }
        match self.put_aside(event).await {
            Ok((placed, bytes)) => {
                let file = placed.file.display().to_string();
                tracing::warn!(source = %source.name, id = event.id, file, bytes, "it stands whole in a file, which its place in the quarantine names");
                name_file(&mut smaller, &placed, &file, bytes);
                judge(&smaller, target, self.publish_one(source, &smaller, target).await)
            }
            Err(error) => Err(Unsettled { held: outcome.held, refusal: unpublished(&target.sink, error) }),
        }
    }

    async fn publish_one(&self, source: &Source, event: &Event, target: &Target) -> Outcome {
        self.sinks.publish(event, std::slice::from_ref(target), &Held::default(), &source.metrics).await
    }

    /// Stores the whole event in a file and returns its place and size.
    async fn put_aside(&self, event: &Event) -> Result<(Placed, usize), PublishError> {
        let (document, aside) = (self.sinks.document(event), self.aside.clone());
        let bytes = document.len();
        let stored = tokio::task::spawn_blocking(move || aside.store(&document)).await;
        let placed = stored.map_err(|error| error.to_string()).and_then(|it| it.map_err(|it| it.to_string()));
        placed.map(|placed| (placed, bytes)).map_err(PublishError::Disk)
    }
}

fn judge(event: &Event, target: &Target, outcome: Outcome) -> Result<Settled, Unsettled> {
    let settled = outcome.settled(event, std::slice::from_ref(target));
    let failed = outcome.failed.into_iter().next();
    let refusal = failed.map_or(Refusal::Internal, |(target, error)| unpublished(&target.sink, error));
    settled.ok_or(Unsettled { held: outcome.held, refusal })
}

fn too_large(outcome: &Outcome) -> Option<&PublishError> {
    outcome.failed.iter().map(|(_, error)| error).find(|error| matches!(error, PublishError::TooLarge(_)))
}

fn is_rejected(error: &PublishError) -> bool {
    matches!(error, PublishError::Rejected(_))
}

fn cut_request(event: &mut Event) {
    if let Some(quarantine) = &mut event.quarantine {
        quarantine.request = Arc::new(quarantine.request.cut(ROOM));
        quarantine.cut = Cut::Request;
    }
}

/// Puts the file's name in the place of the data and all else whose size the sender chose.
fn name_file(event: &mut Event, placed: &Placed, file: &str, bytes: usize) {
    if let Some(quarantine) = &mut event.quarantine {
        quarantine.cut = Cut::Data;
    }
    let data = json!({ "file": file, "bytes": bytes, "sha256": placed.sha256 });
    event.data = data.to_string().into();
    event.data_is_json = true;
    event.content_type = Some("application/json".to_owned());
    event.carried = None;
}

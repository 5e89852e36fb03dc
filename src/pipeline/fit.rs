//! An authentic event always finds its place: one that is too large for the quarantine goes there without its large
//! headers. If that is not enough, or the quarantine refuses it for good for another reason, it stands in a file, whole
//! and durable, which the quarantine names where it takes at least that.

use super::{Pipeline, Unsettled, unpublished};
use crate::{
    clock,
    event::{Cut, Event, Identity},
    journal::{JournalError, Placed},
    observe::{metrics::SourceMetrics, told::Told},
    publish::{Outcome, Way},
    record::{Ack, Held, PublishError, Settled, Target},
    refusal::Refusal,
    request::Kept,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Bytes that are left of the headers, and of the target.
const ROOM: usize = 1024;

impl Pipeline {
    /// Publishes a quarantined event again, where its target refuses it for good: each thing that may help is tried once,
    /// and what helps in the end is a file. `outcome` is what came of it whole.
    pub(super) async fn fit(
        &self,
        by: (Option<&SourceMetrics>, Way<'_>),
        event: &Event,
        target: &Target,
        mut outcome: Outcome,
    ) -> Result<Settled, Unsettled> {
        let (mut smaller, mut placed) = (event.clone(), None);
        while let Some((_, error)) = outcome.failed.iter().find(|(_, error)| error.is_hopeless()) {
            let failed =
                |error| Unsettled { held: outcome.held.clone(), refusal: unpublished(&target.sink, error) };
            match (error, &placed) {
                // A compacted topic takes nothing without a key, and every event has an id.
                (PublishError::Rejected(_), _) if smaller.key.is_none() => {
                    smaller.key = Some(event.id.clone());
                }
                (PublishError::TooLarge(_), None) if !is_cut(&smaller) => {
                    tracing::warn!(source = %event.source_name, id = event.id, %error, "an event is too large for the quarantine as it is");
                    cut_request(&mut smaller);
                }
                (_, None) => {
                    let there = self.put_aside(event, &file_name(event)).await.map_err(failed)?;
                    name_file(&mut smaller, &there);
                    placed = Some(there);
                }
                // Nothing names this event but its file: one that was there before is another's.
                (_, Some(there)) => {
                    let own = self.own_file(event, there).await.map_err(failed)?;
                    return judge(&smaller, target, in_file(by.0, event, target, &own));
                }
            }
            outcome = self.publish_one(by, &smaller, target).await;
        }
        judge(&smaller, target, outcome)
    }

    pub(super) async fn publish_one(
        &self,
        (metrics, way): (Option<&SourceMetrics>, Way<'_>),
        event: &Event,
        target: &Target,
    ) -> Outcome {
        self.sinks.publish(event, std::slice::from_ref(target), &Held::default(), metrics, way).await
    }

    /// Stores the whole event in a file and returns its place.
    async fn put_aside(&self, event: &Event, name: &str) -> Result<Placed, PublishError> {
        let placed = self.aside.store(name, self.sinks.document(event)).await.map_err(|error| {
            let is_busy = matches!(error, JournalError::QueueFull { .. });
            if is_busy { PublishError::Saturated } else { PublishError::Disk(error.to_string()) }
        })?;
        let (file, bytes) = (placed.file.display(), placed.bytes);
        tracing::warn!(source = %event.source_name, id = event.id, %file, bytes, "the quarantine does not take an event: it stands whole in a file");
        Ok(placed)
    }

    /// Returns the file that is this event's alone: the one that it was the first to need, or else one that has its id in
    /// its name; where its id tells no repeat, a new one each time.
    async fn own_file(&self, event: &Event, there: &Placed) -> Result<Placed, PublishError> {
        if there.is_new {
            return Ok(there.clone());
        }
        let id = match event.identity {
            Identity::Fresh => clock::uuid().simple().to_string(),
            Identity::Digest | Identity::Bytes | Identity::BytesInId | Identity::Id => {
                hex::encode(Sha256::digest(&event.id))
            }
        };
        self.put_aside(event, &format!("{}-{id}", file_name(event))).await
    }
}

/// Returns what names an event's file: the digest of all that the sender sent, and of nothing that is another at each
/// attempt (the time of receipt, an id that was minted), so that retries fill no disk: a record names each of them.
fn file_name(event: &Event) -> String {
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    };
    add(event.source_name.as_bytes());
    event.content().into_iter().for_each(&mut add);
    if let Some(Kept { method, target, headers }) = event.quarantine.as_ref().map(|it| &*it.request) {
        add(method.as_str().as_bytes());
        add(target.as_bytes());
        for (name, value) in headers {
            add(name.as_str().as_bytes());
            add(value.as_bytes());
        }
    }
    hex::encode(digest.finalize())
}

fn judge(event: &Event, target: &Target, outcome: Outcome) -> Result<Settled, Unsettled> {
    let settled = outcome.settled(event, std::slice::from_ref(target));
    let failed = outcome.failed.into_iter().next();
    let refusal = failed.map_or(Refusal::Internal, |(target, error)| unpublished(&target.sink, error));
    settled.ok_or(Unsettled { held: outcome.held, refusal })
}

/// What came of an event for whose file not even a name stands in the quarantine: the file itself is its place.
fn in_file(metrics: Option<&SourceMetrics>, event: &Event, target: &Target, placed: &Placed) -> Outcome {
    let file = placed.file.display().to_string();
    if let Some(metrics) = metrics {
        metrics.tell(event, || Told::stored(event, "", &file, &Ack::File));
    }
    let mut held = Held::default();
    held.note(target, &Ack::File);
    Outcome { held, failed: Vec::new() }
}

fn is_cut(event: &Event) -> bool {
    event.quarantine.as_ref().is_none_or(|quarantine| quarantine.cut != Cut::Nothing)
}

fn cut_request(event: &mut Event) {
    if let Some(quarantine) = &mut event.quarantine {
        quarantine.request = Arc::new(quarantine.request.cut(ROOM));
        quarantine.cut = Cut::Request;
    }
}

/// Puts the file's name in the place of the data and all else whose size the sender chose.
fn name_file(event: &mut Event, placed: &Placed) {
    if let Some(quarantine) = &mut event.quarantine {
        quarantine.cut = Cut::Data;
    }
    let Placed { file, bytes, sha256, .. } = placed;
    let data = json!({ "file": file.display().to_string(), "bytes": bytes, "sha256": sha256 });
    event.data = data.to_string().into();
    event.data_is_json = true;
    event.content_type = Some("application/json".to_owned());
    event.carried = None;
}

//! Where an accepted request's events would go: the envelope, the destinations of the configured routes, the key and
//! its partition, the id that a repeat is known by.

use super::subject::Subject;
use crate::{
    app::routes,
    cli::exit::{Exit, Stop},
    config::{Loaded, SourceSettings},
    delivery::{Delivery, Quota},
    event::{
        Event, Identity,
        envelope::{self, Origin},
    },
    explain,
    normalize::Normalizer,
    record::{Plan, Target},
    request::Request,
    verify::Verifier,
};
use serde::Serialize;
use serde_json::value::RawValue;

/// One event of an accepted request.
#[derive(Debug, Serialize)]
pub(super) struct Followed {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) subject: Option<String>,
    pub(super) key: Option<String>,
    /// Where Kafka's producers put the key among `--partitions`.
    pub(super) partition: Option<u32>,
    /// What a repeat is known by; `null` where nothing tells one.
    pub(super) dedup_id: Option<String>,
    /// How long it is known, in seconds.
    pub(super) dedup_window_s: u64,
    /// Why it would go to the quarantine.
    pub(super) quarantine: Option<Quarantined>,
    /// Where it would go; empty without a configuration, or where a route drops it.
    pub(super) destinations: Vec<Destination>,
    /// What consumers would receive.
    pub(super) envelope: Option<Box<RawValue>>,
}

/// Why an event would be quarantined.
#[derive(Debug, Serialize)]
pub(super) struct Quarantined {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// One place where an event would go.
#[derive(Debug, Serialize)]
pub(super) struct Destination {
    pub(super) sink: String,
    /// The topic or subject; empty for a journal.
    pub(super) name: String,
}

/// Carries an accepted request through the stages that need nothing but itself.
pub(super) fn events(
    subject: &Subject,
    (verifier, normalizer): (&Verifier, &Normalizer),
    request: Request,
    partitions: u32,
) -> Result<Vec<Followed>, Stop> {
    let quota = Quota::new(2);
    let (Some(one), Some(other)) = (quota.take(1), quota.take(1)) else { return Ok(Vec::new()) };
    let delivery = Delivery::new(request, [one, other]).verify(verifier);
    let Ok(delivery) = delivery else { return Ok(Vec::new()) };
    let window = SourceSettings::from(&subject.spec).dedup_window;
    let events = normalizer.normalize(&delivery).into_iter().map(|event| {
        let dedup_id = (event.identity != Identity::Fresh && !window.is_zero()).then(|| event.id.clone());
        let (destinations, quarantine) = match &subject.loaded {
            Some(loaded) => destinations(loaded, &event)?,
            None => (Vec::new(), None),
        };
        let own = event.quarantine.as_ref();
        let own = own.map(|own| Quarantined { reason: own.reason.name(), detail: own.detail.clone() });
        let origin = Origin { replica: "explain", path: "direct" };
        let envelope = String::from_utf8(envelope::structured(&event, origin).to_vec());
        Ok(Followed {
            partition: event.key.as_deref().and_then(|key| explain::partition(key, partitions)),
            dedup_id,
            dedup_window_s: window.as_secs(),
            quarantine: own.or(quarantine),
            destinations,
            envelope: envelope.ok().and_then(|text| RawValue::from_string(text).ok()),
            id: event.id,
            kind: event.kind,
            subject: event.subject,
            key: event.key,
        })
    });
    events.collect()
}

/// Returns where the configured routes lead an event, and why that is the quarantine where it is.
fn destinations(loaded: &Loaded, event: &Event) -> Result<(Vec<Destination>, Option<Quarantined>), Stop> {
    let sinks: Vec<String> = loaded.config.sinks.keys().cloned().collect();
    let (routes, quarantine) = routes::build(loaded, &sinks).map_err(|problems| {
        Stop::new(Exit::Config, problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    let named = |target: Target| Destination {
        sink: target.sink.as_str().to_owned(),
        name: target.destination.to_string(),
    };
    let aside = || quarantine.target(event).map(named).into_iter().collect();
    if event.quarantine.is_some() {
        return Ok((aside(), None));
    }
    Ok(match routes.plan(event) {
        Ok(Plan::Publish(targets)) => (targets.into_iter().map(named).collect(), None),
        Ok(Plan::Drop) => (Vec::new(), None),
        Err(unplanned) => {
            let why = Quarantined { reason: unplanned.reason.name(), detail: unplanned.detail };
            (aside(), Some(why))
        }
    })
}

//! Where an accepted request's events would go: the envelope, the destinations of the configured routes, the key and
//! its partition, the id that a repeat is known by.

use super::subject::Subject;
use crate::{
    app::routes,
    cli::exit::Stop,
    config::{LoadError, Loaded, SourceSettings},
    dedup::{Claim, Window},
    delivery::{Delivery, Quota},
    event::{
        Event, Quarantine,
        envelope::{self, Origin},
    },
    explain,
    normalize::Normalizer,
    record::{Plan, Target},
    request::{Kept, Request},
    route::{RouteTarget, Routes},
    verify::Verifier,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;

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
    /// True where it is an event that stands before it in this request: it would be suppressed.
    pub(super) is_repeat: bool,
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
    let settings = SourceSettings::from(&subject.spec);
    let window = (!settings.dedup_window.is_zero() && settings.dedup_entries > 0)
        .then(|| Window::new(settings.dedup_window, settings.dedup_entries));
    let table = subject.loaded.as_ref().map(Table::of).transpose()?;
    let request = delivery.request();
    // Held until the end: what comes again in this request is the same event as for the server.
    let mut claims = Vec::new();
    let followed = normalizer.normalize(&delivery).into_iter().map(|mut event| {
        let claim = window.as_ref().and_then(|window| window.claim_event(&event));
        let dedup_id = claim.is_some().then(|| event.id.clone());
        let is_repeat = matches!(claim, Some(Claim::Duplicate(_) | Claim::InFlight(_)));
        event.id_conflicts = matches!(&claim, Some(Claim::Fresh(reservation)) if reservation.is_conflict());
        claims.extend(claim);
        let destinations = match &table {
            Some(table) if !is_repeat => table.destinations(&mut event, || normalizer.keep(request)),
            Some(_) | None => Vec::new(),
        };
        let quarantine = event.quarantine.as_ref();
        let origin = Origin { replica: "explain", path: "direct" };
        let envelope = String::from_utf8(envelope::structured(&event, origin).to_vec());
        Followed {
            partition: event.key.as_deref().and_then(|key| explain::partition(key, partitions)),
            dedup_id,
            dedup_window_s: settings.dedup_window.as_secs(),
            is_repeat,
            quarantine: quarantine
                .map(|why| Quarantined { reason: why.reason.name(), detail: why.detail.clone() }),
            destinations,
            envelope: envelope.ok().and_then(|text| RawValue::from_string(text).ok()),
            id: event.id,
            kind: event.kind,
            subject: event.subject,
            key: event.key,
        }
    });
    Ok(followed.collect())
}

/// The configured routes, and the quarantine behind them.
struct Table {
    routes: Routes,
    quarantine: RouteTarget,
}

impl Table {
    fn of(loaded: &Loaded) -> Result<Self, Stop> {
        let sinks: Vec<String> = loaded.config.sinks.keys().cloned().collect();
        let (routes, quarantine) =
            routes::build(loaded, &sinks).map_err(|problems| LoadError { problems })?;
        Ok(Self { routes, quarantine })
    }

    /// Returns where the server would send an event, and marks one that goes to the quarantine as it would.
    fn destinations(&self, event: &mut Event, keep: impl FnOnce() -> Kept) -> Vec<Destination> {
        let plan = self.routes.plan_or_quarantine(event, &self.quarantine, |event, why| {
            event.quarantine = Some(Box::new(Quarantine::new(why.reason, why.detail, Arc::new(keep()))));
        });
        let Ok(Plan::Publish(targets)) = plan else { return Vec::new() };
        let named = |target: Target| Destination {
            sink: target.sink.as_str().to_owned(),
            name: target.destination.to_string(),
        };
        targets.into_iter().map(named).collect()
    }
}

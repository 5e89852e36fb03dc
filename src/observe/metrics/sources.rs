//! The counters of one source, resolved once so that the path looks up no label.

use super::{
    Metrics,
    each::{EachCounter, EachHistogram},
    keys::Keys,
    stage::Stage,
};
use crate::{
    event::{Event, Reason},
    observe::{order::Order, told::Told},
    record::Disposition,
    refusal::Refusal,
};
use jiff::Timestamp;
use prometheus::{IntCounter, IntGauge};
use std::{collections::HashMap, sync::OnceLock, time::Duration};

/// Results of a check, beside the ones that a refusal names.
const RESULTS: [&str; 5] = ["ok", "missing", "malformed", "mismatch", "expired"];

/// Statuses that exist from the start.
const STATUSES: [u16; 11] = [200, 401, 404, 405, 408, 411, 413, 415, 400, 503, 202];

/// The counters of one source.
#[derive(Debug)]
pub struct SourceMetrics {
    name: String,
    metrics: Metrics,
    /// By status, the commonest first: a few numbers are compared sooner than one is hashed.
    statuses: Vec<(u16, EachCounter)>,
    duration: [EachHistogram; 3],
    body_bytes: EachHistogram,
    verified: Vec<(&'static str, EachCounter)>,
    accepted: EachCounter,
    accepted_spooled: EachCounter,
    rejected: HashMap<&'static str, IntCounter>,
    duplicate: IntCounter,
    late: IntCounter,
    published: EachCounter,
    quarantined: HashMap<Reason, IntCounter>,
    filtered: IntCounter,
    suppressed: IntCounter,
    spooled: EachCounter,
    out_of_order: IntCounter,
    keyless: IntCounter,
    conflicts: IntCounter,
    last_accepted: IntGauge,
    sinks: Vec<(EachCounter, EachHistogram)>,
    stages: [EachHistogram; 5],
    order: Order,
    secrets: IntGauge,
    secret_files_missing: IntGauge,
    keys: OnceLock<Keys>,
    dedup_entries: IntGauge,
}

impl SourceMetrics {
    /// Makes every series of a source; `sinks` are all sinks' names in their order.
    pub fn new(metrics: &Metrics, name: &str, scheme: &str, sinks: &[String]) -> Self {
        let m = metrics.clone();
        let status = |code: u16| (code, m.requests.each(&[name, &code.to_string()]));
        let verified = |result| (result, m.verifications.each(&[name, scheme, result]));
        let rejected = |code| (code, m.rejected.with_label_values(&[name, code]));
        let quarantined = |reason: Reason| (reason, m.quarantined.with_label_values(&[name, reason.name()]));
        let sink = |sink: &String| {
            let labels = [name, sink.as_str()];
            (m.delivered.each(&labels), m.event_latency.each(&labels))
        };
        Self {
            name: name.to_owned(),
            statuses: STATUSES.into_iter().map(status).collect(),
            duration: ["accepted", "rejected", "unavailable"]
                .map(|outcome| m.request_duration.each(&[name, outcome])),
            body_bytes: m.body_bytes.each(&[name]),
            verified: RESULTS.into_iter().map(verified).collect(),
            accepted: m.accepted.each(&[name, "broker"]),
            accepted_spooled: m.accepted.each(&[name, "spool"]),
            rejected: Refusal::CODES.into_iter().map(rejected).collect(),
            duplicate: m.duplicate.with_label_values(&[name]),
            late: m.late.with_label_values(&[name]),
            published: m.published.each(&[name]),
            quarantined: Reason::ALL.into_iter().map(quarantined).collect(),
            filtered: m.filtered.with_label_values(&[name]),
            suppressed: m.suppressed.with_label_values(&[name]),
            spooled: m.spooled.each(&[name]),
            out_of_order: m.out_of_order.with_label_values(&[name]),
            keyless: m.keyless.with_label_values(&[name]),
            conflicts: m.conflicts.with_label_values(&[name]),
            last_accepted: m.last_accepted.with_label_values(&[name]),
            sinks: sinks.iter().map(sink).collect(),
            stages: Stage::NAMES.map(|stage| m.stages.each(&[stage])),
            order: Order::default(),
            secrets: m.secrets.with_label_values(&[name]),
            secret_files_missing: m.secret_files_missing.with_label_values(&[name]),
            keys: OnceLock::new(),
            dedup_entries: m.dedup_entries.with_label_values(&[name]),
            metrics: m,
        }
    }

    /// Tells those who want to hear it what became of an event; nothing is made of it where nobody does. The log always wants
    /// to hear of the quarantine.
    pub fn tell(&self, event: &Event, told: impl FnOnce() -> Told) {
        if event.quarantine.is_some() || self.metrics.told.of_events() {
            self.metrics.told.event(&told());
        }
    }

    /// Notes a finished request.
    pub fn answered(&self, status: u16, took: Duration) {
        match self.statuses.iter().find(|(known, _)| *known == status) {
            Some((_, counter)) => counter.inc(),
            None => self.metrics.requests.each(&[&self.name, &status.to_string()]).inc(),
        }
        let [accepted, rejected, unavailable] = &self.duration;
        let duration = match status {
            200..=299 => accepted,
            500..=599 => unavailable,
            _ => rejected,
        };
        duration.observe(took.as_secs_f64());
    }

    /// Notes a refused request.
    pub fn refused(&self, refusal: &Refusal) {
        self.rejected.get(refusal.code()).into_iter().for_each(IntCounter::inc);
        if let Refusal::Unverified(error, _) = refusal {
            self.verified(error.reason());
        }
    }

    /// Makes the series of a handshake, so that it exists before the first.
    pub fn expect_handshake(&self, name: &str) {
        self.metrics.handshakes.with_label_values(&[self.name.as_str(), name]).inc_by(0);
    }

    /// Notes a handshake that was answered.
    pub fn handshake(&self, name: &str) {
        self.metrics.handshakes.with_label_values(&[self.name.as_str(), name]).inc();
    }

    /// Notes the result of a check.
    pub fn verified(&self, result: &str) {
        if let Some((_, counter)) = self.verified.iter().find(|(known, _)| *known == result) {
            counter.inc();
        }
    }

    /// Notes a body that was read.
    pub fn read(&self, bytes: usize) {
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            reason = "a body's size fits an f64 exactly"
        )]
        self.body_bytes.observe(bytes as f64);
    }

    /// Notes what became of an event; counted before it counts as accepted or late.
    pub fn settled(&self, disposition: Disposition) {
        match disposition {
            Disposition::Published => self.published.inc(),
            Disposition::Spooled => self.spooled.inc(),
            Disposition::Filtered => self.filtered.inc(),
            Disposition::Suppressed | Disposition::AlreadyStored => {
                self.duplicate.inc();
                self.suppressed.inc();
            }
            Disposition::Quarantined(reason) => {
                self.quarantined.get(&reason).into_iter().for_each(IntCounter::inc);
            }
        }
    }

    /// Notes events whose sender hears a 2xx, and how many of them wait on disk.
    pub fn accepted(&self, events: u64, spooled: u64, received: Timestamp) {
        self.accepted.inc_by(events - spooled);
        self.accepted_spooled.inc_by(spooled);
        self.last_accepted.set(received.as_second());
    }

    /// Notes events that are durable, though their sender was refused.
    pub fn late(&self, events: u64) {
        self.late.inc_by(events);
    }

    /// Notes what an event itself shows: no key, or older than one already seen.
    pub fn observed(&self, event: &Event) {
        match (&event.key, &event.time) {
            (None, _) => self.keyless.inc(),
            (Some(key), Some(time)) if self.order.is_late(key, time.at) => self.out_of_order.inc(),
            (Some(_), _) => {}
        }
    }

    /// Notes that a sink, by its place among all, holds an event, and how long after its receipt.
    pub fn delivered(&self, sink: usize, latency: Duration) {
        if let Some((counter, histogram)) = self.sinks.get(sink) {
            counter.inc();
            histogram.observe(latency.as_secs_f64());
        }
    }

    /// Notes the time that a stage took.
    pub fn staged(&self, stage: Stage, time: Duration) {
        let [receive, verify, normalize, route, publish] = &self.stages;
        let histogram = match stage {
            Stage::Receive => receive,
            Stage::Verify => verify,
            Stage::Normalize => normalize,
            Stage::Route => route,
            Stage::Publish => publish,
        };
        histogram.observe(time.as_secs_f64());
    }

    /// Makes the series of the configured secrets, once.
    pub fn expect_secrets(&self, count: usize) {
        self.keys.get_or_init(|| Keys::new(&self.metrics, &self.name, count));
    }

    /// Notes a request that was proven, and by which secret.
    pub fn proven(&self, place: usize, at: Timestamp) {
        self.verified("ok");
        if let Some(keys) = self.keys.get() {
            keys.matched(place, at);
        }
    }

    /// Notes how many listed files are gone or empty.
    pub fn missing_files(&self, count: usize) {
        self.secret_files_missing.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Notes how many secrets are usable.
    pub fn secrets(&self, usable: usize) {
        self.secrets.set(i64::try_from(usable).unwrap_or(i64::MAX));
    }

    /// Notes how many ids the window remembers.
    pub fn remembered(&self, ids: usize) {
        self.dedup_entries.set(i64::try_from(ids).unwrap_or(i64::MAX));
    }

    /// Notes that an id is another's too.
    pub fn conflicted(&self) {
        self.conflicts.inc();
    }
}

//! The counters of one sink, resolved once.

use super::{
    Backlogs, Metrics, Shown,
    each::{EachCounter, EachHistogram},
    family::{Counters, Gauges, Histograms},
};
use crate::record::PublishError;
use jiff::Timestamp;
use prometheus::{Histogram, IntCounter, IntGauge};
use std::{collections::HashMap, sync::Weak, time::Duration};

/// The counters of one sink.
#[derive(Debug, Clone)]
pub struct SinkMetrics {
    ok: EachCounter,
    retriable: EachCounter,
    fatal: EachCounter,
    duplicates: IntCounter,
    errors: HashMap<&'static str, IntCounter>,
    duration: EachHistogram,
    up: IntGauge,
    last_ack: IntGauge,
    durability: IntGauge,
    fsync: Histogram,
    journal_bytes: IntGauge,
    journal_failures: IntCounter,
    name: String,
    lanes: Gauges,
    backlogs: Backlogs,
    delivered: Counters,
    latency: Histograms,
    removed_segments: IntCounter,
    removed_bytes: IntCounter,
    removed_records: IntCounter,
}

impl SinkMetrics {
    /// Makes every series of a sink.
    pub fn new(metrics: &Metrics, name: &str) -> Self {
        let attempt = |result| metrics.attempts.each(&[name, result]);
        let error = |reason| (reason, metrics.delivery_errors.with_label_values(&[name, reason]));
        Self {
            ok: attempt("ok"),
            retriable: attempt("retriable"),
            fatal: attempt("fatal"),
            duplicates: metrics.stored_already.with_label_values(&[name]),
            errors: PublishError::REASONS.into_iter().map(error).collect(),
            duration: metrics.delivery_duration.each(&[name]),
            up: metrics.sink_up.with_label_values(&[name]),
            last_ack: metrics.last_ack.with_label_values(&[name]),
            durability: metrics.durability.with_label_values(&[name]),
            fsync: metrics.journal_fsync.with_label_values(&[name]),
            journal_bytes: metrics.journal_bytes.with_label_values(&[name]),
            journal_failures: metrics.journal_failures.with_label_values(&[name]),
            name: name.to_owned(),
            lanes: metrics.lanes_down.clone(),
            backlogs: metrics.backlogs.clone(),
            delivered: metrics.delivered.clone(),
            latency: metrics.event_latency.clone(),
            removed_segments: metrics.journal_removed_segments.with_label_values(&[name]),
            removed_bytes: metrics.journal_removed_bytes.with_label_values(&[name]),
            removed_records: metrics.journal_removed_records.with_label_values(&[name]),
        }
    }

    /// Notes one record's outcome.
    pub fn attempted<T>(&self, result: &Result<T, PublishError>, took: Duration, now: Timestamp) {
        match result {
            Ok(_) => {
                self.ok.inc();
                self.duration.observe(took.as_secs_f64());
                self.up.set(1);
                self.last_ack.set(now.as_second());
            }
            Err(error) => {
                if error.is_hopeless() {
                    self.fatal.inc();
                } else {
                    self.retriable.inc();
                    self.up.set(0);
                }
                if let Some(counter) = self.errors.get(error.reason()) {
                    counter.inc();
                }
            }
        }
    }

    /// Notes a record that the sink had already.
    pub fn had_it(&self) {
        self.duplicates.inc();
    }

    /// Notes that the destination was found good, and how durable its ack is.
    pub fn prepared(&self, durability: u8) {
        self.up.set(1);
        self.durability.set(i64::from(durability));
    }

    /// Notes what a look at the destination found.
    pub fn looked(&self, is_well: bool) {
        self.up.set(i64::from(is_well));
    }

    /// Returns how many destinations of this label are down.
    pub fn lane_down(&self, lane: &str) -> IntGauge {
        self.lanes.with_label_values(&[&self.name, lane])
    }

    /// Has a destination's backlog shown.
    pub fn show(&self, lane: &str, shown: Weak<dyn Shown>) {
        self.backlogs.show(&self.name, lane, shown);
    }

    /// Notes that the destination has an event of this source that had to wait, and how long after its receipt.
    pub fn delivered(&self, source: &str, latency: Duration) {
        let labels = [source, &self.name];
        self.delivered.each(&labels).inc();
        self.latency.each(&labels).observe(latency.as_secs_f64());
    }

    /// Notes one group commit of a journal.
    pub fn committed(&self, took: Duration, grown: u64, durable: bool) {
        self.journal_bytes.add(i64::try_from(grown).unwrap_or(i64::MAX));
        if durable {
            self.fsync.observe(took.as_secs_f64());
        } else {
            self.journal_failures.inc();
        }
    }

    /// Notes a record for which a journal has no room.
    pub fn journal_full(&self) {
        self.journal_failures.inc();
    }

    /// Notes a segment that was past what a journal keeps, and is gone.
    pub fn journal_removed(&self, bytes: u64, records: Option<u64>) {
        self.journal_bytes.sub(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.removed_segments.inc();
        self.removed_bytes.inc_by(bytes);
        self.removed_records.inc_by(records.unwrap_or(0));
    }

    /// Notes the journal's size on disk.
    pub fn journal_bytes(&self, bytes: u64) {
        self.journal_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

//! Every metric, in one file: names, labels, buckets. Label values come from the configuration or from closed
//! lists in code, never from a request, and every series known at start exists from then on.

mod backlogs;
mod counted;
mod each;
mod family;
mod keys;
mod register;
mod sinks;
mod sources;
mod stage;
mod stopwatch;

pub use backlogs::{Backlogged, Backlogs, Shown};
pub use counted::Counted;
pub use each::EachCounter;
pub use sinks::SinkMetrics;
pub use sources::SourceMetrics;
pub use stage::Stage;
pub use stopwatch::Stopwatch;

use super::told::Tellers;
use family::{Counters, Gauges, Histograms};
use prometheus::{GaugeVec, IntCounter, IntGauge, Opts, Registry, TextEncoder, core::Collector};
use register::Register;

/// The label of requests for no configured source.
pub const UNMATCHED: &str = "unmatched";

const REQUEST: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const STAGE: &[f64] =
    &[0.000_001, 0.000_01, 0.000_1, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const BROKER: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const LATENCY: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];
const BODY: &[f64] = &[256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0];
const FSYNC: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// Tells what could not be registered: two families of one name, which is a bug.
pub type MetricsError = prometheus::Error;

/// Every family, registered.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    requests: Counters,
    request_duration: Histograms,
    body_bytes: Histograms,
    /// Webhook requests being handled now.
    pub in_flight: IntGauge,
    /// Open client connections.
    pub connections: IntGauge,
    /// Connections refused before a request was read.
    pub connections_rejected: IntCounter,
    handshakes: Counters,
    verifications: Counters,
    accepted: Counters,
    rejected: Counters,
    duplicate: Counters,
    late: Counters,
    published: Counters,
    quarantined: Counters,
    filtered: Counters,
    suppressed: Counters,
    spooled: Counters,
    out_of_order: Counters,
    keyless: Counters,
    conflicts: Counters,
    /// Events between verification and their outcome.
    pub events_in_flight: IntGauge,
    unaccounted: IntGauge,
    stages: Histograms,
    last_accepted: Gauges,
    delivered: Counters,
    event_latency: Histograms,
    attempts: Counters,
    delivery_errors: Counters,
    stored_already: Counters,
    delivery_duration: Histograms,
    sink_up: Gauges,
    lanes_down: Gauges,
    last_ack: Gauges,
    durability: Gauges,
    journal_fsync: Histograms,
    journal_bytes: Gauges,
    journal_failures: Counters,
    journal_removed_segments: Counters,
    journal_removed_bytes: Counters,
    journal_removed_records: Counters,
    secrets: Gauges,
    secret_files_missing: Gauges,
    secret_matches: Counters,
    secret_last_match: Gauges,
    dedup_entries: Gauges,
    /// What `/readyz` answers.
    pub ready: IntGauge,
    config_loaded: GaugeVec,
    /// Who is told of single events and requests.
    pub told: Tellers,
    /// What waits on disk for its destinations.
    pub backlogs: Backlogs,
    spool: backlogs::Families,
}

impl Metrics {
    /// Registers every family.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let r = Register(&registry);
        let build = r.gauges("hookway_build_info", "Constant 1, by version", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let metrics = Self {
            requests: r.spread_counters("hookway_http_requests_total", "Webhook requests finished, by configured source and response code", &["source", "code"])?,
            request_duration: r.spread_histograms("hookway_http_request_duration_seconds", "Head of the request to the answer", &["source", "outcome"], REQUEST)?,
            body_bytes: r.spread_histograms("hookway_http_request_body_bytes", "Size of request bodies as received", &["source"], BODY)?,
            in_flight: r.gauge("hookway_http_requests_in_flight", "Webhook requests being handled now")?,
            connections: r.gauge("hookway_http_connections", "Open client connections")?,
            connections_rejected: r.counter("hookway_http_connections_rejected_total", "Connections refused because too many were open")?,
            handshakes: r.counters("hookway_handshakes_total", "Handshakes answered with a success; they are never published", &["source", "name"])?,
            verifications: r.spread_counters("hookway_verifications_total", "Signature or token checks", &["source", "scheme", "result"])?,
            accepted: r.spread_counters("hookway_events_accepted_total", "Events made durable and answered 2xx", &["source", "durability"])?,
            rejected: r.counters("hookway_events_rejected_total", "Requests refused, by public code", &["source", "reason"])?,
            duplicate: r.counters("hookway_events_duplicate_total", "Recognised repeats", &["source"])?,
            late: r.counters("hookway_events_late_total", "Events that became durable after their sender had been refused or had hung up", &["source"])?,
            published: r.spread_counters("hookway_events_published_total", "Events that every sink of their route acknowledged", &["source"])?,
            quarantined: r.counters("hookway_events_quarantined_total", "Authentic events that went to the quarantine", &["source", "reason"])?,
            filtered: r.counters("hookway_events_filtered_total", "Events that a route drops", &["source"])?,
            suppressed: r.counters("hookway_events_suppressed_total", "Repeats answered 2xx without a second record", &["source"])?,
            spooled: r.spread_counters("hookway_events_spooled_total", "Events answered 2xx that wait for a destination on this replica's disk", &["source"])?,
            out_of_order: r.counters("hookway_events_out_of_order_total", "Events older than one already seen of their object", &["source"])?,
            keyless: r.counters("hookway_events_keyless_total", "Events without a key, which no broker keeps together", &["source"])?,
            conflicts: r.counters("hookway_event_id_conflicts_total", "Events whose id came before with other bytes; they are published and marked", &["source"])?,
            events_in_flight: r.gauge("hookway_events_in_flight", "Events between verification and their outcome")?,
            unaccounted: r.gauge("hookway_unaccounted_events", "Accepted and late events less those published, quarantined, filtered, suppressed and spooled, and spooled and inherited records less those settled and pending; anything above 0 is a bug")?,
            stages: r.spread_histograms("hookway_stage_duration_seconds", "Time spent in each stage of the path; publish includes the broker's ack", &["stage"], STAGE)?,
            last_accepted: r.gauges("hookway_source_last_accepted_timestamp_seconds", "Unix time of the last accepted event", &["source"])?,
            delivered: r.spread_counters("hookway_events_delivered_total", "Events that a sink acknowledged", &["source", "sink"])?,
            event_latency: r.spread_histograms("hookway_event_latency_seconds", "Receipt of the request to the sink's ack", &["source", "sink"], LATENCY)?,
            attempts: r.spread_counters("hookway_delivery_attempts_total", "Records handed to a sink, by result", &["sink", "result"])?,
            delivery_errors: r.counters("hookway_delivery_errors_total", "Records that a sink did not acknowledge", &["sink", "reason"])?,
            stored_already: r.counters("hookway_delivery_duplicates_total", "Records that a sink acknowledged as one that it has already; an event that no sink took anew counts as suppressed, never as published", &["sink"])?,
            delivery_duration: r.spread_histograms("hookway_delivery_duration_seconds", "Record handed to the client until acknowledged", &["sink"], BROKER)?,
            sink_up: r.gauges("hookway_sink_up", "1 if the last exchange with the sink worked", &["sink"])?,
            lanes_down: r.gauges("hookway_lane_down", "Destinations that are not heard from, so that events for them are refused at once; `*` counts all that no route names literally", &["sink", "lane"])?,
            last_ack: r.gauges("hookway_sink_last_ack_timestamp_seconds", "Unix time of the sink's last ack", &["sink"])?,
            durability: r.gauges("hookway_durability_level", "What an ack survives: 2 the loss of a broker, 1 a restart of it, 0 unknown", &["sink"])?,
            journal_fsync: r.histograms("hookway_journal_fsync_duration_seconds", "One group commit of a journal", &["sink"], FSYNC)?,
            journal_bytes: r.gauges("hookway_journal_bytes", "Bytes of a journal on disk", &["sink"])?,
            journal_failures: r.counters("hookway_journal_write_errors_total", "Group commits of a journal that failed, and records that a full one refused", &["sink"])?,
            journal_removed_segments: r.counters("hookway_journal_removed_segments_total", "Segments of a journal that were past `keep` and were removed", &["sink"])?,
            journal_removed_bytes: r.counters("hookway_journal_removed_bytes_total", "Bytes of those segments", &["sink"])?,
            journal_removed_records: r.counters("hookway_journal_removed_records_total", "Records of those segments, where their number is known", &["sink"])?,
            secrets: r.gauges("hookway_source_secrets", "Usable secrets of the source; at 0 its requests are answered 503", &["source"])?,
            secret_files_missing: r.gauges("hookway_secret_files_missing", "Listed files of secrets and keys that are gone or empty, 60 s later not in use any more, or that hold no usable keys", &["source"])?,
            secret_matches: r.spread_counters("hookway_secret_matches_total", "Requests that this secret of the source proved; secrets are numbered from 1", &["source", "key"])?,
            secret_last_match: r.gauges("hookway_secret_last_match_timestamp_seconds", "Unix time of the last request that this secret proved; 0 for never", &["source", "key"])?,
            dedup_entries: r.gauges("hookway_dedup_entries", "Event ids remembered", &["source"])?,
            ready: r.gauge("hookway_ready", "What /readyz answers")?,
            config_loaded: r.keep(GaugeVec::new(Opts::new("hookway_config_last_reload_success_timestamp_seconds", "Unix time of the last good load"), &[]))?,
            told: Tellers::default(),
            backlogs: Backlogs::default(),
            spool: spool_families(&r)?,
            registry,
        };
        Ok(metrics)
    }

    /// Returns the text exposition (Prometheus text format 0.0.4).
    pub fn render(&self) -> Result<String, MetricsError> {
        self.account();
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Notes that a configuration was taken into use.
    pub fn configured(&self, at: jiff::Timestamp) {
        #[expect(
            clippy::as_conversions,
            clippy::cast_precision_loss,
            reason = "Unix seconds fit an f64 exactly"
        )]
        self.config_loaded.with_label_values::<&str>(&[]).set(at.as_second() as f64);
    }

    /// Returns the counter of requests that named no source and were answered so.
    pub fn unmatched(&self, status: u16) -> EachCounter {
        self.requests.each(&[UNMATCHED, &status.to_string()])
    }

    /// Computes the accounting identity. What was accepted is read first: an event is counted where it went
    /// before it is counted as accepted, so a difference above 0 is real and never a moment's.
    fn account(&self) {
        let sum = |family: &dyn Collector| -> u64 {
            let lines = family.collect();
            let metrics = lines.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
            #[expect(
                clippy::as_conversions,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the counters hold whole numbers"
            )]
            metrics.map(|metric| metric.get_counter().get_value() as u64).sum()
        };
        let accepted = sum(&self.accepted) + sum(&self.late);
        let outcomes: [&dyn Collector; 5] =
            [&self.published, &self.quarantined, &self.filtered, &self.suppressed, &self.spooled];
        let missing = accepted.saturating_sub(outcomes.map(sum).iter().sum());
        let missing = missing + self.backlogs.write(&self.spool);
        self.unaccounted.set(i64::try_from(missing).unwrap_or(i64::MAX));
    }
}

/// Registers what is told of the spool.
fn spool_families(r: &Register<'_>) -> Result<backlogs::Families, MetricsError> {
    Ok(backlogs::Families {
        taken: r.counters("hookway_spool_taken_records_total", "Records that went to the spool, or stood there at the start (inherited)", &["sink", "lane", "how"])?,
        settled: r.counters("hookway_spool_settled_records_total", "Records of the spool that are done: published from there, late (their first attempt succeeded after all), quarantined, lost (damaged or missing on disk), void (numbers of failed writes)", &["sink", "lane", "result"])?,
        pending: r.gauges("hookway_spool_pending_records", "Records that wait in the spool", &["sink", "lane"])?,
        bytes: r.gauges("hookway_spool_bytes", "Bytes of the spool on disk", &["sink", "lane"])?,
        oldest: r.gauges("hookway_spool_oldest_timestamp_seconds", "Unix time of receipt of the oldest record that waits; 0 where none does", &["sink", "lane"])?,
        waiting: r.gauges("hookway_lanes_spooling", "Destinations whose events wait in the spool; `*` counts all that no route names literally", &["sink", "lane"])?,
        held: r.gauges("hookway_lanes_held", "Of those, destinations that refuse records for what an operator can mend", &["sink", "lane"])?,
    })
}

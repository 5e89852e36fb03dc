//! What the documentation and the alerts say of metrics is what a running process exports: a metric that was
//! renamed would leave an alert behind that never fires.

use crate::binary::Hookway;
use std::collections::BTreeSet;

const OPERATIONS: &str = include_str!("../../docs/operations.md");
const ALERTS: &str = include_str!("../../docs/alerts.md");
const RULES: &str = include_str!("../../deploy/helm/hookway/files/alerts.yaml");

/// Every kind of series: a preset with handshakes, a journal, a broker (nothing listens on port 1) and a spool have theirs.
const CONFIG: &str = "
sources:
  hotel: { preset: likemagic, secrets: [ file:$home/secret ] }
  chat: { preset: slack, secrets: [ file:$home/secret ] }
sinks:
  bus: { nats: { servers: [ 'nats://127.0.0.1:1' ], stream: S } }
  kept: { journal: { dir: $home/kept } }
routes: [ { match: { source: chat }, to: { sink: bus, subject: chat } }, { to: { sink: kept } } ]
quarantine: { sink: kept }
spool: { dir: $home/spool, allow_volatile: true }
";

/// Returns the names of our own metrics in a text, without the suffixes that a histogram's series have.
fn cited(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names = words.filter(|word| word.starts_with("hookway_") && !word.ends_with('_'));
    names.map(|name| name.trim_end_matches("_bucket")).collect()
}

/// Returns what a process exports.
async fn exported(hookway: &Hookway) -> String {
    hookway.ask("/metrics").await.body
}

/// Returns the names of our own metrics in it.
fn families(exposition: &str) -> BTreeSet<&str> {
    let types = exposition.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).filter(|name| name.starts_with("hookway_")).collect()
}

#[tokio::test]
async fn each_metric_that_an_alert_or_a_page_names_is_exported() {
    let hookway = Hookway::start(CONFIG);
    let exposition = exported(&hookway).await;
    let families = families(&exposition);
    for (file, text) in [("alerts.yaml", RULES), ("alerts.md", ALERTS), ("operations.md", OPERATIONS)] {
        for name in cited(text) {
            let is_part = |suffix| name.strip_suffix(suffix).is_some_and(|base| families.contains(base));
            let is_known = families.contains(name) || is_part("_sum") || is_part("_count");
            assert!(is_known, "{file} names {name}, which is not exported");
        }
    }
}

#[tokio::test]
async fn each_metric_that_is_exported_stands_in_the_table() {
    let hookway = Hookway::start(CONFIG);
    let exposition = exported(&hookway).await;
    let rows: BTreeSet<&str> =
        OPERATIONS.lines().filter_map(|line| line.strip_prefix("| `hookway_")).collect();
    for family in families(&exposition) {
        let name = format!("{}`", family.trim_start_matches("hookway_"));
        assert!(rows.iter().any(|row| row.starts_with(&name)), "docs/operations.md has no row for {family}");
    }
}

#[tokio::test]
async fn each_label_value_that_an_alert_asks_for_exists_from_the_start() {
    let hookway = Hookway::start(CONFIG);
    let exposition = exported(&hookway).await;
    for (name, label, value) in [
        ("hookway_http_requests_total", "code", "503"),
        ("hookway_verifications_total", "result", "ok"),
        ("hookway_verifications_total", "result", "mismatch"),
        ("hookway_verifications_total", "result", "expired"),
        ("hookway_events_rejected_total", "reason", "secret_unset"),
        ("hookway_events_rejected_total", "reason", "body_too_large"),
        ("hookway_http_request_duration_seconds_count", "outcome", "accepted"),
        ("hookway_events_quarantined_total", "reason", "unrouted"),
    ] {
        let asked = format!("{label}=\"{value}\"");
        let has = |line: &str| line.starts_with(&format!("{name}{{")) && line.contains(&asked);
        assert!(exposition.lines().any(has), "{name} has no {asked} before the first event");
    }
}

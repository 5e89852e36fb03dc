//! Rules of the process itself: its listeners, limits, spool and log.

use super::{Facts, sinks::has_a_place};
use crate::config::{Config, Limits, SinkConfig, SourceSettings, keypath::KeyPath, problem::Report};
use tracing_subscriber::EnvFilter;

pub(super) fn check(facts: &Facts<'_>, report: &mut Report<'_>) {
    let config = facts.config;
    listeners_differ(config, report);
    limits_leave_room(config, report);
    bodies_end_before_deadlines(facts, report);
    spool_has_a_place(config, report);
    log_level_is_known(config, report);
    replica_is_a_word(config, report);
}

fn listeners_differ(config: &Config, report: &mut Report<'_>) {
    let (listen, admin) = (config.listen, config.admin);
    let same_ip = listen.ip() == admin.ip() || listen.ip().is_unspecified() || admin.ip().is_unspecified();
    if listen.port() != 0 && listen.port() == admin.port() && same_ip {
        let message = format!("expected another port than `listen` ({listen}), found {admin}");
        let fix = "give the admin listener a port of its own, as 127.0.0.1:9090";
        report.error(&KeyPath::of(["admin"]), message, fix);
    }
}

fn limits_leave_room(config: &Config, report: &mut Report<'_>) {
    let limits = Limits::from(&config.limits);
    let at = KeyPath::of(["limits"]);
    if limits.connections == 0 {
        report.error(&at.key("connections"), "expected at least 1, found 0", "leave it out for 10240");
    }
    let least_one = "expected more than nothing";
    if limits.body_bytes == 0 {
        report.error(&at.key("body_bytes"), least_one, "leave it out for 128MiB");
    }
    if !(1..=100).contains(&limits.peer_share) {
        let found = format!("expected 1 to 100 percent, found {}", limits.peer_share);
        report.error(&at.key("peer_share"), found, "leave it out for 50; 100 is no bound");
    }
    if limits.idle.is_zero() {
        report.error(&at.key("idle"), least_one, "leave it out for 30s");
    }
    if limits.body.is_some_and(|body| body.is_zero()) {
        report.error(&at.key("body"), least_one, "leave it out for three quarters of each source's deadline");
    }
}

/// A body is given up at its source's deadline, whatever `limits.body` says.
fn bodies_end_before_deadlines(facts: &Facts<'_>, report: &mut Report<'_>) {
    let Some(patience) = Limits::from(&facts.config.limits).body else { return };
    let sources = facts.sources().map(|source| (SourceSettings::from(source.sender).deadline, source.name));
    let Some((deadline, name)) = sources.min().filter(|(deadline, _)| patience > *deadline) else { return };
    report.warning(
        &KeyPath::of(["limits", "body"]),
        format!("a body may take {patience:?}, and source `{name}` must answer within {deadline:?}"),
        "write less than the shortest `deadline`; bodies are given up there in any case",
    );
}

fn spool_has_a_place(config: &Config, report: &mut Report<'_>) {
    let Some(spool) = &config.spool else { return };
    let at = KeyPath::of(["spool"]);
    has_a_place(("spool", "spool"), (&spool.dir, spool.max_bytes()), &at, report);
    let is_journal = |sink: &SinkConfig| sink.journal.is_some();
    if config.sinks.values().all(is_journal) {
        let fix = "take it out, or name the Kafka or NATS sink that it is for";
        report.warning(&at, "nothing waits there: every sink is a journal", fix);
    }
}

fn log_level_is_known(config: &Config, report: &mut Report<'_>) {
    let Some(level) = &config.log.level else { return };
    let is_word = !level.contains(['=', ',', '[']);
    let known = ["error", "warn", "info", "debug", "trace", "off"].contains(&level.to_lowercase().as_str());
    if (is_word && !known) || EnvFilter::try_new(level).is_err() {
        let message = "expected a level or a filter, found something else";
        let fix = "write error, warn, info, debug or trace, or a filter as hookway=debug,rdkafka=warn";
        report.error(&KeyPath::of(["log", "level"]), message, fix);
    }
}

fn replica_is_a_word(config: &Config, report: &mut Report<'_>) {
    let Some(replica) = &config.replica else { return };
    if replica.is_empty() || replica.len() > 253 || !replica.chars().all(|c| c.is_ascii_graphic()) {
        let message = "expected 1 to 253 printable ASCII characters without blanks";
        let fix = "leave it out to use the host name";
        report.error(&KeyPath::of(["replica"]), message, fix);
    }
}

//! The rules between fields, after every single field was read. One function per rule, all of them run, and each
//! tells the operator what to write instead. Nothing is connected to.

mod doubts;
mod handshakes;
mod ids;
mod kafka;
mod nats;
mod process;
mod routes;
mod sinks;
mod sources;
mod target;

use super::{Config, Limits, SecretRef, ToConfig, keypath::KeyPath, problem::Report};
use crate::senders::SenderSpec;
use doubts::Facts;
use std::collections::BTreeMap;

/// Runs every rule. `presets` is what each source's preset says by itself.
pub(super) fn all(
    config: &Config,
    senders: &BTreeMap<String, SenderSpec>,
    presets: &BTreeMap<String, SenderSpec>,
    report: &mut Report<'_>,
) {
    process::check(config, senders, report);
    sources::check(config, senders, report);
    handshakes::check(config, senders, report);
    ids::check(senders, report);
    sinks::check(config, report);
    routes::check(config, report);
    doubts::check(&Facts { config, senders, presets }, report);
}

/// Warns of a sink's secret that is not there. Not an error: it may come later.
fn check_secret(reference: &SecretRef, at: &KeyPath, report: &mut Report<'_>) {
    if let Err(error) = reference.resolve() {
        report.warning(at, error.to_string(), "provide it; until then this sink cannot connect");
    }
}

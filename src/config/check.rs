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

use super::{Config, SecretRef, SourceConfig, keypath::KeyPath, problem::Report};
use crate::senders::SenderSpec;
use std::collections::BTreeMap;

/// What the rules look at.
pub(super) struct Facts<'a> {
    pub(super) config: &'a Config,
    /// Each source's effective document.
    pub(super) senders: &'a BTreeMap<String, SenderSpec>,
    /// What each source's preset says by itself.
    pub(super) presets: &'a BTreeMap<String, SenderSpec>,
}

/// A source whose document can be read.
struct Source<'a> {
    name: &'a str,
    at: KeyPath,
    config: &'a SourceConfig,
    sender: &'a SenderSpec,
}

impl<'a> Facts<'a> {
    fn sources(&self) -> impl Iterator<Item = Source<'a>> {
        let senders = self.senders;
        self.config.sources.iter().filter_map(|(name, config)| {
            let (at, sender) = (KeyPath::of(["sources", name]), senders.get(name)?);
            Some(Source { name, at, config, sender })
        })
    }
}

pub(super) fn all(facts: &Facts<'_>, report: &mut Report<'_>) {
    process::check(facts, report);
    sources::check(facts, report);
    handshakes::check(facts, report);
    ids::check(facts, report);
    sinks::check(facts.config, report);
    routes::check(facts.config, report);
    doubts::check(facts, report);
}

/// Warns of a sink's secret that is not there. Not an error: it may come later.
fn check_secret(reference: &SecretRef, at: &KeyPath, report: &mut Report<'_>) {
    if let Err(error) = reference.resolve() {
        report.warning(at, error.to_string(), "provide it; until then this sink cannot connect");
    }
}

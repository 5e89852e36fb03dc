//! What a configuration without sinks means: one journal for all events and one for the quarantine, both below
//! `./hookway-data`, so that the shortest file is already of use.

use super::{Config, JournalConfig, RouteConfig, SinkConfig, TargetConfig, ToConfig};

/// The sink that takes all events where none is configured.
pub const JOURNAL: &str = "journal";

/// The sink that takes the quarantined ones.
pub const QUARANTINE: &str = "quarantine";

impl Config {
    /// Returns the configuration with the embedded journals in place of sinks that were left out.
    pub(super) fn with_default_sinks(mut self) -> Self {
        if self.sinks.is_empty() {
            self.sinks = [JOURNAL, QUARANTINE].map(|name| (name.to_owned(), journal(name))).into();
            self.routes = vec![RouteConfig { to: ToConfig::One(target(JOURNAL)), ..RouteConfig::default() }];
            self.quarantine = Some(target(QUARANTINE));
        }
        self
    }
}

fn journal(name: &str) -> SinkConfig {
    let dir = std::path::Path::new("./hookway-data").join(name);
    SinkConfig { journal: Some(JournalConfig { dir, ..JournalConfig::default() }), ..SinkConfig::default() }
}

fn target(sink: &str) -> TargetConfig {
    TargetConfig { sink: sink.to_owned(), ..TargetConfig::default() }
}

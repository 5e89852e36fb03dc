//! What the operator writes: one YAML file, read into a [`Config`]. Nothing here is built or connected; only
//! `app` turns a configuration into parts.

mod check;
mod defaults;
mod document;
mod grammar;
mod keypath;
mod load;
pub(crate) mod nearest;
mod params;
mod presets;
mod problem;
mod reading;
mod routes;
mod schema;
mod secrets;
mod settings;
mod shown;
mod sinks;
#[cfg(test)]
mod tests;
pub mod units;

pub use defaults::{JOURNAL, QUARANTINE};
pub use load::{Loaded, load};
pub use params::{ResolvedParams, params};
pub use presets::preset_document;
pub(crate) use presets::unknown_preset_fix;
pub use problem::{LoadError, Problem, Severity};
pub use routes::{Drop, MatchConfig, RouteConfig, TargetConfig, ToConfig};
pub use schema::{schema, sender_schema};
pub use secrets::{NotAReference, SecretError, SecretRef, Secrets};
pub use settings::{Limits, SourceSettings};
pub use shown::without_credentials;
pub use sinks::{
    JournalConfig, KafkaConfig, KafkaCreate, KeepConfig, NatsConfig, NatsCreate, OptionValue, SinkConfig,
    TlsConfig,
};

use crate::senders::SenderSpec;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU16, path::PathBuf};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Where webhooks are received: `POST /hooks/{source}`.
    #[schemars(extend("format" = "socket-address"))]
    pub listen: SocketAddr,
    /// Where metrics and health are served. Keep it off the public network.
    #[schemars(extend("format" = "socket-address"))]
    pub admin: SocketAddr,
    /// Threads that carry webhooks; as many as the cores that the process may use where it is left out.
    #[schemars(range(max = 1024))]
    pub workers: Option<NonZeroU16>,
    /// The configured senders, by the name in their URL.
    pub sources: BTreeMap<String, SourceConfig>,
    /// The destinations. None: everything goes to one embedded journal under `./hookway-data`.
    pub sinks: BTreeMap<String, SinkConfig>,
    /// Which event goes where; the first match wins.
    pub routes: Vec<RouteConfig>,
    /// Where authentic events go that can't be mapped, routed or published. Required once `sinks` is given.
    pub quarantine: Option<TargetConfig>,
    /// Where events wait while a broker is away. Absent: level `strict`.
    pub spool: Option<SpoolConfig>,
    /// Bounds on what is held in memory.
    pub limits: LimitsConfig,
    /// This replica's name in the envelope; the host name where it is left out.
    pub replica: Option<String>,
    /// The lines on standard error.
    pub log: LogConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            admin: SocketAddr::from(([127, 0, 0, 1], 9090)),
            workers: None,
            sources: BTreeMap::new(),
            sinks: BTreeMap::new(),
            routes: Vec::new(),
            quarantine: None,
            spool: None,
            limits: LimitsConfig::default(),
            replica: None,
            log: LogConfig::default(),
        }
    }
}

/// One configured sender: a preset with overrides, or a sender document of the user's own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SourceConfig {
    /// The preset to start from; `hookway senders` lists them.
    pub preset: Option<String>,
    /// The shared secrets, old and new ones while one is rotated.
    pub secrets: Vec<SecretRef>,
    /// True to fetch the addresses by which a sender asks for agreement, as Amazon SNS does.
    pub confirm: bool,
    /// False to have its sender keep its events while a destination is away, though others wait in the spool.
    pub spool: Option<bool>,
    /// Takes the secret that a sender hands over in its handshake, for a limited time.
    pub capture: Option<CaptureConfig>,
    /// Overrides of the preset's fields.
    #[serde(flatten)]
    pub sender: SenderSpec,
}

/// Where a secret is stored that a sender hands over, and how long one is taken: an open place would let anybody set
/// the key.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CaptureConfig {
    /// The file; name it in `secrets` too, as `file:PATH`.
    pub file: PathBuf,
    /// Until when a secret is taken, as `2026-01-31T18:00:00Z`.
    pub until: String,
}

/// Where events wait while a broker is away.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpoolConfig {
    /// The directory; one process owns it.
    pub dir: PathBuf,
    /// How much may wait, as `8GiB`.
    #[schemars(extend("format" = "size"))]
    pub max_bytes: Option<String>,
    /// From when on the log warns that an event waits, as `1h`; default 15 minutes.
    #[schemars(extend("format" = "duration"))]
    pub max_age_warning: Option<String>,
    /// True where the directory may lie in memory, or in the layer of a container, and end with it.
    pub allow_volatile: bool,
}

/// Bounds on what is held in memory.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LimitsConfig {
    /// Open connections at once; default 10 240.
    pub connections: Option<u32>,
    /// Percent of the connections and bytes that are left which one address may hold, 1 to 100; default 50.
    pub peer_share: Option<u8>,
    /// Bytes of all bodies held at once, as `128MiB`.
    #[schemars(extend("format" = "size"))]
    pub body_bytes: Option<String>,
    /// How long a request's head may take, and an idle connection stays open, as `30s`.
    #[schemars(extend("format" = "duration-with-unit"))]
    pub idle: Option<String>,
    /// How long a request's body may take, as `2s`; left out, three quarters of its source's deadline.
    #[schemars(extend("format" = "duration-with-unit"))]
    pub body: Option<String>,
    /// Bytes a second that a body must come with after half of that time, as `8KiB`; `0B` for any.
    #[schemars(extend("format" = "size"))]
    pub body_rate: Option<String>,
    /// How long after SIGTERM requests are still taken, so that load balancers can look away, as `5s`.
    #[schemars(extend("format" = "duration-with-unit"))]
    pub drain_delay: Option<String>,
    /// How long accepted requests may take to finish after that, as `30s`.
    #[schemars(extend("format" = "duration-with-unit"))]
    pub drain_timeout: Option<String>,
}

/// The lines on standard error.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogConfig {
    /// `json` or `pretty`; pretty on a terminal where it is left out.
    pub format: Option<LogFormat>,
    /// `error`, `warn`, `info`, `debug` or `trace`; a filter as `hookway=debug,rdkafka=warn` is taken too.
    pub level: Option<String>,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

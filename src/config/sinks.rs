//! The `sinks` part of the configuration: how each broker is reached and what is stored there.

use super::SecretRef;
use crate::{normalize::Scalar, record::SinkFormat};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// One destination: exactly one of the three.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SinkConfig {
    /// Apache Kafka, or what speaks its protocol.
    pub kafka: Option<KafkaConfig>,
    /// NATS `JetStream`.
    pub nats: Option<NatsConfig>,
    /// The embedded journal: append-only files on this machine.
    pub journal: Option<JournalConfig>,
}

/// Apache Kafka.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KafkaConfig {
    /// `host:port` of some brokers; the rest is found from them.
    pub brokers: Vec<String>,
    /// Any librdkafka setting, as `compression.type: zstd`. Passwords by `env:NAME` or `file:PATH`.
    pub options: BTreeMap<String, Scalar>,
    /// How an event is written.
    pub format: Option<SinkFormat>,
    /// Makes missing topics at start. For development.
    pub create: Option<KafkaCreate>,
}

/// How missing topics are made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KafkaCreate {
    /// Number of partitions.
    pub partitions: Option<u32>,
    /// Number of replicas.
    pub replication: Option<u32>,
}

/// NATS `JetStream`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NatsConfig {
    /// `nats://host:port` or `tls://host:port` of some servers.
    pub servers: Vec<String>,
    /// The stream that every subject of this sink must belong to.
    pub stream: String,
    /// How an event is written.
    pub format: Option<SinkFormat>,
    /// User name; the password stands in `password`.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<SecretRef>,
    /// A token instead of a user.
    pub token: Option<SecretRef>,
    /// The seed of an nkey.
    pub nkey: Option<SecretRef>,
    /// A credentials file.
    pub creds: Option<PathBuf>,
    /// Certificates.
    pub tls: Option<TlsConfig>,
    /// Makes a missing stream at start. For development.
    pub create: Option<NatsCreate>,
}

/// Certificates of a connection.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TlsConfig {
    /// PEM file of the authorities to trust, besides the system's.
    pub ca: Option<PathBuf>,
    /// PEM file of our certificate.
    pub cert: Option<PathBuf>,
    /// PEM file of our key.
    pub key: Option<PathBuf>,
}

/// How a missing stream is made.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NatsCreate {
    /// The subjects of the stream, as `webhooks.>`.
    pub subjects: Vec<String>,
}

/// The embedded journal.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JournalConfig {
    /// The directory; one process owns it.
    pub dir: PathBuf,
    /// How large it may grow, as `8GiB`; beyond that events are refused with 503. Unbounded where it is left out.
    #[schemars(extend("format" = "size"))]
    pub max_bytes: Option<String>,
    /// What is kept; older segments are removed. Left out: all.
    pub keep: KeepConfig,
    /// How an event is written.
    pub format: Option<SinkFormat>,
}

/// How much of a journal is kept: whole segments past either bound are removed, oldest first.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KeepConfig {
    /// How long, as `30d`; counted from the youngest record of a segment.
    #[schemars(extend("format" = "duration-with-unit"))]
    pub age: Option<String>,
    /// How much, as `8GiB`; below `max_bytes`.
    #[schemars(extend("format" = "size"))]
    pub bytes: Option<String>,
}

/// The value of a librdkafka setting: text, or a reference to what must not stand in a file of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// The setting's text.
    Text(String),
    /// Where its text is kept.
    Secret(SecretRef),
}

impl KafkaConfig {
    /// Returns the librdkafka settings in the order of their names; `env:NAME` and `file:PATH` are references.
    pub fn settings(&self) -> impl Iterator<Item = (&str, OptionValue)> {
        self.options.iter().map(|(name, value)| {
            let text = value.to_string();
            let value = text.parse().map_or(OptionValue::Text(text), OptionValue::Secret);
            (name.as_str(), value)
        })
    }

    /// Returns a setting that stands there as text.
    pub fn text(&self, wanted: &str) -> Option<String> {
        self.settings().find(|(name, _)| *name == wanted).and_then(|(_, value)| match value {
            OptionValue::Text(text) => Some(text),
            OptionValue::Secret(_) => None,
        })
    }
}

/// Returns true for a key under which a secret stands: its value is never shown, and must be a reference.
pub(super) fn is_sensitive(key: &str) -> bool {
    let key = key.to_lowercase();
    matches!(key.as_str(), "token" | "nkey")
        || ["secret", "password", "passphrase", "key.pem", "oauthbearer.config"]
            .iter()
            .any(|part| key.contains(part))
}

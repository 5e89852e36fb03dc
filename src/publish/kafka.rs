//! Publishes to Kafka through librdkafka: idempotent, acknowledged by all in-sync replicas, keyed by the
//! object, partitioned as the Java client partitions.

mod acks;
mod admin;
mod again;
mod ages;
mod alone;
mod client;
mod look;
mod names;
mod prepare;
mod producers;
mod questions;
mod slot;
mod talk;

pub use prepare::Checks;

use super::{Prepared, PublishError, Publisher};
use crate::{
    reading::Reading,
    record::{Ack, Record},
    workers::hear,
};
use admin::Admin;
use again::Again;
use futures_util::future::BoxFuture;
use look::Known;
use names::Names;
use producers::Producers;
use rdkafka::{
    ClientConfig,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord},
};
use slot::Producer;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};
use talk::Talk;
use tokio::sync::{Mutex, oneshot};

/// What we set before the user's options, each for a reason.
const DEFAULTS: [(&str, &str); 15] = [
    ("client.id", "hookway"),
    ("enable.idempotence", "true"),    // acks=all, no reordering by retries
    ("partitioner", "murmur2_random"), // the Java client's choice; librdkafka's own differs
    ("max.in.flight", "3"),            // while three requests are under way the next batches gather
    ("compression.type", "lz4"), // the cheapest that every broker since 0.8.2 knows; envelopes of one sender are much alike
    ("message.timeout.ms", "60000"), // settles unknown outcomes; the HTTP deadline is ours
    ("socket.timeout.ms", "10000"), // the default of 60 s hides a stalled broker
    ("socket.connection.setup.timeout.ms", "5000"),
    ("socket.keepalive.enable", "true"),
    ("socket.nagle.disable", "true"), // a lone record must not wait for a full segment
    ("reconnect.backoff.max.ms", "2000"), // back soon after an outage
    ("topic.metadata.propagation.max.ms", "2000"), // a missing topic is an answer, not a 30 s wait
    ("allow.auto.create.topics", "false"),
    ("queue.buffering.max.kbytes", "65536"), // bounded memory; beyond it events are refused with 503
    ("queue.buffering.max.messages", "100000"),
];

/// Returns the client's settings: ours, then the user's `options` over them.
pub fn client_config(brokers: &[String], options: &BTreeMap<String, String>) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in DEFAULTS {
        config.set(name, value);
    }
    for (name, value) in options {
        // Another name of one of ours: of two names for one thing, either might win.
        let of_ours = match name.as_str() {
            "max.in.flight.requests.per.connection" => Some("max.in.flight"),
            "compression.codec" => Some("compression.type"),
            "delivery.timeout.ms" => Some("message.timeout.ms"),
            _ => None,
        };
        if let Some(ours) = of_ours {
            config.remove(ours);
        }
        config.set(name, value);
    }
    config.set("bootstrap.servers", brokers.join(","));
    config
}

/// Why librdkafka makes no client.
pub use rdkafka::error::KafkaError as Refused;

/// Makes a client of these options that connects to nothing, and ends it: librdkafka refuses some options only together, or
/// for the files that they name.
pub fn try_out(brokers: &[String], options: &BTreeMap<String, String>) -> Result<(), Refused> {
    let mut config = client_config(brokers, options);
    config.remove("bootstrap.servers").set_log_level(RDKafkaLogLevel::Emerg);
    config.create::<BaseProducer>().map(drop)
}

/// Changes settings; returns whether that was a change.
fn set(config: &mut ClientConfig, settings: &[(String, String)]) -> bool {
    let is_new = |(name, value): &&(String, String)| config.get(name) != Some(value);
    let new: Vec<_> = settings.iter().filter(is_new).collect();
    for (name, value) in &new {
        config.set(name.as_str(), value.as_str());
    }
    !new.is_empty()
}

/// Reads the options anew that are kept elsewhere, as far as they can be read.
pub type Secrets = Arc<dyn Fn() -> Options + Send + Sync>;

/// Options with their values.
pub type Options = Vec<(String, String)>;

/// One Kafka cluster as a sink.
pub struct Kafka {
    producers: Producers,
    admin: Arc<Admin>,
    checks: Checks,
    /// The topics that routes name literally; all other names hold a sender's text.
    fixed: HashSet<String>,
    names: Names,
    talk: Arc<Talk>,
    known: Known,
    secrets: Secrets,
    reading: Mutex<Reading<Options>>,
}

impl Kafka {
    /// Makes the clients, which connect in the background, and keeps what [`Publisher::prepare`] checks; `secrets` are
    /// read at each look. Belongs to the runtime that it is called from.
    pub fn new(config: ClientConfig, checks: Checks, secrets: Secrets) -> Result<Self, KafkaError> {
        let talk = Arc::new(Talk::about(config.get("bootstrap.servers").unwrap_or_default()));
        let admin = Arc::new(Admin::start(&config)?);
        let producers = Producers::new(config, &talk)?;
        let known = Known::new(producers.widest());
        let fixed = checks.topics.iter().cloned().collect();
        let (names, reading) = (Names::default(), Mutex::default());
        Ok(Self { producers, admin, checks, fixed, names, talk, known, secrets, reading })
    }

    async fn send(&self, record: Record) -> Result<Ack, PublishError> {
        if !self.fixed.contains(&*record.destination) {
            // Rare, and so not worth room in the future of every record.
            Box::pin(self.find(&record.destination)).await?;
        }
        let closed = || PublishError::Unavailable("the client was closed".to_owned());
        let (producer, _outstanding) = self.producers.choose(record.in_turn).ok_or_else(closed)?;
        let _waits = producer.ages.begin();
        let outcome = self.hand_over(&producer, record)?;
        match hear(outcome).await {
            Ok(outcome) => outcome.map_err(|error| self.classify(&producer, &error)),
            Err(_) => Err(closed()),
        }
    }

    /// Hands a record to a client; its answer comes later.
    fn hand_over(
        &self,
        producer: &Producer,
        record: Record,
    ) -> Result<oneshot::Receiver<again::Outcome>, PublishError> {
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (name, value) in &record.headers {
            headers = headers.insert(Header { key: name, value: Some(&**value) });
        }
        let (waiting, outcome) = oneshot::channel();
        if record.key.is_none() && self.known.is_compacted(&record.destination) {
            // It would take the records beside it along.
            self.producers.alone().take(Again::new(record, headers, waiting), None);
            return Ok(outcome);
        }
        let mut message = BaseRecord::with_opaque_to(&record.destination, Box::new(waiting))
            .payload(&*record.value)
            .timestamp(record.timestamp_ms)
            .headers(headers);
        if let Some(key) = &record.key {
            message = message.key(key.as_str());
        }
        producer.send(message).map_err(|(error, _)| self.classify(producer, &error))?;
        Ok(outcome)
    }

    /// Says what an error means for its record. What a broker refuses was refused to the record alone.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "librdkafka has 140 codes, and all but these mean that a retry can help"
    )]
    fn classify(&self, producer: &Producer, error: &KafkaError) -> PublishError {
        use RDKafkaErrorCode as Code;
        let Some(code) = error.rdkafka_error_code() else {
            return PublishError::Unavailable(error.to_string());
        };
        match code {
            Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::MessageBatchTooLarge => {
                PublishError::TooLarge(code.to_string())
            }
            Code::QueueFull => PublishError::Saturated,
            Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::UnknownPartition
            | Code::InvalidTopic => {
                PublishError::Misconfigured(format!("{code}: make the topic, or mend the route"))
            }
            Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => {
                PublishError::Refused(format!("{code}: allow this user to write and describe"))
            }
            Code::Fatal => {
                // A client with a fatal error answers every later record with it, so a new one takes over.
                self.producers.replace(producer);
                PublishError::Unavailable(format!("the client had to be replaced: {error}"))
            }
            code if acks::is_refusal(code) => PublishError::Rejected(code.to_string()),
            _ => PublishError::Unavailable(code.to_string()),
        }
    }
}

impl Publisher for Kafka {
    fn publish(self: Arc<Self>, record: Record) -> BoxFuture<'static, Result<Ack, PublishError>> {
        Box::pin(async move { self.send(record).await })
    }

    fn keeps_order(&self) -> bool {
        true
    }

    fn destinations(&self) -> Option<&[String]> {
        Some(&self.checks.topics)
    }

    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
        Box::pin(self.look_first())
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        Box::pin(self.look_again())
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.producers.close().await;
            self.admin.close().await;
        })
    }
}

#[cfg(test)]
mod tests;

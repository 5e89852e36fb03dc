//! Looks at Kafka's side, before the first event and again while the process runs: are the topics there, do they
//! take our sizes, and how durable is their ack. Makes missing topics where the configuration says so.

use super::{
    super::Prepared,
    PublishError,
    admin::Admin,
    questions::{self, Seen},
};
use rdkafka::admin::{ConfigResource, OwnedResourceSpecifier};
use std::{collections::HashSet, time::Duration};

/// What is checked of one cluster.
#[derive(Debug, Clone)]
pub struct Checks {
    /// The topics that routes name literally.
    pub topics: Vec<String>,
    /// Whether other names come from templates.
    pub has_templates: bool,
    /// The largest record that a source may make, in bytes.
    pub largest_record: u64,
    /// Partitions and replicas of topics that are missing; `None`: a missing topic is an error.
    pub create: Option<(i32, i32)>,
}

/// What the settings of the topics in use say to batches.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    /// The smallest `max.message.bytes`; `None` where none can be read.
    pub(super) smallest: Option<u64>,
    /// Topics that take no record without a key.
    pub(super) compacted: HashSet<String>,
}

impl Checks {
    /// Asks for the topics: those of our names, or all where names come from templates.
    pub(super) async fn topics(&self, admin: &Admin, patience: Duration) -> Result<Seen, PublishError> {
        let names = Some(self.topics.clone()).filter(|names| !self.has_templates && !names.is_empty());
        admin.ask(move |client, _| questions::topics(client, names.as_deref(), patience)).await
    }

    /// Asks for the topics, and makes those that are missing where the configuration says so.
    pub(super) async fn prepare(
        &self,
        admin: &Admin,
        prepared: &mut Prepared,
        patience: Duration,
    ) -> Result<Seen, PublishError> {
        let mut seen = self.topics(admin, patience).await?;
        let missing = self.missing(&seen);
        if let (Some(create), false) = (self.create, missing.is_empty()) {
            prepared.facts.push(format!("made {}", missing.join(", ")));
            admin.ask(move |client, runtime| questions::create(client, runtime, &missing, create)).await?;
            seen = self.topics(admin, patience).await?;
        }
        self.are_there(&seen)?;
        prepared.facts.push(format!("{} brokers, {} topics of ours", seen.brokers, self.topics.len()));
        prepared.durability = self.durability(&seen, &mut prepared.warnings);
        Ok(seen)
    }

    /// Returns an error that names the topics that are not there.
    pub(super) fn are_there(&self, seen: &Seen) -> Result<(), PublishError> {
        let missing = self.missing(seen);
        if missing.is_empty() {
            return Ok(());
        }
        Err(PublishError::Misconfigured(format!(
            "topic {} does not exist or may not be described: make it, or set `create: {{ partitions: 12, replication: 1 }}`",
            missing.join(", ")
        )))
    }

    fn missing(&self, seen: &Seen) -> Vec<String> {
        self.topics.iter().filter(|name| !seen.topics.contains_key(*name)).cloned().collect()
    }

    /// Returns 2 where a copy of every topic survives the loss of a broker, else 1.
    fn durability(&self, seen: &Seen, warnings: &mut Vec<String>) -> u8 {
        let mut level = 2;
        for (name, partitions) in seen.topics.iter().filter(|(name, _)| self.topics.contains(name)) {
            if partitions.iter().map(|partition| partition.replicas).min().unwrap_or(0) < 2 {
                level = 1;
                warnings.push(format!(
                    "topic {name} has one replica: an acknowledged event is lost with its broker's disk"
                ));
            }
        }
        level
    }

    /// Judges a topic's settings; a cluster that does not show them is only less well checked.
    pub(super) fn judge(&self, topic: &ConfigResource, prepared: &mut Prepared) {
        let name = format!("topic {}", name(topic));
        let warnings = &mut prepared.warnings;
        if number(topic, "max.message.bytes").is_some_and(|limit| limit < self.largest_record) {
            warnings.push(format!(
                "{name}: max.message.bytes is below the largest record that a source may make ({} bytes): \
                 larger events go to the quarantine; raise it, or lower `max_body`",
                self.largest_record
            ));
        }
        if is_compacted(topic) {
            warnings.push(format!(
                "{name}: compaction keeps only the last event of each object, and takes none without a key: such go to \
                 the quarantine"
            ));
        }
        if prepared.durability == 2
            && number(topic, "min.insync.replicas").is_some_and(|replicas| replicas < 2)
        {
            prepared.durability = 1;
            warnings.push(format!("{name}: min.insync.replicas is 1, so one broker's word is an ack"));
        }
        if setting(topic, "unclean.leader.election.enable") == Some("true") {
            warnings.push(format!("{name}: unclean leader election can lose acknowledged events"));
        }
    }
}

impl Learnt {
    /// Takes what the settings of the topics in use say.
    pub(super) fn from(topics: &[ConfigResource]) -> Self {
        let smallest = topics.iter().filter_map(|topic| number(topic, "max.message.bytes")).min();
        let compacted = topics.iter().filter(|topic| is_compacted(topic)).map(|topic| name(topic).to_owned());
        Self { smallest, compacted: compacted.collect() }
    }
}

fn name(topic: &ConfigResource) -> &str {
    match &topic.specifier {
        OwnedResourceSpecifier::Topic(name) | OwnedResourceSpecifier::Group(name) => name,
        OwnedResourceSpecifier::Broker(_) => "",
    }
}

fn setting<'t>(topic: &'t ConfigResource, wanted: &str) -> Option<&'t str> {
    topic.get(wanted).and_then(|entry| entry.value.as_deref())
}

fn number(topic: &ConfigResource, wanted: &str) -> Option<u64> {
    setting(topic, wanted).and_then(|value| value.parse().ok())
}

fn is_compacted(topic: &ConfigResource) -> bool {
    setting(topic, "cleanup.policy").is_some_and(|policy| policy.contains("compact"))
}

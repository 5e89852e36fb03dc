//! Looks at Kafka's side before the first event: are the topics there, do they take our sizes, and how durable
//! is their ack. Makes missing topics where the configuration says so.

use super::{super::Prepared, Producers, PublishError};
use rdkafka::{
    admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    metadata::Metadata,
};
use std::time::Duration;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is checked of one cluster.
#[derive(Debug, Clone)]
pub struct Checks {
    /// The topics that routes name literally.
    pub topics: Vec<String>,
    /// The largest record that a source may make, in bytes.
    pub largest_record: u64,
    /// Partitions and replicas of topics that are missing; `None`: a missing topic is an error.
    pub create: Option<(i32, i32)>,
}

impl Checks {
    pub(super) async fn run(&self, producers: &Producers) -> Result<Prepared, PublishError> {
        let mut config = producers.config().clone();
        // The settings of a producer mean nothing to this client, which would warn about each.
        for name in ["enable.idempotence", "partitioner", "message.timeout.ms", "linger.ms"] {
            config.remove(name);
        }
        let admin: AdminClient<DefaultClientContext> =
            config.create().map_err(|error: KafkaError| PublishError::Misconfigured(error.to_string()))?;
        let admin = std::sync::Arc::new(admin);
        let mut prepared = Prepared::default();
        let mut metadata = self.metadata(&admin).await?;
        let missing = self.missing(&metadata)?;
        if !missing.is_empty() {
            self.create(&admin, &missing).await?;
            prepared.facts.push(format!("made {}", missing.join(", ")));
            metadata = self.metadata(&admin).await?;
        }
        prepared.facts.push(format!(
            "{} brokers, {} topics of ours",
            metadata.brokers().len(),
            self.topics.len()
        ));
        prepared.durability = self.durability(&metadata, &mut prepared.warnings);
        self.limits(&admin, &mut prepared).await;
        // The client's threads end when it is dropped, and that may take a moment.
        tokio::task::spawn_blocking(move || drop(admin));
        Ok(prepared)
    }

    async fn metadata(
        &self,
        admin: &std::sync::Arc<AdminClient<DefaultClientContext>>,
    ) -> Result<Metadata, PublishError> {
        let admin = std::sync::Arc::clone(admin);
        tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(None, PATIENCE))
            .await
            .map_err(|_| PublishError::Unavailable("the check was ended".to_owned()))?
            .map_err(|error| {
                PublishError::Unavailable(format!("no answer to a question for the topics: {error}"))
            })
    }

    /// Returns the topics that are not there; an error where they are not to be made.
    fn missing(&self, metadata: &Metadata) -> Result<Vec<String>, PublishError> {
        let known = |name: &String| metadata.topics().iter().any(|t| t.name() == name && t.error().is_none());
        let missing: Vec<String> = self.topics.iter().filter(|name| !known(name)).cloned().collect();
        if missing.is_empty() || self.create.is_some() {
            return Ok(missing);
        }
        Err(PublishError::Misconfigured(format!(
            "topic {} does not exist or may not be described: make it, or set `create: {{ partitions: 12, replication: 1 }}`",
            missing.join(", ")
        )))
    }

    async fn create(
        &self,
        admin: &AdminClient<DefaultClientContext>,
        names: &[String],
    ) -> Result<(), PublishError> {
        let (partitions, replication) = self.create.unwrap_or((12, 1));
        let topics: Vec<NewTopic<'_>> = names
            .iter()
            .map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(replication)))
            .collect();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        let made = admin
            .create_topics(&topics, &options)
            .await
            .map_err(|error| PublishError::Unavailable(format!("topics can't be made: {error}")))?;
        for result in made {
            match result {
                // Another replica was quicker.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => {
                    return Err(PublishError::Misconfigured(format!("topic {name} can't be made: {code}")));
                }
            }
        }
        Ok(())
    }

    /// Returns 2 where a copy of every topic survives the loss of a broker, else 1.
    fn durability(&self, metadata: &Metadata, warnings: &mut Vec<String>) -> u8 {
        let ours =
            metadata.topics().iter().filter(|topic| self.topics.iter().any(|name| name == topic.name()));
        let mut level = 2;
        for topic in ours {
            let replicas =
                topic.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or(0);
            if replicas < 2 {
                level = 1;
                warnings.push(format!(
                    "topic {} has one replica: an acknowledged event is lost with its broker's disk",
                    topic.name()
                ));
            }
        }
        level
    }

    /// Reads the topics' settings; a cluster that does not show them is only less well checked.
    async fn limits(&self, admin: &AdminClient<DefaultClientContext>, prepared: &mut Prepared) {
        let specifiers: Vec<ResourceSpecifier<'_>> =
            self.topics.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        if specifiers.is_empty() {
            return;
        }
        let options = AdminOptions::new().request_timeout(Some(PATIENCE));
        match admin.describe_configs(&specifiers, &options).await {
            Ok(resources) => {
                for resource in resources.into_iter().flatten() {
                    self.judge(&resource, prepared);
                }
            }
            Err(error) => prepared.warnings.push(format!("the topics' settings can't be read: {error}")),
        }
    }

    fn judge(&self, topic: &ConfigResource, prepared: &mut Prepared) {
        let name = format!("{:?}", topic.specifier);
        let setting = |wanted: &str| topic.get(wanted).and_then(|entry| entry.value.clone());
        let number = |wanted: &str| setting(wanted).and_then(|value| value.parse::<u64>().ok());
        if number("max.message.bytes").is_some_and(|limit| limit < self.largest_record) {
            prepared.warnings.push(format!(
                "{name}: max.message.bytes is below the largest record that a source may make ({} bytes): \
                 larger events go to the quarantine; raise it, or lower `max_body`",
                self.largest_record
            ));
        }
        if setting("cleanup.policy").is_some_and(|policy| policy.contains("compact")) {
            prepared.warnings.push(format!("{name}: compaction keeps only the last event of each object"));
        }
        if prepared.durability == 2 && number("min.insync.replicas").is_some_and(|replicas| replicas < 2) {
            prepared.durability = 1;
            prepared
                .warnings
                .push(format!("{name}: min.insync.replicas is 1, so one broker's word is an ack"));
        }
        if setting("unclean.leader.election.enable").as_deref() == Some("true") {
            prepared.warnings.push(format!("{name}: unclean leader election can lose acknowledged events"));
        }
    }
}

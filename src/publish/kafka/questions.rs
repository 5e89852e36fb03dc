//! What the brokers are asked: which topics are there and who leads them, what they are set to, and whether each
//! leader answers.

use super::{PublishError, admin::Client};
use rdkafka::{
    admin::{AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication},
    error::RDKafkaErrorCode,
    metadata::MetadataTopic,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::runtime::Handle;

/// How long one question may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A partition and who leads it.
#[derive(Debug, Clone)]
pub(super) struct Partition {
    id: i32,
    leader: i32,
    pub(super) replicas: usize,
}

/// The topics that are there and may be described.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) brokers: usize,
    pub(super) topics: BTreeMap<String, Vec<Partition>>,
}

impl Seen {
    fn add(&mut self, topic: &MetadataTopic) {
        if topic.error().is_some() {
            return;
        }
        let partition = |partition: &rdkafka::metadata::MetadataPartition| Partition {
            id: partition.id(),
            leader: partition.leader(),
            replicas: partition.replicas().len(),
        };
        self.topics.insert(topic.name().to_owned(), topic.partitions().iter().map(partition).collect());
    }
}

/// Returns the topics of these names that are there; of all names where none is given. A client keeps every name
/// that it is asked for, so none comes from a sender.
pub(super) fn topics(
    client: &Client,
    names: Option<&[String]>,
    patience: Duration,
) -> Result<Seen, PublishError> {
    let mut seen = Seen::default();
    let mut ask = |name: Option<&str>| {
        let metadata = client.inner().fetch_metadata(name, patience).map_err(|error| {
            PublishError::Unavailable(format!("no answer to a question for the topics: {error}"))
        })?;
        seen.brokers = metadata.brokers().len();
        metadata.topics().iter().for_each(|topic| seen.add(topic));
        Ok(())
    };
    match names {
        Some(names) => names.iter().try_for_each(|name| ask(Some(name)))?,
        None => ask(None)?,
    }
    Ok(seen)
}

/// Asks one partition of each leader for its newest offset; returns whether all answer.
pub(super) fn leaders_answer(client: &Client, seen: &Seen) -> bool {
    let mut asked = BTreeSet::new();
    let partitions =
        seen.topics.iter().flat_map(|(topic, partitions)| partitions.iter().map(move |p| (topic, p)));
    partitions.into_iter().all(|(topic, partition)| {
        partition.leader >= 0
            && (!asked.insert(partition.leader)
                || client.inner().fetch_watermarks(topic, partition.id, PATIENCE).is_ok())
    })
}

/// Returns the settings of topics, without those that may not be read.
pub(super) fn settings(
    client: &Client,
    runtime: &Handle,
    names: &[String],
) -> Result<Vec<ConfigResource>, PublishError> {
    let specifiers: Vec<ResourceSpecifier<'_>> =
        names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    if specifiers.is_empty() {
        return Ok(Vec::new());
    }
    let options = AdminOptions::new().request_timeout(Some(PATIENCE));
    let described = runtime.block_on(client.describe_configs(&specifiers, &options));
    let described = described
        .map_err(|error| PublishError::Unavailable(format!("the topics' settings can't be read: {error}")))?;
    Ok(described.into_iter().flatten().collect())
}

/// Makes topics of so many partitions and replicas.
pub(super) fn create(
    client: &Client,
    runtime: &Handle,
    names: &[String],
    (partitions, replication): (i32, i32),
) -> Result<(), PublishError> {
    let topics: Vec<NewTopic<'_>> = names
        .iter()
        .map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(replication)))
        .collect();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
    let made = runtime
        .block_on(client.create_topics(&topics, &options))
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

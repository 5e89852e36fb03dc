//! Creates and deletes the topics of a test, and returns only when the broker has caught up.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::metadata::MetadataPartition;

use super::super::deadline;
use super::Kafka;

/// The longest a change may take to be seen.
const SETTLE: Duration = Duration::from_secs(30);

impl Kafka {
    /// Creates a topic and returns when each of its partitions has a leader.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]);
    }

    /// Creates a topic with configuration entries such as `("max.message.bytes", "2000")`.
    pub(crate) fn create_topic_with(&self, name: &str, partitions: i32, entries: &[(&str, &str)]) {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (entry, value) in entries {
            topic = topic.set(entry, value);
        }
        let admin = self.admin();
        let made = deadline::block_on(admin.create_topics([&topic], &AdminOptions::new()));
        let made = made.expect("the broker answers").remove(0);
        made.unwrap_or_else(|(topic, code)| panic!("topic {topic} was not created: {code}"));
        self.made.lock().expect("no test panics while it holds this").push(name.to_owned());
        deadline::until(&format!("a leader of each partition of {name}"), SETTLE, || {
            let seen = leaders(&admin, name);
            (seen.len() == usize::try_from(partitions).ok()? && seen.iter().all(|&leader| leader >= 0))
                .then_some(())
        });
    }

    /// Changes configuration entries of a topic; all others go back to their defaults.
    pub(crate) fn alter_topic(&self, name: &str, entries: &[(&str, &str)]) {
        let topic = AlterConfig::new(ResourceSpecifier::Topic(name));
        let topic = entries.iter().fold(topic, |topic, (entry, value)| topic.set(entry, value));
        let changed = deadline::block_on(self.admin().alter_configs([&topic], &AdminOptions::new()));
        let changed = changed.expect("the broker answers").remove(0);
        changed.unwrap_or_else(|(_, code)| panic!("topic {name} was not changed: {code}"));
    }

    /// Deletes a topic and returns when the broker no longer knows it.
    pub(crate) fn delete_topic(&self, name: &str) {
        let admin = self.admin();
        let gone = deadline::block_on(admin.delete_topics(&[name], &AdminOptions::new()));
        let gone = gone.expect("the broker answers").remove(0);
        gone.unwrap_or_else(|(topic, code)| panic!("topic {topic} was not deleted: {code}"));
        self.made.lock().expect("no test panics while it holds this").retain(|made| made != name);
        deadline::until(&format!("the end of topic {name}"), SETTLE, || {
            leaders(&admin, name).is_empty().then_some(())
        });
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).create().expect("an admin client can be made")
    }
}

/// Returns the leader of each partition that a topic has now; none if it does not exist.
fn leaders(admin: &AdminClient<DefaultClientContext>, topic: &str) -> Vec<i32> {
    let metadata = admin.inner().fetch_metadata(Some(topic), SETTLE).expect("the broker answers");
    let topic = metadata.topics().first().expect("the answer names the topic");
    topic.partitions().iter().map(MetadataPartition::leader).collect()
}

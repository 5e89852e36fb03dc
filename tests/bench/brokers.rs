//! The brokers of the bench: real ones, with a topic or stream for each subject, emptied between the rounds so
//! that none has to work on what another left.

use async_nats::jetstream::{self, stream};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};

/// Partitions of every topic.
pub const PARTITIONS: i32 = 12;

/// Kafka with one topic for each subject.
pub struct KafkaTopics {
    admin: AdminClient<DefaultClientContext>,
    topics: Vec<&'static str>,
}

impl KafkaTopics {
    /// Makes `topics`.
    pub async fn create(bootstrap: &str, topics: &[&'static str]) -> Self {
        let admin: AdminClient<_> = ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
        let new: Vec<_> =
            topics.iter().map(|topic| NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1))).collect();
        for made in admin.create_topics(&new, &AdminOptions::new()).await.unwrap() {
            made.unwrap_or_else(|(topic, error)| panic!("topic {topic}: {error}"));
        }
        Self { admin, topics: topics.to_vec() }
    }

    /// Removes all records.
    pub async fn empty(&self) {
        let mut ends = TopicPartitionList::new();
        for topic in &self.topics {
            for partition in 0..PARTITIONS {
                ends.add_partition_offset(topic, partition, Offset::End).unwrap();
            }
        }
        self.admin.delete_records(&ends, &AdminOptions::new()).await.unwrap();
    }
}

/// JetStream with one stream, on disk, for each subject of the bench.
pub struct NatsStreams {
    streams: Vec<stream::Stream>,
}

impl NatsStreams {
    /// Makes a stream of each name; it takes the subjects below its name in small letters.
    pub async fn create(url: &str, names: &[&str]) -> Self {
        let jetstream = jetstream::new(async_nats::connect(url).await.unwrap());
        let mut streams = Vec::new();
        for name in names {
            let config = stream::Config {
                name: (*name).to_owned(),
                subjects: vec![format!("{}.>", name.to_lowercase())],
                ..stream::Config::default()
            };
            streams.push(jetstream.create_stream(config).await.unwrap());
        }
        Self { streams }
    }

    /// Removes all messages.
    pub async fn empty(&self) {
        for stream in &self.streams {
            stream.purge().await.unwrap();
        }
    }
}

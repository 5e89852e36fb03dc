//! The topics and streams of the bench, one for each subject, emptied between the rounds so that none has to
//! work on what another left.

use crate::support::{kafka::Kafka, nats::Nats};
use async_nats::jetstream;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};

/// Partitions of every topic.
pub(crate) const PARTITIONS: i32 = 12;

/// Where what was published stands.
pub(crate) enum Store {
    /// Topics of Kafka.
    Kafka { admin: AdminClient<DefaultClientContext>, topics: Vec<String> },
    /// Streams of JetStream.
    Nats { context: jetstream::Context, streams: Vec<String> },
    /// Files, which their subject removes.
    Disk,
}

impl Store {
    /// Makes topics of these names with these settings.
    pub(crate) fn kafka(kafka: &Kafka, topics: &[String], settings: &[(&str, &str)]) -> Self {
        let admin = ClientConfig::new().set("bootstrap.servers", kafka.bootstrap()).create().unwrap();
        for topic in topics {
            kafka.create_topic_with(topic, PARTITIONS, settings);
        }
        Self::Kafka { admin, topics: topics.to_vec() }
    }

    /// Makes streams of these names, each for the subjects below its name.
    pub(crate) async fn nats(nats: &Nats, streams: &[String]) -> Self {
        let context = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
        for stream in streams {
            nats.create_stream(stream, &[&format!("{stream}.>")]);
        }
        Self::Nats { context, streams: streams.to_vec() }
    }

    /// Removes all records.
    pub(crate) async fn empty(&self) {
        match self {
            Self::Kafka { admin, topics } => {
                let mut ends = TopicPartitionList::new();
                for topic in topics {
                    for partition in 0..PARTITIONS {
                        ends.add_partition_offset(topic, partition, Offset::End).unwrap();
                    }
                }
                admin.delete_records(&ends, &AdminOptions::new()).await.unwrap();
            }
            Self::Nats { context, streams } => {
                for stream in streams {
                    context.get_stream(stream).await.unwrap().purge().await.unwrap();
                }
            }
            Self::Disk => {}
        }
    }
}

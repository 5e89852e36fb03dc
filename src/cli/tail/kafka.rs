//! Reads Kafka topics by assignment: no consumer group is joined and no offset is committed.

use super::{
    from::From,
    row::{Place, Row},
};
use crate::{
    app::clients,
    cli::exit::{Exit, Stop},
    config::{KafkaConfig, LoadError, Loaded},
    route::template::{Name, Piece},
};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaError,
    message::{BorrowedMessage, Headers as _},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{task::spawn_blocking, time::timeout};
use wildmatch::WildMatch;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// After this long without a record the rest of the backlog is taken to be gone (compacted, or a transaction's
/// markers, which a consumer never sees).
const IDLE: Duration = Duration::from_secs(3);

/// The settings of a sink that are its connection's; those of a producer mean nothing to a reader.
const CONNECTION: [&str; 12] = [
    "security.",
    "sasl.",
    "ssl.",
    "enable.ssl.",
    "enable.sasl.",
    "https.",
    "socket.",
    "broker.",
    "client.",
    "reconnect.",
    "api.version.",
    "metadata.",
];

pub(in crate::cli) struct Feed {
    consumer: Arc<StreamConsumer>,
    /// What is left of the backlog: per partition the offset behind its last record.
    ends: BTreeMap<(String, i32), i64>,
}

/// One partition: its oldest offset and the one behind its newest.
struct Partition {
    topic: String,
    number: i32,
    low: i64,
    high: i64,
}

impl Feed {
    /// Connects, finds the topics and begins at `from` in each of their partitions.
    pub(super) async fn open(
        loaded: &Loaded,
        sink: &str,
        config: &KafkaConfig,
        templates: &[String],
        from: From,
        topic: Option<&WildMatch>,
    ) -> Result<Self, Stop> {
        let consumer = Arc::new(consumer(loaded, sink, config)?);
        let wanted = wanted(templates, topic);
        let (asked, brokers) = (Arc::clone(&consumer), config.brokers.join(", "));
        let partitions = spawn_blocking(move || partitions(&asked, &wanted, &brokers)).await;
        let partitions =
            partitions.map_err(|_| Stop::new(Exit::Bug, "the question to Kafka ended by a bug"))??;
        let mut assignment = TopicPartitionList::new();
        let mut ends = BTreeMap::new();
        for Partition { topic, number, low, high } in partitions {
            let begin = match from {
                From::Start => low,
                From::End => high,
                From::Last(n) => high.saturating_sub(i64::from(n)).max(low),
            };
            assignment
                .add_partition_offset(&topic, number, Offset::Offset(begin))
                .map_err(|error| unavailable(&error))?;
            if begin < high {
                ends.insert((topic, number), high);
            }
        }
        consumer.assign(&assignment).map_err(|error| unavailable(&error))?;
        Ok(Self { consumer, ends })
    }

    pub(super) async fn next(&mut self, waits: bool) -> Result<Option<Row>, Stop> {
        if self.ends.is_empty() && !waits {
            return Ok(None);
        }
        let patience = if waits { Duration::MAX } else { IDLE };
        let Ok(message) = timeout(patience, self.consumer.recv()).await else {
            self.ends.clear();
            return Ok(None);
        };
        let message = message.map_err(|error| unavailable(&error))?;
        let place = (message.topic().to_owned(), message.partition());
        // What came after the start belongs to the backlog as long as that is not over.
        if self.ends.get(&place).is_some_and(|end| message.offset() + 1 >= *end) {
            self.ends.remove(&place);
        }
        Ok(Some(row(&message)))
    }
}

fn consumer(loaded: &Loaded, sink: &str, config: &KafkaConfig) -> Result<StreamConsumer, Stop> {
    let mut client = ClientConfig::new();
    client.set("client.id", "hookway-tail");
    let options = clients::kafka_options(loaded, sink, config)?;
    for (name, value) in &options {
        if CONNECTION.iter().any(|prefix| name.starts_with(prefix)) {
            client.set(name, value);
        }
    }
    client
        .set("bootstrap.servers", config.brokers.join(","))
        // librdkafka wants a group's name to assign partitions; with no subscription and no commit it is never used.
        .set("group.id", "hookway-tail")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        .create()
        .map_err(|error: KafkaError| {
            LoadError::from(clients::kafka_problem(loaded, sink, &options, &error)).into()
        })
}

/// Returns which topics are read: those that `--topic` takes, else those that the routes name.
fn wanted(templates: &[String], topic: Option<&WildMatch>) -> impl Fn(&str) -> bool + Send + 'static + use<> {
    let globs: Vec<WildMatch> = match topic {
        Some(topic) => vec![topic.clone()],
        None => templates.iter().map(|template| WildMatch::new(&glob(template))).collect(),
    };
    move |topic| globs.iter().any(|glob| glob.matches(topic))
}

/// Returns a template as a glob: each slot stands for any text.
fn glob(template: &str) -> String {
    let Ok(Name::Template(pieces)) = Name::parse(template) else { return template.to_owned() };
    pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "*" }).collect()
}

fn partitions(
    consumer: &StreamConsumer,
    wanted: &dyn Fn(&str) -> bool,
    brokers: &str,
) -> Result<Vec<Partition>, Stop> {
    let metadata = consumer
        .fetch_metadata(None, PATIENCE)
        .map_err(|error| Stop::unavailable(format!("Kafka at {brokers} does not answer: {error}")))?;
    let mut found = Vec::new();
    for topic in
        metadata.topics().iter().filter(|topic| wanted(topic.name()) && !topic.name().starts_with("__"))
    {
        let numbers: BTreeSet<i32> =
            topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect();
        for number in numbers {
            let (low, high) = consumer
                .fetch_watermarks(topic.name(), number, PATIENCE)
                .map_err(|error| unavailable(&error))?;
            found.push(Partition { topic: topic.name().to_owned(), number, low, high });
        }
    }
    if found.is_empty() {
        return Err(Stop::new(Exit::Negative, "none of the topics is there (yet): nothing was published"));
    }
    Ok(found)
}

fn unavailable(error: &KafkaError) -> Stop {
    Stop::unavailable(format!("Kafka does not answer: {error}"))
}

fn row(message: &BorrowedMessage<'_>) -> Row {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().map(|headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default()))
            .collect()
    });
    Row {
        destination: message.topic().to_owned(),
        place: Place::Kafka { partition: message.partition(), offset: message.offset() },
        key: message.key().map(text),
        headers: headers.unwrap_or_default(),
        value: bytes::Bytes::copy_from_slice(message.payload().unwrap_or_default()),
        timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_reads_every_topic_that_it_may_have_written() {
        assert_eq!(glob("hotel.{object}.v1"), "hotel.*.v1");
        assert_eq!(glob("hotel.{object}{key}"), "hotel.**");
        assert_eq!(glob("units"), "units");
        let takes = wanted(&["hotel.{object}".to_owned(), "units".to_owned()], None);
        assert!(takes("hotel.BOOKING") && takes("units") && !takes("rooms"));
        let takes = wanted(&["units".to_owned()], Some(&WildMatch::new("hotel.*")));
        assert!(takes("hotel.BOOKING") && !takes("units"));
    }
}

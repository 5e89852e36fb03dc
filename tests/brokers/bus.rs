//! A broker of a case's own, Kafka or NATS, so that one case can be written for both: it is killed, frozen and
//! read in the same words. One topic or stream, `events`, on one partition.

use crate::delivery;
use crate::envelope::{self, Envelope};
use crate::hookway::Hookway;
use crate::support::kafka::Kafka;
use crate::support::nats::Nats;

/// The topic, or the subject of the stream.
const EVENTS: &str = "events";

/// A broker that a case may break.
#[derive(Debug)]
pub(crate) enum Bus {
    /// Apache Kafka.
    Kafka(Kafka),
    /// The NATS server.
    Nats(Nats),
}

impl Bus {
    /// Starts a Kafka with the topic.
    pub(crate) fn kafka() -> Self {
        let kafka = Kafka::start();
        kafka.create_topic(EVENTS, 1);
        Self::Kafka(kafka)
    }

    /// Starts a NATS server with the stream.
    pub(crate) fn nats() -> Self {
        let nats = Nats::start();
        nats.create_stream(EVENTS, &[EVENTS]);
        Self::Nats(nats)
    }

    /// Starts Hookway, which publishes everything here; the quarantine is a journal. Returns once it listens.
    pub(crate) fn hookway(&self) -> Hookway {
        delivery::hookway(&self.config())
    }

    /// Returns sinks, routes and quarantine of [`Self::hookway`].
    pub(crate) fn config(&self) -> String {
        let (sink, target) = match self {
            Self::Kafka(kafka) => (format!("kafka: {{ brokers: [ \"{}\" ] }}", kafka.bootstrap()), "topic"),
            Self::Nats(nats) => {
                (format!("nats: {{ servers: [ \"{}\" ], stream: {EVENTS} }}", nats.url()), "subject")
            }
        };
        format!(
            "sinks: {{ bus: {{ {sink} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, {target}: {EVENTS} }} }} ]\nquarantine: {{ sink: kept }}\n"
        )
    }

    /// Returns all that stands there, in order, once it is at least `expected`.
    pub(crate) fn read(&self, expected: usize) -> Vec<Envelope> {
        match self {
            Self::Kafka(kafka) => envelope::of_records(&kafka.read(EVENTS, expected)),
            Self::Nats(nats) => envelope::of_messages(&nats.read(EVENTS, expected)),
        }
    }

    /// Returns the ids of all that stands there, in order, once it is at least `expected`.
    pub(crate) fn ids(&self, expected: usize) -> Vec<String> {
        self.read(expected).iter().map(|envelope| envelope.id().to_owned()).collect()
    }

    /// Kills the broker (`kill -9`).
    pub(crate) fn kill(&mut self) {
        match self {
            Self::Kafka(kafka) => kafka.kill(),
            Self::Nats(nats) => nats.kill(),
        }
    }

    /// Starts the killed broker again and returns once it serves.
    pub(crate) fn restart(&mut self) {
        match self {
            Self::Kafka(kafka) => kafka.restart(),
            Self::Nats(nats) => nats.restart(),
        }
    }

    /// Freezes the broker.
    pub(crate) fn pause(&mut self) {
        match self {
            Self::Kafka(kafka) => kafka.pause(),
            Self::Nats(nats) => nats.pause(),
        }
    }

    /// Lets a frozen broker go on.
    pub(crate) fn resume(&mut self) {
        match self {
            Self::Kafka(kafka) => kafka.resume(),
            Self::Nats(nats) => nats.resume(),
        }
    }
}

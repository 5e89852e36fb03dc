//! The lines that are told: what became of an event, and what a request was answered.

use crate::{event::Event, observe::logs::RefusalLog, record::Ack};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of one event at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The source's name.
    pub source: String,
    /// The event's id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key of its object.
    pub key: Option<String>,
    /// `published`, `spooled`, `stored_before`, `quarantined`, `filtered` or `suppressed`.
    pub outcome: String,
    /// Why it is in the quarantine.
    pub reason: Option<String>,
    /// The sink that holds it; `None` for a file beside a journal.
    pub sink: Option<String>,
    /// Topic, subject or file; empty for a journal.
    pub destination: Option<String>,
    /// Kafka's partition.
    pub partition: Option<i32>,
    /// The offset in it.
    pub offset: Option<i64>,
    /// JetStream's stream.
    pub stream: Option<String>,
    /// The sequence in a stream or journal.
    pub sequence: Option<u64>,
}

impl Told {
    /// An event that has no place: `filtered` or `suppressed`.
    pub fn placeless(event: &Event, outcome: &str) -> Self {
        Self {
            source: event.source_name.to_string(),
            id: event.id.clone(),
            kind: event.kind.clone(),
            key: event.key.clone(),
            outcome: outcome.to_owned(),
            ..Self::default()
        }
    }

    /// An event that a sink holds.
    pub fn stored(event: &Event, sink: &str, destination: &str, ack: &Ack) -> Self {
        let outcome = match &event.quarantine {
            _ if ack.is_duplicate() => "stored_before",
            _ if matches!(ack, Ack::Spool { .. }) => "spooled",
            Some(_) => "quarantined",
            None => "published",
        };
        let why = event.quarantine.as_ref().map(|why| format!("{}: {}", why.reason.name(), why.detail));
        let (sink, destination) = (Some(sink.to_owned()), Some(destination.to_owned()));
        let told = Self { reason: why, sink, destination, ..Self::placeless(event, outcome) };
        match ack {
            Ack::Kafka { partition, offset } => {
                Self { partition: Some(*partition), offset: Some(*offset), ..told }
            }
            Ack::Nats { stream, sequence, .. } => {
                Self { stream: Some(stream.clone()), sequence: Some(*sequence), ..told }
            }
            Ack::Journal { sequence } => Self { sequence: Some(*sequence), ..told },
            Ack::Spool { number } => Self { sequence: Some(*number), ..told },
            Ack::File => Self { sink: None, ..told },
        }
    }

    /// Writes the line about an event that stands in the quarantine; false where enough were written just now.
    pub(super) fn is_written(&self, log: &RefusalLog) -> bool {
        let Self { source, id, kind, key, reason, .. } = self;
        let Some(left_out) = log.admit(source) else { return false };
        let left_out = (left_out > 0).then_some(left_out);
        let (key, reason) = (key.as_deref(), reason.as_deref());
        let (sink, sequence) = (self.sink.as_deref(), self.sequence);
        tracing::warn!(source, r#type = kind, key, id, reason, sink, sequence, left_out, "quarantined");
        true
    }
}

impl fmt::Display for Told {
    /// Says outcome and place, as `published to bus: orders/3@88213`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let destination = self.destination.as_deref().unwrap_or_default();
        match self.outcome.as_str() {
            "published" => f.write_str("published")?,
            "stored_before" => f.write_str("the stream had it already (its PubAck says duplicate)")?,
            "quarantined" => f.write_str("quarantined")?,
            "spooled" => f.write_str("spooled")?,
            "filtered" => return f.write_str("filtered: a route drops it"),
            _ => return f.write_str("suppressed: a repeat of an event that was here before"),
        }
        let sink = self.sink.as_deref().unwrap_or(destination);
        write!(f, " to {sink}")?;
        match (self.partition, self.offset, &self.stream, self.sequence) {
            (Some(partition), Some(offset), ..) => write!(f, ": {destination}/{partition}@{offset}"),
            (_, _, Some(stream), Some(sequence)) => write!(f, ": {stream}#{sequence} {destination}"),
            (_, _, None, Some(sequence)) => write!(f, "#{sequence}"),
            _ => Ok(()),
        }?;
        self.reason.iter().try_for_each(|reason| write!(f, "  {reason}"))
    }
}

/// What a request was answered, and the request itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answered {
    /// The source's name.
    pub source: String,
    /// What its sender heard.
    pub status: u16,
    /// Why it was refused; `None` where it was not.
    pub why: Option<String>,
    /// The request as `explain` reads it, without secrets, in base64.
    pub request: String,
}

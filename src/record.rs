//! The third noun of the path: what a sink stores of an event, where, and what it answers.
//!
//! `route` makes a [`Plan`], `publish` turns each [`Target`] into a [`Record`], a sink answers with an
//! [`Ack`] or a [`PublishError`], and all acks of one event give its [`Receipt`].

mod error;
mod receipt;

pub use error::PublishError;
pub use receipt::{Disposition, Held, Receipt, Repeat, Settled};

use crate::event::envelope::Headers;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;

/// A sink's identity: its name, which stays when the configuration gets another sink beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkId(Arc<str>);

impl SinkId {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SinkId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

/// One place an event goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which sink.
    pub sink: SinkId,
    /// The topic (Kafka) or subject (NATS); empty for a journal.
    pub destination: Arc<str>,
}

/// What is to happen with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Published to every target; a 2xx waits for all.
    Publish(Vec<Target>),
    /// Counted and dropped, because a route says `drop`.
    Drop,
}

/// How an event is written into a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SinkFormat {
    /// One JSON document with the sender's JSON in `data`.
    #[default]
    Structured,
    /// Attributes as headers, the sender's body as the value.
    Binary,
}

/// What a sink stores of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The topic or subject; empty for a journal.
    pub destination: Arc<str>,
    /// The object key; `None` where the event has none.
    pub key: Option<String>,
    /// Names as they stand on the broker (`content-type`, or `ce_id` / `ce-id` in binary mode), and values.
    pub headers: Headers,
    /// The envelope, or the sender's bytes in binary mode.
    pub value: Bytes,
    /// When the event was received, in milliseconds since 1970 UTC.
    pub timestamp_ms: i64,
    /// True where the next record of its key follows without waiting for this one's ack: both must go the same way.
    pub in_turn: bool,
    /// Tells copies of one record apart from other records (`Nats-Msg-Id`).
    pub message_id: String,
}

impl Record {
    /// Returns the size of the record's variable parts in bytes, as a broker would count them.
    pub fn size(&self) -> usize {
        self.value.len()
            + self.key.as_ref().map_or(0, String::len)
            + self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

/// One sink's word that it holds a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ack {
    /// All in-sync replicas of a Kafka partition hold it.
    Kafka {
        /// The partition that the key chose.
        partition: i32,
        /// The record's offset in it.
        offset: i64,
    },
    /// A JetStream stream holds it.
    Nats {
        /// The stream's name.
        stream: String,
        /// The message's sequence in the stream.
        sequence: u64,
        /// True where the stream had it already.
        duplicate: bool,
    },
    /// The journal has it on disk.
    Journal {
        /// The record's sequence in the journal.
        sequence: u64,
    },
    /// A file beside a journal holds what the quarantine refuses for good.
    File,
    /// It waits for its destination on this replica's disk.
    Spool {
        /// The record's number among those that wait there.
        number: u64,
    },
}

impl Ack {
    /// True where the sink had the record before it was handed over.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Nats { duplicate: true, .. })
    }
}

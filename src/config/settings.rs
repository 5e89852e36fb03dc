//! The values that hold, with their defaults resolved: what `app` builds from.

use super::{LimitsConfig, SpoolConfig, units};
use crate::senders::SenderSpec;
use std::time::Duration;

/// The bounds of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections at once.
    pub connections: usize,
    /// Percent of what is left of connections and bytes that one address may hold.
    pub peer_share: u8,
    /// Bytes of all bodies held at once.
    pub body_bytes: u64,
    /// How long a request's head may take, and an idle connection stays open.
    pub idle: Duration,
    /// How long a request's body may take; `None`: as the source's deadline allows.
    pub body: Option<Duration>,
    /// Bytes a second that a slow body must come with at least; 0 for any.
    pub body_rate: u64,
    /// How long after SIGTERM requests are still taken.
    pub drain_delay: Duration,
    /// How long accepted requests may take to finish after that.
    pub drain_timeout: Duration,
}

impl From<&LimitsConfig> for Limits {
    fn from(config: &LimitsConfig) -> Self {
        Self {
            connections: count(config.connections, 10_240),
            peer_share: config.peer_share.unwrap_or(50),
            body_bytes: bytes(config.body_bytes.as_deref(), 128 << 20),
            idle: time(config.idle.as_deref(), Duration::from_secs(30)),
            body: config.body.as_deref().and_then(units::duration),
            body_rate: bytes(config.body_rate.as_deref(), 8 << 10),
            drain_delay: time(config.drain_delay.as_deref(), Duration::from_secs(5)),
            drain_timeout: time(config.drain_timeout.as_deref(), Duration::from_secs(30)),
        }
    }
}

/// The bounds and habits of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// How long an answer may take from the request's first byte.
    pub deadline: Duration,
    /// The largest body taken, in bytes.
    pub max_body: u64,
    /// How many requests are handled at once.
    pub max_in_flight: usize,
    /// How long an acknowledged id is remembered; zero switches deduplication off.
    pub dedup_window: Duration,
    /// How many ids are remembered at most.
    pub dedup_entries: usize,
    /// Status of an event that every sink acknowledged.
    pub success: u16,
    /// Status of an event that stands in the spool.
    pub spooled: u16,
    /// Body of a success.
    pub body: Option<String>,
    /// True where a refusal has a body.
    pub problems: bool,
}

impl From<&SenderSpec> for SourceSettings {
    fn from(sender: &SenderSpec) -> Self {
        let dedup = sender.dedup.clone().unwrap_or_default();
        let reply = sender.reply.clone().unwrap_or_default();
        Self {
            deadline: time(sender.deadline.as_deref(), Duration::from_secs(4)),
            max_body: bytes(sender.max_body.as_deref(), 512 << 10),
            max_in_flight: count(sender.max_in_flight, 1024),
            dedup_window: time(dedup.window.as_deref(), Duration::from_mins(10)),
            dedup_entries: count(dedup.entries, 100_000),
            success: reply.success.unwrap_or(200),
            spooled: reply.spooled.unwrap_or(202),
            body: reply.body,
            problems: reply.problems.unwrap_or(true),
        }
    }
}

impl SpoolConfig {
    /// Returns how long an event waits before the log warns of it.
    pub fn max_age_warning(&self) -> Duration {
        let said = self.max_age_warning.as_deref().and_then(units::duration);
        said.unwrap_or(Duration::from_mins(15))
    }

    /// Returns how many bytes may wait; `None` where the disk is the only bound.
    pub fn max_bytes(&self) -> Option<u64> {
        self.max_bytes.as_deref().and_then(units::size)
    }
}

impl super::JournalConfig {
    /// Returns how many bytes the journal may hold; `None` where the disk is the only bound.
    pub fn max_bytes(&self) -> Option<u64> {
        self.max_bytes.as_deref().and_then(units::size)
    }
}

impl super::KeepConfig {
    /// Returns how long records are kept at least.
    pub fn age(&self) -> Option<Duration> {
        self.age.as_deref().and_then(units::duration)
    }

    /// Returns how many bytes are kept at most.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes.as_deref().and_then(units::size)
    }
}

// A text that does not parse never comes here: it was an error when the file was loaded.

fn time(text: Option<&str>, default: Duration) -> Duration {
    text.and_then(units::duration).unwrap_or(default)
}

fn bytes(text: Option<&str>, default: u64) -> u64 {
    text.and_then(units::size).unwrap_or(default)
}

fn count(number: Option<u32>, default: usize) -> usize {
    number.map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX))
}

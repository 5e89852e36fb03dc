//! What a stream's settings make of its acknowledgement: those with which it proves nothing are refused, and those that
//! make it worth less than a 2xx promises are said at start.

use super::super::{Prepared, PublishError};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType,
};
use std::time::Duration;

/// Below this age an outage of a consumer over lunch costs events.
const SHORT_AGE: Duration = Duration::from_hours(1);

/// A copy may follow its first after the client's patience; a shorter memory than that stores both.
const SHORT_MEMORY: Duration = Duration::from_secs(10);

/// Says what the settings are worth; fails where no event could be stored, or an ack would say nothing.
pub(super) fn judge(info: &Info, prepared: &mut Prepared) -> Result<(), PublishError> {
    let config = &info.config;
    if let Some(why) = refused(config) {
        return Err(PublishError::Refused(format!("stream {} {why}", config.name)));
    }
    prepared.durability = durability(config);
    let name = &config.name;
    prepared.warnings.extend(weaknesses(info).into_iter().map(|what| format!("stream {name} {what}")));
    prepared.facts.push(format!("stream {name} on {}", config.subjects.join(", ")));
    if config.retention == RetentionPolicy::WorkQueue {
        prepared.facts.push(format!("stream {name} is a work queue: one consumer's ack removes an event"));
    }
    Ok(())
}

/// Returns why nothing can be published there, or nothing would be proven by it.
fn refused(config: &Config) -> Option<&'static str> {
    if config.no_ack {
        Some("has `no_ack`: it never says that it holds an event; switch it off")
    } else if config.persist_mode == Some(PersistenceMode::Async) {
        Some("has `persist_mode: async`: it acknowledges before it stores; switch it off")
    } else if config.sealed {
        Some("is sealed and takes nothing more: publish to another")
    } else if config.mirror.is_some() {
        Some("is a mirror and takes only what its origin holds: publish to the origin")
    } else if config.allow_message_counter {
        Some("has `allow_msg_counter`: it takes counts and no events; publish to another")
    } else {
        None
    }
}

/// Returns how durable an ack is; see [`Prepared::durability`].
fn durability(config: &Config) -> u8 {
    let keeps_nothing =
        config.retention == RetentionPolicy::Interest || config.storage == StorageType::Memory;
    match (keeps_nothing, config.num_replicas > 1) {
        (true, _) => 0,
        (false, true) => 2,
        (false, false) => 1,
    }
}

fn weaknesses(info: &Info) -> Vec<String> {
    let config = &info.config;
    let mut found = Vec::new();
    if config.retention == RetentionPolicy::Interest {
        found.push(format!(
            "has `retention: interest`: what no consumer waits for is acknowledged and not kept (it has {} \
             consumers now); use `limits`",
            info.state.consumer_count
        ));
    }
    if config.storage == StorageType::Memory {
        found.push("lives in memory and is lost with its server".to_owned());
    } else if config.num_replicas <= 1 {
        found.push(
            "has one replica; unless the server syncs always, a power failure can lose what it acknowledged"
                .to_owned(),
        );
    }
    found.extend(limits(info));
    if !config.max_age.is_zero() && config.max_age < SHORT_AGE {
        found.push(format!("deletes events after {:?}, read or not", config.max_age));
    }
    if config.duplicate_window < SHORT_MEMORY {
        found.push(format!(
            "remembers ids for {:?} only (`duplicate_window`): a retry may be stored twice",
            config.duplicate_window
        ));
    }
    if config.allow_rollup {
        found.push("has `allow_rollup_hdrs`: any publisher may replace all events of a subject".to_owned());
    }
    found
}

/// What is said of the stream's limits: old events dropped, new ones refused.
fn limits(info: &Info) -> Vec<String> {
    let (config, state) = (&info.config, &info.state);
    let mut found = Vec::new();
    let is_limited = config.max_bytes > 0 || config.max_messages > 0;
    if config.discard == DiscardPolicy::Old && is_limited {
        found.push("drops its oldest events when it is full".to_owned());
    }
    let per_subject = config.max_messages_per_subject;
    if per_subject > 0 {
        let refuses = config.discard == DiscardPolicy::New && config.discard_new_per_subject;
        found.push(if refuses {
            format!("refuses an event whose subject has {per_subject} already: its sender hears 503")
        } else {
            format!("keeps the last {per_subject} events of each subject and drops those before")
        });
    }
    let reached = |limit: i64, now: u64| u64::try_from(limit).is_ok_and(|limit| limit > 0 && now >= limit);
    let is_full = reached(config.max_messages, state.messages) || reached(config.max_bytes, state.bytes);
    if config.discard == DiscardPolicy::New && is_full {
        found.push("is full and refuses every event: make room, or raise its limits".to_owned());
    }
    found
}

/// Tells whether a stream's subject pattern takes `subject` (`*` one token, `>` the rest).
pub(super) fn takes(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;

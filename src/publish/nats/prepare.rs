//! Looks at JetStream's side before the first event: is the stream there, does it hold our subjects, does it
//! really store before it acknowledges. Makes a missing stream where the configuration says so.

use super::super::{Prepared, PublishError};
use async_nats::{
    Client,
    connection::State,
    jetstream::{
        context::{Context, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, PersistenceMode, StorageType},
    },
};
use std::time::Duration;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server that first stored a message before it answered for it in every case (nats-server#6486).
const OLDEST_GOOD: (u64, u64) = (2, 11);

/// What is checked of one stream.
#[derive(Debug, Clone)]
pub struct Checks {
    /// The stream's name.
    pub stream: String,
    /// The subjects that routes name literally.
    pub subjects: Vec<String>,
    /// The largest record that a source may make, in bytes.
    pub largest_record: u64,
    /// The subjects of a stream that is missing; `None`: a missing stream is an error.
    pub create: Option<Vec<String>>,
}

impl Checks {
    pub(super) async fn run(&self, client: &Client, jetstream: &Context) -> Result<Prepared, PublishError> {
        if client.connection_state() != State::Connected {
            return Err(PublishError::Unavailable("no connection to a NATS server".to_owned()));
        }
        let mut prepared = Prepared { durability: 1, ..Prepared::default() };
        let server = client.server_info();
        prepared.facts.push(format!("nats-server {}", server.version));
        judge_server(&server.version, &mut prepared);
        let config = self.stream(jetstream, &mut prepared).await?;
        self.judge_stream(&config, &mut prepared)?;
        let limit = u64::try_from(server.max_payload).unwrap_or(u64::MAX);
        let stream_limit =
            u64::try_from(config.max_message_size).ok().filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        if limit.min(stream_limit) < self.largest_record {
            prepared.warnings.push(format!(
                "the server takes {} bytes a message, below the largest record that a source may make ({} bytes): \
                 larger events go to the quarantine",
                limit.min(stream_limit),
                self.largest_record
            ));
        }
        Ok(prepared)
    }

    /// Returns the stream's settings, and makes the stream where it is missing and the configuration says so.
    async fn stream(&self, jetstream: &Context, prepared: &mut Prepared) -> Result<Config, PublishError> {
        let asked = tokio::time::timeout(PATIENCE, jetstream.get_stream(&self.stream)).await;
        let error = match asked {
            Ok(Ok(stream)) => return Ok(stream.cached_info().config.clone()),
            Ok(Err(error)) => error,
            Err(_) => {
                return Err(PublishError::Unavailable("no answer to a question for the stream".to_owned()));
            }
        };
        let missing = matches!(&error.kind(), GetStreamErrorKind::JetStream(answer)
            if answer.error_code() == async_nats::jetstream::ErrorCode::STREAM_NOT_FOUND);
        match (&self.create, missing) {
            (Some(subjects), true) => {
                let wanted =
                    Config { name: self.stream.clone(), subjects: subjects.clone(), ..Config::default() };
                let made = jetstream.create_stream(wanted).await.map_err(|error| {
                    PublishError::Misconfigured(format!("stream {} can't be made: {error}", self.stream))
                })?;
                prepared.facts.push(format!("made stream {}", self.stream));
                Ok(made.cached_info().config.clone())
            }
            (None, true) => Err(PublishError::Misconfigured(format!(
                "stream {} does not exist: make it, or set `create: {{ subjects: [ ... ] }}`",
                self.stream
            ))),
            (_, false) => Err(PublishError::Unavailable(format!("stream {}: {error}", self.stream))),
        }
    }

    fn judge_stream(&self, config: &Config, prepared: &mut Prepared) -> Result<(), PublishError> {
        if config.no_ack {
            return Err(PublishError::Misconfigured(format!(
                "stream {} has `no_ack`: it never says that it holds an event; switch it off",
                self.stream
            )));
        }
        if config.persist_mode == Some(PersistenceMode::Async) {
            return Err(PublishError::Misconfigured(format!(
                "stream {} has `persist_mode: async`: it acknowledges before it stores; switch it off",
                self.stream
            )));
        }
        for subject in &self.subjects {
            if !config.subjects.iter().any(|pattern| takes(pattern, subject)) {
                return Err(PublishError::Misconfigured(format!(
                    "stream {} does not hold subject {subject:?}: add it, or mend the route",
                    self.stream
                )));
            }
        }
        if config.storage == StorageType::Memory {
            prepared.durability = 0;
            prepared
                .warnings
                .push(format!("stream {} lives in memory and is lost with its server", self.stream));
        } else if config.num_replicas > 1 {
            prepared.durability = 2;
        } else {
            prepared.warnings.push(format!(
                "stream {} has one replica; unless the server syncs always, a power failure can lose what it acknowledged",
                self.stream
            ));
        }
        if config.discard == DiscardPolicy::Old && (config.max_bytes > 0 || config.max_messages > 0) {
            prepared.warnings.push(format!("stream {} drops its oldest events when it is full", self.stream));
        }
        prepared.facts.push(format!("stream {} on {}", self.stream, config.subjects.join(", ")));
        Ok(())
    }
}

fn judge_server(version: &str, prepared: &mut Prepared) {
    let mut numbers = version.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let version_is = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version_is < OLDEST_GOOD {
        prepared.warnings.push(format!(
            "nats-server {version} can refuse a retry of a message that it did not store: upgrade to 2.11 or later"
        ));
    }
}

/// Tells whether a stream's subject pattern takes `subject` (`*` one token, `>` the rest).
fn takes(pattern: &str, subject: &str) -> bool {
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
mod tests {
    use super::takes;

    #[test]
    fn subjects_match_as_the_server_matches() {
        assert!(takes("a.>", "a.b.c"));
        assert!(takes("a.*.c", "a.b.c"));
        assert!(takes("a.b", "a.b"));
        assert!(!takes("a.>", "a"));
        assert!(!takes("a.*", "a.b.c"));
        assert!(!takes("a.b.c", "a.b"));
    }
}

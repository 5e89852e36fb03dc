//! Looks at JetStream's side before the first event: is the stream there, does it hold our subjects, does it
//! really store before it acknowledges. Makes a missing stream where the configuration says so.

use super::{
    super::{Prepared, PublishError},
    stream::{self, takes},
};
use async_nats::{
    Client,
    jetstream::{
        context::{Context, GetStreamErrorKind},
        stream::{Config, Info},
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
        let mut prepared = Prepared { durability: 1, ..Prepared::default() };
        let server = client.server_info();
        prepared.facts.push(format!("nats-server {}", server.version));
        judge_server(&server.version, &mut prepared);
        let info = self.stream(jetstream, &mut prepared).await?;
        stream::judge(&info, &mut prepared)?;
        let config = &info.config;
        self.judge_subjects(config)?;
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

    /// Returns the stream's settings and state, and makes the stream where it is missing and the configuration says so.
    async fn stream(&self, jetstream: &Context, prepared: &mut Prepared) -> Result<Info, PublishError> {
        let asked = tokio::time::timeout(PATIENCE, jetstream.get_stream(&self.stream)).await;
        let error = match asked {
            Ok(Ok(stream)) => return Ok(stream.cached_info().clone()),
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
                Ok(made.cached_info().clone())
            }
            (None, true) => Err(PublishError::Misconfigured(format!(
                "stream {} does not exist: make it, or set `create: {{ subjects: [ ... ] }}`",
                self.stream
            ))),
            (_, false) => Err(PublishError::Unavailable(format!("stream {}: {error}", self.stream))),
        }
    }

    /// Fails where the stream lacks a subject that a route names literally.
    fn judge_subjects(&self, config: &Config) -> Result<(), PublishError> {
        let is_held = |subject: &&String| config.subjects.iter().any(|pattern| takes(pattern, subject));
        match self.subjects.iter().find(|subject| !is_held(subject)) {
            Some(subject) => Err(PublishError::Misconfigured(format!(
                "stream {} does not hold subject {subject:?}: add it, or mend the route",
                self.stream
            ))),
            None => Ok(()),
        }
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

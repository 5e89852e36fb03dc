//! The looks that are taken at a cluster: before the first event, and every few seconds from then on. What they find
//! keeps batches below the topics' limits, and shows clients that get nowhere while others do.

use super::{
    super::Prepared,
    Kafka, PublishError,
    prepare::Learnt,
    questions::{self, Seen},
};
use crate::reading;
use parking_lot::{Mutex, RwLock};
use rdkafka::admin::ConfigResource;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long the first question of a first look may take: by then the clients know where nobody answers, and it is told.
const QUICK: Duration = Duration::from_secs(1);

/// Looks between two questions for the topics' settings, which are long answers.
const TURNS_PER_SETTINGS: u32 = 6;

/// A client is stuck when a record has waited for so many looks and the leaders answered at each of the last so many.
const STUCK_TURNS: usize = 4;

/// No client is replaced as stuck again before this: where the brokers answer questions and take no records, a new
/// client gets no further.
const STUCK_PAUSE: Duration = Duration::from_mins(1);

/// What the looks have found.
pub(super) struct Known {
    compacted: RwLock<HashSet<String>>,
    turns: Mutex<Turns>,
}

/// What one look leaves to the next.
struct Turns {
    batch: u64,
    until_settings: u32,
    well: usize,
    replaced: Option<Instant>,
}

impl Known {
    /// Begins with batches of this size.
    pub(super) fn new(batch: u64) -> Self {
        let turns = Turns { batch, until_settings: TURNS_PER_SETTINGS, well: 0, replaced: None };
        Self { compacted: RwLock::default(), turns: Mutex::new(turns) }
    }

    /// Returns whether a topic takes no record without a key.
    pub(super) fn is_compacted(&self, topic: &str) -> bool {
        self.compacted.read().contains(topic)
    }
}

impl Kafka {
    /// Looks before the first event.
    pub(super) async fn look_first(&self) -> Result<Prepared, PublishError> {
        self.renew(reading::patience()).await;
        let mut prepared = Prepared::default();
        let quick = self.checks.prepare(&self.admin, &mut prepared, QUICK).await;
        let seen = match quick.map_err(|error| self.talk.cause(error)) {
            Err(PublishError::Unavailable(_)) if !self.talk.is_hindered() => {
                self.checks.prepare(&self.admin, &mut prepared, questions::PATIENCE).await?
            }
            looked => looked?,
        };
        self.talk.answers();
        self.names.learn(seen);
        match self.settings().await {
            Ok(topics) => topics.iter().for_each(|topic| self.checks.judge(topic, &mut prepared)),
            Err(error) => prepared.warnings.push(error.to_string()),
        }
        Ok(prepared)
    }

    /// Takes secrets that are others by now. A client knows those that it began with, so others take their places. Where
    /// their disk does not answer until then, what was read last stays.
    pub(super) async fn renew(&self, until: Instant) {
        let secrets = Arc::clone(&self.secrets);
        let tell =
            || tracing::warn!("secrets of a kafka sink can't be read anew: their disk does not answer");
        let read = self.reading.lock().await.wait(until, move || secrets(), tell).await;
        // Also without any: a client that could not be replaced is tried again.
        let secrets = read.unwrap_or_default();
        if self.producers.set(&secrets) {
            self.admin.set(&secrets);
            tracing::info!("secrets of a kafka sink were read anew");
        }
    }

    /// Looks again.
    pub(super) async fn look_again(&self) -> Result<(), PublishError> {
        self.renew(reading::patience()).await;
        let oldest = self.producers.turn();
        let seen = match self.checks.topics(&self.admin, questions::PATIENCE).await {
            Ok(seen) => seen,
            Err(error) => {
                self.known.turns.lock().well = 0;
                return Err(self.talk.cause(error));
            }
        };
        self.talk.answers();
        let found = self.checks.are_there(&seen);
        let (well, is_due) = {
            let mut turns = self.known.turns.lock();
            turns.well += 1;
            turns.until_settings = turns.until_settings.saturating_sub(1);
            (turns.well, turns.until_settings == 0)
        };
        if oldest >= STUCK_TURNS && well >= STUCK_TURNS {
            self.mend(seen.clone()).await;
        }
        self.names.learn(seen);
        if is_due || self.producers.alone().batch_was_too_large() {
            // Their limits hold on as they are known.
            if let Err(error) = self.settings().await {
                tracing::debug!(%error, "the topics' settings are unknown");
            }
        }
        found
    }

    /// Returns once it is known that a topic whose name holds a sender's text exists.
    pub(super) async fn find(&self, name: &str) -> Result<(), PublishError> {
        let list =
            async || self.admin.ask(|client, _| questions::topics(client, None, questions::PATIENCE)).await;
        let make = self.checks.create.map(|create| {
            let names = vec![name.to_owned()];
            async move || {
                tracing::info!(topic = ?names, "a topic is made for a name that holds a sender's text");
                self.admin
                    .ask(move |client, runtime| questions::create(client, runtime, &names, create))
                    .await
            }
        });
        self.names.find(name, list, make).await.map_err(|error| self.talk.cause(error))
    }

    /// Reads the settings of the topics in use, and makes batches fit them.
    async fn settings(&self) -> Result<Vec<ConfigResource>, PublishError> {
        let was_too_large = self.producers.alone().look_into_it();
        let mut names = self.names.used();
        names.extend(self.checks.topics.iter().cloned());
        names.sort();
        names.dedup();
        let asked = self.admin.ask(move |client, runtime| questions::settings(client, runtime, &names)).await;
        let learnt = asked.as_deref().map(Learnt::from).unwrap_or_default();
        {
            let mut turns = self.known.turns.lock();
            turns.until_settings = TURNS_PER_SETTINGS;
            turns.batch = self.producers.fit(learnt.smallest, turns.batch, was_too_large);
        }
        if asked.is_ok() {
            *self.known.compacted.write() = learnt.compacted;
        }
        asked
    }

    /// Replaces clients that get nowhere, if all leaders answer a client that is none of them.
    async fn mend(&self, seen: Seen) {
        let recently = |at: Instant| at.elapsed() < STUCK_PAUSE;
        if self.known.turns.lock().replaced.is_some_and(recently) {
            return;
        }
        let answer = self.admin.ask(move |client, _| Ok(questions::leaders_answer(client, &seen))).await;
        if answer == Ok(true) {
            self.known.turns.lock().replaced = Some(Instant::now());
            self.producers.replace_stuck();
        }
    }
}

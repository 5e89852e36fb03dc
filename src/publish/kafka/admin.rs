//! The one client that asks the brokers questions, on a thread of its own that starts it, uses it and ends it: all
//! three block, and the client's answers are not what a request waits for.

use super::PublishError;
use parking_lot::Mutex;
use rdkafka::{
    ClientConfig, admin::AdminClient, client::DefaultClientContext, config::RDKafkaLogLevel,
    error::KafkaError,
};
use std::{sync::mpsc, thread};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::sync::CancellationToken;

/// The client that questions are asked with.
pub(super) type Client = AdminClient<DefaultClientContext>;

/// One question.
type Question = Box<dyn FnOnce(&Client, &Handle) + Send>;

/// What is to be done with the client.
enum Job {
    Ask(Question),
    /// Its settings change; the next question starts another.
    Set(Vec<(String, String)>),
}

/// Settings of a producer, which mean nothing to this client: it would warn about each.
const NOT_OURS: [&str; 6] = [
    "enable.idempotence",
    "partitioner",
    "message.timeout.ms",
    "linger.ms",
    "batch.size",
    "batch.num.messages",
];

/// The way to the client.
pub(super) struct Admin {
    /// `None` once all ends.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    ended: CancellationToken,
}

impl Admin {
    /// Starts the thread; its client starts with the first question.
    pub(super) fn start(config: &ClientConfig) -> Result<Self, KafkaError> {
        let mut config = config.clone();
        for name in NOT_OURS {
            config.remove(name);
        }
        // Nothing reads this client's log, and the producers meet the same brokers.
        config.set_log_level(RDKafkaLogLevel::Emerg);
        let (jobs, received) = mpsc::channel();
        let ended = CancellationToken::new();
        let (done, runtime) = (ended.clone().drop_guard(), Handle::current());
        let work = move || {
            answer(config, &received, &runtime);
            drop(done);
        };
        let refused = |error| KafkaError::ClientCreation(format!("no thread for questions: {error}"));
        thread::Builder::new().name("kafka-admin".to_owned()).spawn(work).map_err(refused)?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), ended })
    }

    /// Asks a question, which may block; others wait for its end.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Client, &Handle) -> Result<T, PublishError> + Send + 'static,
    ) -> Result<T, PublishError> {
        let (answer, answered) = oneshot::channel();
        let job = move |client: &Client, runtime: &Handle| {
            // Who asked may be gone.
            let _unheard = answer.send(question(client, runtime));
        };
        let is_asked = self.hand_over(Job::Ask(Box::new(job)));
        let ended = || PublishError::Unavailable("the client for questions has ended".to_owned());
        if is_asked { answered.await.map_err(|_| ended())? } else { Err(ended()) }
    }

    /// Changes settings.
    pub(super) fn set(&self, settings: &[(String, String)]) {
        // Fails once all ends.
        let _ended = self.hand_over(Job::Set(settings.to_vec()));
    }

    fn hand_over(&self, job: Job) -> bool {
        self.jobs.lock().as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    /// Ends the client.
    pub(super) async fn close(&self) {
        self.jobs.lock().take();
        self.ended.cancelled().await;
    }
}

fn answer(mut config: ClientConfig, jobs: &mpsc::Receiver<Job>, runtime: &Handle) {
    let mut client = None;
    for job in jobs {
        let question = match job {
            Job::Ask(question) => question,
            Job::Set(settings) => {
                super::set(&mut config, &settings);
                client = None;
                continue;
            }
        };
        if client.is_none() {
            match config.create::<Client>() {
                Ok(new) => client = Some(new),
                Err(error) => tracing::error!(%error, "the kafka client for questions can't be started"),
            }
        }
        if let Some(client) = &client {
            question(client, runtime);
        }
    }
}

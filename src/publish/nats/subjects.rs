//! Subjects that hold a sender's text may be none of the stream's: then no retry helps. Nobody answers for such a subject,
//! as for every subject while the stream has no leader, so the stream is asked which it holds; at most once in a while.

use super::{super::PublishError, stream::takes};
use async_nats::jetstream::Context;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// How long an answer is believed, so that a flood of such subjects is one question, and a new subject of the stream is
/// soon found.
const FRESH: Duration = Duration::from_secs(2);

/// How long the question may take; without an answer nothing is known.
const PATIENCE: Duration = Duration::from_secs(1);

/// The subjects of a stream; `None` where it did not say.
type Held = Option<Arc<[String]>>;

/// What the stream holds, as it said last.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    known: Mutex<Option<(Instant, Held)>>,
}

impl Subjects {
    /// Returns why a message for `subject` had no place, where nobody answered for it.
    pub(super) async fn unanswered(&self, jetstream: &Context, stream: &str, subject: &str) -> PublishError {
        match self.held(jetstream, stream).await {
            Some(held) if !held.iter().any(|pattern| takes(pattern, subject)) => {
                PublishError::Unroutable(format!("stream {stream} does not hold subject {subject:?}"))
            }
            Some(_) | None => PublishError::Misconfigured(format!(
                "nobody takes the subject for stream {stream}: it is missing, or has no leader"
            )),
        }
    }

    async fn held(&self, jetstream: &Context, stream: &str) -> Held {
        let mut known = self.known.lock().await;
        if let Some((at, held)) = &*known
            && at.elapsed() < FRESH
        {
            return held.clone();
        }
        let asked = timeout(PATIENCE, jetstream.get_stream(stream)).await;
        let held = asked.ok().and_then(Result::ok).map(|it| it.cached_info().config.subjects.clone().into());
        *known = Some((Instant::now(), held.clone()));
        held
    }
}

//! The largest message that the server takes. The client learns it when it connects, and believes it from then on; that a
//! reload of the server's settings changed it (`max_payload`) it never hears. So the server is asked anew before an event is
//! put aside as too large, and a client that is behind connects again. Where it lets no second connection in, what the
//! client believes counts after a few questions: an event that is refused for ever is lost in the end.

use super::{super::PublishError, connect::Probe};
use async_nats::{Client, connection::State as Connection};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until, timeout},
};

/// From one question to the next: those who come meanwhile wait, and the next answer is for all of them.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the question may take; without an answer nothing is known.
const PATIENCE: Duration = Duration::from_secs(2);

/// Questions in a row that fail, after which the client's own word counts, while it is connected.
const MOST_FAILED: u32 = 3;

/// The client is made to connect again once in so long at most: it loses the acks under way.
const RECONNECT_PAUSE: Duration = Duration::from_secs(30);

/// By then a client that has connected again judges by the new number.
const SETTLED: Duration = Duration::from_secs(1);

/// What the server said last.
#[derive(Debug, Default)]
pub(super) struct Limit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When it was asked last, and its number; `None` where it did not answer.
    asked: Option<(Instant, Option<usize>)>,
    /// How many questions in a row it did not answer.
    failed: u32,
    /// When the client was made to connect again, and how often it had connected before.
    reconnected: Option<(Instant, u64)>,
}

impl Limit {
    /// Says what it means that the client called a message too large, whose limit was `believed` then.
    pub(super) async fn judge(
        &self,
        (client, probe): (&Client, &Probe),
        believed: usize,
        said: String,
    ) -> PublishError {
        let came = Instant::now();
        let mut state = self.0.lock().await;
        let limit = match state.asked {
            Some((at, limit)) if at >= came => limit,
            before @ (Some(_) | None) => {
                if let Some((at, _)) = before {
                    sleep_until(at + PAUSE).await;
                }
                let at = Instant::now();
                let limit = timeout(PATIENCE, probe.limit()).await.ok().flatten();
                state.asked = Some((at, limit));
                state.failed = if limit.is_some() { 0 } else { state.failed.saturating_add(1) };
                limit
            }
        };
        let Some(limit) = limit else {
            if state.failed >= MOST_FAILED && client.connection_state() == Connection::Connected {
                tracing::warn!(
                    believed,
                    "a nats server lets no second connection in: its limit counts as it was told"
                );
                return PublishError::TooLarge(said);
            }
            return PublishError::Unavailable(format!(
                "{said}, and the server does not say whether it still is"
            ));
        };
        if limit <= believed {
            return PublishError::TooLarge(said);
        }
        let connects = client.statistics().connects.load(Ordering::Relaxed);
        match state.reconnected {
            // Of several servers, the one at hand takes less than the one that was asked.
            Some((at, before))
                if at.elapsed() < RECONNECT_PAUSE
                    && at.elapsed() > SETTLED
                    && connects > before
                    && client.max_payload() == believed =>
            {
                return PublishError::TooLarge(said);
            }
            Some((at, _)) if at.elapsed() < RECONNECT_PAUSE => {}
            Some(_) | None => {
                tracing::info!(
                    believed,
                    limit,
                    "the nats server takes larger messages by now: connecting anew"
                );
                state.reconnected = Some((Instant::now(), connects));
                // Fails where the client ends.
                drop(client.force_reconnect().await);
            }
        }
        PublishError::Unavailable(format!("{said}, and the server takes {limit} by now"))
    }
}

//! What is done is passed, durably, and its segments go; at the end of the process too.

use super::Drain;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::Instant;

/// How long what is on its way may take when the process ends.
const LAST_PATIENCE: Duration = Duration::from_millis(500);

impl Drain {
    /// Makes durable up to where all is done, and hands back what is behind it.
    pub(super) async fn advance(&mut self) {
        self.moved = Instant::now();
        let (mut cursor, passed) = (self.cursor.clone(), self.window.passed());
        let moved = tokio::task::spawn_blocking(move || cursor.advance(passed).map(|()| cursor)).await;
        match moved {
            Ok(Ok(cursor)) => {
                self.backlog.hand_back(&cursor);
                self.cursor = cursor;
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "what was published can't be noted: after a crash it is published again");
            }
            Err(error) => tracing::error!(%error, "what was published can't be noted"),
        }
    }

    /// Takes what is on its way for a moment, and notes what is done.
    pub(super) async fn end(mut self) {
        let until = Instant::now() + LAST_PATIENCE;
        while let Ok(Some((number, result))) = tokio::time::timeout_at(until, self.under_way.next()).await {
            self.ended(number, result);
        }
        if self.window.passed() > self.cursor.passed() {
            self.advance().await;
        }
        self.show();
    }
}

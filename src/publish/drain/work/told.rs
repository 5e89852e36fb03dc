//! What the log and the metrics hear of a drain.

use super::Drain;
use crate::{clock, record::PublishError};
use std::time::Duration;

impl Drain {
    /// Says what holds records, once.
    pub(super) fn hold(&mut self, error: &PublishError) {
        let error = error.to_string();
        if self.held.as_ref() != Some(&error) {
            let waiting = self.window.len();
            tracing::error!(
                destination = self.lane.name(),
                error,
                waiting,
                "a destination refuses what waits for it: mend it, and all goes on by itself"
            );
            self.held = Some(error);
        }
    }

    pub(super) fn reopened(&mut self) {
        self.source.forget();
        (self.held, self.is_warned) = (None, false);
        tracing::info!(
            destination = self.lane.name(),
            "a destination is up to date: its events go there at once again"
        );
    }

    /// Has the metrics and the log tell how things stand.
    pub(super) fn show(&mut self) {
        let oldest = self.window.first().map(|waiting| waiting.record.timestamp_ms);
        if self.resting.is_empty() && self.window.len() == 0 {
            self.held = None;
        }
        self.backlog.shows(self.window.len(), oldest, !self.resting.is_empty());
        let age = oldest.map_or(0, |oldest| clock::now().as_millisecond().saturating_sub(oldest));
        let patience = self.lanes.patience().unwrap_or(Duration::MAX);
        if !self.is_warned && u128::try_from(age).unwrap_or(0) > patience.as_millis() {
            self.is_warned = true;
            let seconds = age / 1000;
            tracing::warn!(destination = self.lane.name(), seconds, "events have waited on disk for long");
        }
    }
}

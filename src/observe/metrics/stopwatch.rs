//! Measures how long the stages of one delivery take.

use super::{SourceMetrics, Stage};
use tokio::time::Instant;

/// Measures the stages of one delivery, each from the end of the one before.
#[derive(Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Takes the begin of the first stage.
    pub fn since(begin: Instant) -> Self {
        Self(begin)
    }

    /// Notes the time of the stage that ends now.
    pub fn lap(&mut self, metrics: &SourceMetrics, stage: Stage) {
        let now = Instant::now();
        metrics.staged(stage, now.saturating_duration_since(self.0));
        self.0 = now;
    }
}

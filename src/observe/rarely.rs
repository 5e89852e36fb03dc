//! One line stands for many: what goes wrong again and again is told once in a while, with how many were left out.

use std::time::Duration;
use tokio::time::Instant;

/// When the last line was written, and how many were left out since.
#[derive(Debug, Default)]
pub struct Rarely {
    written: Option<Instant>,
    /// The lines that were left out since.
    pub left_out: u64,
}

impl Rarely {
    /// Returns how many lines were left out before this one, or `None` when this one is left out too.
    pub fn admit(&mut self, pause: Duration) -> Option<u64> {
        let now = Instant::now();
        if self.written.is_some_and(|at| now.duration_since(at) < pause) {
            self.left_out += 1;
            return None;
        }
        self.written = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

//! What is read from files again and again, as secrets are, on a disk that may not answer: off the runtime, one reading at
//! a time, and nobody waits for it longer than a moment. A reading that hangs keeps its thread, and no other is begun.

use std::time::Duration;
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout_at},
};

/// How long one look waits for what is to be read.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns until when a look that begins now waits.
pub fn patience() -> Instant {
    Instant::now() + PATIENCE
}

/// One thing that is read again and again.
#[derive(Debug)]
pub struct Reading<T>(Option<JoinHandle<T>>);

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> Reading<T> {
    /// Reads, or goes on waiting for the reading that is under way; `None` where it has no end until then. `hangs` is called
    /// the first time that it has none.
    pub async fn wait(
        &mut self,
        until: Instant,
        read: impl FnOnce() -> T + Send + 'static,
        hangs: impl FnOnce(),
    ) -> Option<T> {
        let is_new = self.0.is_none();
        let reading = self.0.get_or_insert_with(|| spawn_blocking(read));
        let Ok(read) = timeout_at(until, reading).await else {
            if is_new {
                hangs();
            }
            return None;
        };
        self.0 = None;
        read.ok()
    }
}

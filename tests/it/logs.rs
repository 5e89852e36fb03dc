//! The log lines of one test, written by the same formatter as in production.

use parking_lot::Mutex;
use serde_json::Value;
use std::{io, sync::Arc};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// What was logged on this thread since [`Logs::capture`]; a test's runtime has one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Captures lines until the guard is dropped.
    pub(crate) fn capture() -> (Self, DefaultGuard) {
        Self::filtered("hookway=trace")
    }

    /// Captures the lines that this filter lets through.
    pub(crate) fn filtered(level: &str) -> (Self, DefaultGuard) {
        let logs = Self::default();
        let lines = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_writer(logs.clone())
            .json()
            .flatten_event(true)
            .finish();
        (logs, tracing::subscriber::set_default(lines))
    }

    /// Returns all that was written.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).expect("lines of text")
    }

    /// Returns the lines with this message.
    pub(crate) fn lines(&self, message: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
        lines.filter(|line| line["message"] == message).collect()
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

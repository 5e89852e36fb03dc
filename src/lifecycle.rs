//! From the signal to the exit: readiness goes, requests are still taken while load balancers look away, then
//! what was accepted is finished and the sinks are flushed. Each phase is bounded.

use crate::{observe::health::Health, pipeline::Pipeline, receive::Ends};
use futures_util::future::join_all;
use std::{sync::Arc, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::TaskTracker;

/// How long a sink may take to say that nothing is outstanding.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);

/// Likewise, where what is outstanding stands on disk too.
const SPOOLED_PATIENCE: Duration = Duration::from_millis(500);

/// The signals that end the process.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes over SIGTERM and SIGINT.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next of them and returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// What must end in order.
#[derive(Debug)]
pub struct Drain {
    /// Shows that the process is ending.
    pub health: Arc<Health>,
    /// Holds the sinks to flush.
    pub pipeline: Arc<Pipeline>,
    /// Ends the webhook listener and its connections.
    pub ends: Ends,
    /// Connections and the work that outlives them.
    pub tasks: TaskTracker,
    /// How long requests are still taken.
    pub delay: Duration,
    /// How long accepted requests may take to finish.
    pub timeout: Duration,
}

impl Drain {
    /// Ends the process's work after a signal; a second signal skips the first pause.
    pub async fn run(self, signals: &mut Signals, name: &str) {
        tracing::info!(signal = name, "draining");
        self.health.drain();
        // Balancers keep connections open: each hears with its next answer that there is no other.
        self.ends.drain.cancel();
        // An interrupt comes from a person at a terminal, who has no load balancer to wait for.
        if name == "SIGTERM" {
            tokio::select! {
                () = tokio::time::sleep(self.delay) => {}
                _ = signals.next() => {}
            }
        }
        self.ends.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(self.timeout, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                open = self.tasks.len(),
                "not everything was finished in time; its senders heard no 2xx"
            );
        }
        // From here on nothing is published but what is on its way: what waits stands on disk.
        if tokio::time::timeout(FLUSH_PATIENCE, self.pipeline.sinks().end_drains()).await.is_err() {
            tracing::warn!(
                "a disk does not answer: what was published last from the spool may be published again"
            );
        }
        Self::flush(&self.pipeline).await;
        tracing::info!("stopped");
    }

    /// Ends the sinks, all at once.
    pub async fn flush(pipeline: &Pipeline) {
        join_all(pipeline.sinks().iter().map(async |sink| {
            // A broker that is away must not keep the process: what it did not acknowledge was answered 503.
            // What waits on disk needs no broker.
            let waits = pipeline.sinks().is_spooling(&sink.name);
            let patience = if waits { SPOOLED_PATIENCE } else { FLUSH_PATIENCE };
            if tokio::time::timeout(patience, sink.publisher.flush()).await.is_err() {
                tracing::warn!(sink = sink.name, "the sink was not flushed in time");
            }
        }))
        .await;
    }
}

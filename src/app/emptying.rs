//! Empties a spool without a server: the sinks, the quarantine and the drains of a configuration, and no listener.

use super::{Failure, build_pipeline, watch};
use crate::{
    config::{Loaded, LogFormat},
    lifecycle::Drain,
    observe::{
        health::Health,
        logs,
        metrics::{Backlogged, Metrics},
    },
    pipeline::Pipeline,
    workers::Workers,
};
use std::{io, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A spool that is being emptied.
#[derive(Debug)]
pub(crate) struct Emptying {
    pipeline: Arc<Pipeline>,
    metrics: Metrics,
    stop: CancellationToken,
}

impl Emptying {
    /// Takes the directory, connects to the sinks and begins.
    pub(crate) async fn begin(loaded: &Loaded) -> Result<Self, Failure> {
        let json = loaded.config.log.format.map(|format| format == LogFormat::Json);
        logs::start(json, "warn").map_err(|error| Failure::System(io::Error::other(error)))?;
        let (metrics, stop) = (Metrics::new()?, CancellationToken::new());
        let pipeline = build_pipeline(loaded, &Workers::here(), &TaskTracker::new(), &metrics).await?;
        watch::sinks(&pipeline, &Arc::new(Health::default()), &stop);
        pipeline.sinks().drain(&pipeline.rescue_of_drains(Vec::new()));
        Ok(Self { pipeline, metrics, stop })
    }

    /// Returns how far it is, over all destinations.
    pub(crate) fn figures(&self) -> Backlogged {
        self.metrics.backlogs.sum()
    }

    /// Ends it; what still waits stands on disk.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        self.pipeline.sinks().end_drains().await;
        Drain::flush(&self.pipeline).await;
    }
}

//! What is looked at again while the process runs: sinks, and (in `secrets`) the files of secrets and keys.

pub(super) mod secrets;

use crate::{
    observe::health::{Health, Trouble},
    pipeline::Pipeline,
    publish::Sink,
    record::PublishError,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use tokio_util::sync::CancellationToken;

/// Pause between two looks at a sink that is not good yet.
const SINK_PAUSE: Duration = Duration::from_secs(2);

/// Pause between two looks at a sink that was good.
const PROBE_PAUSE: Duration = Duration::from_secs(3);

/// Looks at every sink: every 2 s until it was found good once, then every 3 s whether it still is.
pub(super) fn sinks(pipeline: &Arc<Pipeline>, health: &Arc<Health>, stop: &CancellationToken) {
    for (place, sink) in pipeline.sinks().iter().enumerate() {
        health.expect(&format!("sink.{}", sink.name));
        let (pipeline, health) = (Arc::clone(pipeline), Arc::clone(health));
        spawn(stop, async move {
            let Some(sink) = pipeline.sinks().iter().nth(place) else { return };
            let mut turns = interval(SINK_PAUSE);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last = None;
            while sink.ready.get().is_none() {
                turns.tick().await;
                prepare(sink, &health, &mut last).await;
            }
            turns = interval_at(Instant::now() + PROBE_PAUSE, PROBE_PAUSE);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                probe(sink, &health, &mut last).await;
            }
        });
    }
}

/// Looks at a sink that was not good yet; `last` is what was said the time before, so that it is said once.
async fn prepare(sink: &Sink, health: &Health, last: &mut Option<PublishError>) {
    match sink.publisher.prepare().await {
        Ok(prepared) => {
            let facts = prepared.facts.join("; ");
            tracing::info!(sink = sink.name, facts, durability = prepared.durability, "sink connected");
            for warning in &prepared.warnings {
                tracing::warn!(sink = sink.name, warning, "sink is weaker than it should be");
            }
            sink.metrics.prepared(prepared.durability);
            // Only this task sets it.
            let _first = sink.ready.set(prepared);
            *last = None;
            health.report(&check(sink), Ok(()));
        }
        Err(error) => {
            if last.as_ref() != Some(&error) {
                let said = "sink is not ready; until it is, its events wait in the spool, or are answered 503 without one";
                tracing::warn!(sink = sink.name, %error, "{said}");
            }
            sink.metrics.looked(false);
            health.report(&check(sink), Err(trouble(&error)));
            *sink.hindrance.lock() = Some(error.to_string());
            *last = Some(error);
        }
    }
}

/// Looks at a sink that was good; `last` is what was wrong the time before.
async fn probe(sink: &Sink, health: &Health, last: &mut Option<PublishError>) {
    match sink.publisher.probe().await {
        Ok(()) => {
            if last.take().is_some() {
                tracing::info!(sink = sink.name, "sink is well again");
            }
            sink.metrics.looked(true);
            health.report(&check(sink), Ok(()));
        }
        Err(error) => {
            if last.as_ref() != Some(&error) {
                tracing::warn!(sink = sink.name, %error, "sink is not well");
            }
            sink.metrics.looked(false);
            health.report(&check(sink), Err(trouble(&error)));
            *last = Some(error);
        }
    }
}

fn check(sink: &Sink) -> String {
    format!("sink.{}", sink.name)
}

/// Returns whether a sink refuses us or is only away; one that is full may have room again.
fn trouble(error: &PublishError) -> Trouble {
    match error {
        PublishError::Unprepared(_)
        | PublishError::Unavailable(_)
        | PublishError::Down { .. }
        | PublishError::Full(_)
        | PublishError::Saturated => Trouble::Away(error.to_string()),
        PublishError::Misconfigured(_)
        | PublishError::Refused(_)
        | PublishError::TooLarge(_)
        | PublishError::Rejected(_)
        | PublishError::Unroutable(_)
        | PublishError::Disk(_) => Trouble::Refused(error.to_string()),
    }
}

fn spawn(stop: &CancellationToken, work: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    // Ends by `stop`; nothing waits for it.
    tokio::spawn(async move {
        stop.run_until_cancelled(work).await;
    });
}

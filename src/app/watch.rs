//! What is looked at again while the process runs: sinks until they were good once, and (in `secrets`) the files of
//! secrets and keys.

pub(super) mod secrets;

use crate::{observe::health::Health, pipeline::Pipeline, publish::Sink};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Pause between two looks at a sink that is not good yet.
const SINK_PAUSE: Duration = Duration::from_secs(2);

/// Looks at every sink until it was found good once.
pub(super) fn sinks(pipeline: &Arc<Pipeline>, health: &Arc<Health>, stop: &CancellationToken) {
    for index in 0..pipeline.sinks().iter().len() {
        let index = crate::record::SinkIndex(index);
        if let Some(sink) = pipeline.sinks().get(index) {
            health.expect(&format!("sink.{}", sink.name));
        }
        let (pipeline, health) = (Arc::clone(pipeline), Arc::clone(health));
        spawn(stop, async move {
            let mut turns = interval(SINK_PAUSE);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last = String::new();
            while let Some(sink) = pipeline.sinks().get(index) {
                turns.tick().await;
                if prepare(sink, &health, &mut last).await {
                    return;
                }
            }
        });
    }
}

/// Looks at a sink once; `last` is what was said the time before, so that it is said once.
async fn prepare(sink: &Sink, health: &Health, last: &mut String) -> bool {
    let check = format!("sink.{}", sink.name);
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
            health.report(&check, Ok(()));
            true
        }
        Err(error) => {
            let error = error.to_string();
            if *last != error {
                tracing::warn!(
                    sink = sink.name,
                    error,
                    "sink is not ready; its sources answer 503 until it is"
                );
                last.clone_from(&error);
            }
            health.report(&check, Err(error));
            false
        }
    }
}

fn spawn(stop: &CancellationToken, work: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    // Ends by `stop`; nothing waits for it.
    tokio::spawn(async move {
        stop.run_until_cancelled(work).await;
    });
}

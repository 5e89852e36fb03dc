//! What is looked at again while the process runs: sinks until they were good once, and secret files.

use super::sources::give_secrets;
use crate::{
    config::{Loaded, SecretRef, SourceConfig},
    observe::health::Health,
    pipeline::{Pipeline, Source},
    publish::Sink,
};
use sha2::{Digest as _, Sha256};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Pause between two looks at a sink that is not good yet.
const SINK_PAUSE: Duration = Duration::from_secs(2);

/// Pause between two looks at the secret files and the windows.
const SOURCE_PAUSE: Duration = Duration::from_secs(5);

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

/// Reads secret files and key files again when they change, keeps published key sets fresh, and shows how full the
/// windows are.
pub(super) fn sources(
    sources: &[Arc<Source>],
    loaded: &Loaded,
    health: &Arc<Health>,
    stop: &CancellationToken,
) {
    for source in sources {
        let Some(config) = loaded.config.sources.get(&*source.name).cloned() else { continue };
        let (source, health) = (Arc::clone(source), Arc::clone(health));
        spawn(stop, async move {
            let files = source.verifier.files();
            let mut seen = fingerprints(&config, &files);
            let mut turns = interval(SOURCE_PAUSE);
            loop {
                turns.tick().await;
                if let Some(window) = &source.window {
                    source.metrics.remembered(window.len());
                }
                source.verifier.refresh().await;
                let now = fingerprints(&config, &files);
                // While a file is empty or away, as in the middle of a rotation, what was good stays in use.
                let is_whole = now.iter().zip(&seen).all(|(now, seen)| now.is_some() || seen.is_none());
                if now != seen && is_whole {
                    give_secrets(&source, &config, &health);
                    tracing::info!(source = %source.name, "secrets were read again");
                    seen = now;
                }
            }
        });
    }
}

/// Returns a digest of the content of each secret file and key file; `None` for one that is empty or can't be read.
fn fingerprints(config: &SourceConfig, files: &[String]) -> Vec<Option<[u8; 32]>> {
    let read = |path: &Path| {
        let content = std::fs::read(path).ok().filter(|content| !content.trim_ascii().is_empty())?;
        Some(Sha256::digest(&content).into())
    };
    let secrets = config.secrets.iter().map(|reference| match reference {
        SecretRef::File(path) => read(path),
        SecretRef::Env(_) => None,
    });
    secrets.chain(files.iter().map(|file| read(Path::new(file)))).collect()
}

fn spawn(stop: &CancellationToken, work: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    // Ends by `stop`; nothing waits for it.
    tokio::spawn(async move {
        stop.run_until_cancelled(work).await;
    });
}

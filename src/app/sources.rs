//! Builds the sources: each one's verifier, normalizer and window.

use super::{Failure, watch::secrets::Keeper};
use crate::{
    config::{self, Loaded, Problem, SourceConfig, SourceSettings},
    dedup::Window,
    delivery::Quota,
    explain::Explainer,
    fetch::Client,
    normalize::Normalizer,
    observe::{
        conflicts::ConflictLog,
        health::Health,
        metrics::{Metrics, SourceMetrics},
    },
    pipeline::{Handshakes, MOST_LISTED_OF_ONE, Source},
    publish::Sinks,
    respond::{Capture, Confirmer, Responders},
    senders::{Compiled, SenderSpec},
    verify::Verifier,
};
use futures_util::future::join_all;
use std::sync::Arc;

/// Builds every source and the keeper of its secrets, or returns all that is wrong with them.
pub(super) async fn build(
    loaded: &Loaded,
    sinks: &Sinks,
    metrics: &Metrics,
    health: &Health,
) -> Result<(Vec<Arc<Source>>, Vec<Keeper>), Failure> {
    let sinks: Vec<String> = sinks.iter().map(|sink| sink.name.clone()).collect();
    let (mut sources, mut keepers, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (name, config) in &loaded.config.sources {
        let (Some(sender), Some(settings)) = (loaded.senders.get(name), loaded.sources.get(name)) else {
            continue;
        };
        let Compiled { scheme, verifier, responders, normalizer } = match compile(loaded, name, sender) {
            Ok(compiled) => compiled,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        let handshakes = handshakes(responders, config).await;
        let metrics = SourceMetrics::new(metrics, name, verifier.scheme(), &sinks);
        // A scheme without secrets proves by none of them.
        metrics.expect_secrets(if verifier.needs_secret() { config.secrets.len() } else { 0 });
        for handshake in handshakes.responders.names() {
            metrics.expect_handshake(handshake);
        }
        let checks = (verifier, Explainer::new(scheme));
        let mut source = assemble(name, settings, checks, handshakes, normalizer, metrics);
        source.may_spool = config.spool.unwrap_or(true);
        let source = Arc::new(source);
        keepers.push(Keeper::start(Arc::clone(&source), &config.secrets, health));
        sources.push(source);
    }
    if !problems.is_empty() {
        return Err(Failure::Configuration(problems));
    }
    // All at once: no listener is bound before, and each may wait for its disk.
    Ok((sources, join_all(keepers).await))
}

/// Compiles the document of a source; a constant that leads nowhere is said, and may come later.
fn compile(loaded: &Loaded, name: &str, sender: &SenderSpec) -> Result<Compiled, Vec<Problem>> {
    let resolved = config::params(sender);
    for (param, error) in &resolved.missing {
        tracing::warn!(source = name, param, %error, "a constant is missing");
    }
    Compiled::new(sender, name, &resolved.values).map_err(|found| loaded.document_problems(name, found))
}

/// Joins what the document answers and what the operator agrees to.
async fn handshakes(responders: Responders, config: &SourceConfig) -> Handshakes {
    let capture = config.capture.as_ref().and_then(|capture| {
        let until = capture.until.parse().ok()?;
        Some(Arc::new(Capture::new(capture.file.clone(), until)))
    });
    let confirmer: Option<Arc<dyn Confirmer>> =
        if config.confirm { Some(Client::system().await) } else { None };
    Handshakes { responders, capture, confirmer }
}

fn assemble(
    name: &str,
    settings: &SourceSettings,
    (verifier, explainer): (Verifier, Explainer),
    handshakes: Handshakes,
    normalizer: Normalizer,
    metrics: SourceMetrics,
) -> Source {
    let window = (!settings.dedup_window.is_zero() && settings.dedup_entries > 0)
        .then(|| Window::new(settings.dedup_window, settings.dedup_entries));
    Source {
        name: name.into(),
        verifier,
        explainer,
        handshakes,
        normalizer,
        window,
        deadline: settings.deadline,
        max_body: settings.max_body,
        in_flight: Quota::new(settings.max_in_flight.try_into().unwrap_or(u64::MAX)),
        listed: Quota::new(MOST_LISTED_OF_ONE),
        success: settings.success,
        spooled: settings.spooled,
        may_spool: true,
        problems: settings.problems,
        success_body: settings.body.clone().unwrap_or_default().into(),
        metrics,
        conflicts: ConflictLog::default(),
    }
}

//! Builds the sources: each one's verifier, normalizer and window.

use super::{Failure, handshakes, watch::secrets::Keeper};
use crate::{
    config::{self, Loaded, Problem, SourceSettings},
    dedup::Window,
    delivery::Quota,
    explain::Explainer,
    normalize::{Normalizer, Setting},
    observe::{
        conflicts::ConflictLog,
        health::Health,
        metrics::{Metrics, SourceMetrics},
    },
    pipeline::{Handshakes, Source},
    publish::Sinks,
    request::slot::{Slot, Standing},
    senders::SenderSpec,
    verify::Verifier,
};
use std::sync::Arc;

/// Builds every source and the keeper of its secrets, or returns all that is wrong with them.
pub(super) fn build(
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
        let (verifier, normalizer) = match compile(loaded, name, sender) {
            Ok(parts) => parts,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        let handshakes = match handshakes::build(loaded, name, sender, config) {
            Ok(handshakes) => handshakes,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        let metrics = SourceMetrics::new(metrics, name, verifier.scheme(), &sinks);
        // A scheme without secrets proves by none of them.
        metrics.expect_secrets(if verifier.needs_secret() { config.secrets.len() } else { 0 });
        for handshake in handshakes.responders.names() {
            metrics.expect_handshake(handshake);
        }
        let explainer = Explainer::new(config::with_params(sender.clone()).verify.unwrap_or_default());
        let source = assemble(name, settings, (verifier, explainer), handshakes, normalizer, metrics);
        let source = Arc::new(source);
        keepers.push(Keeper::start(Arc::clone(&source), &config.secrets, health));
        sources.push(source);
    }
    if problems.is_empty() { Ok((sources, keepers)) } else { Err(Failure::Configuration(problems)) }
}

/// Compiles what a sender document says; returns every problem of it.
fn compile(loaded: &Loaded, name: &str, spec: &SenderSpec) -> Result<(Verifier, Normalizer), Vec<Problem>> {
    let verify = spec.verify.clone().unwrap_or_default();
    let event = spec.event.clone().unwrap_or_default();
    let sender = spec.sender.as_deref().unwrap_or("custom");
    let verifier = Verifier::compile(&verify).map_err(|problems| {
        let place = |problem: &crate::verify::SpecProblem| {
            loaded.source_problem(name, &format!("verify.{}", problem.field), &problem.problem, &problem.fix)
        };
        problems.iter().map(place).collect::<Vec<_>>()
    });
    let withheld = verifier.as_ref().map(Verifier::withheld).unwrap_or_default();
    let standing = |slots: &[Slot], each: Option<&str>| match &verifier {
        Ok(verifier) => verifier.standing(slots, each),
        Err(_) => Standing::Open,
    };
    let setting = Setting {
        sender,
        source: name,
        params: config::params(spec).values,
        withheld,
        standing: &standing,
        ids_are_unique: spec.ids_are_unique(),
    };
    let normalizer = Normalizer::compile(&event, setting).map_err(|errors| {
        let fix = "see docs/senders.md for the grammar of templates";
        let place = |error: &crate::normalize::CompileError| {
            loaded.source_problem(name, &error.field, &error.problem, fix)
        };
        errors.iter().map(place).collect::<Vec<_>>()
    });
    match (verifier, normalizer) {
        (Ok(verifier), Ok(normalizer)) => Ok((verifier, normalizer)),
        (verifier, normalizer) => {
            let found = verifier.err().into_iter().chain(normalizer.err());
            Err(found.flatten().collect())
        }
    }
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
        success: settings.success,
        success_body: settings.body.clone().unwrap_or_default().into(),
        metrics,
        conflicts: ConflictLog::default(),
    }
}

//! Builds a source's handshakes: what its sender's document answers, and what the operator agrees to.

use crate::{
    config::{self, Loaded, Problem, SourceConfig},
    fetch::Client,
    pipeline::Handshakes,
    respond::{Capture, Confirmer, Responders},
    senders::SenderSpec,
};
use std::sync::Arc;

/// Builds them, or returns all that is wrong with them.
pub(super) fn build(
    loaded: &Loaded,
    name: &str,
    sender: &SenderSpec,
    config: &SourceConfig,
) -> Result<Handshakes, Vec<Problem>> {
    let resolved = config::params(sender);
    for (param, error) in &resolved.missing {
        tracing::warn!(source = name, param, %error, "a constant is missing");
    }
    let responders = compile(loaded, name, sender, resolved)?;
    let capture = config.capture.as_ref().and_then(|capture| {
        let until = capture.until.parse().ok()?;
        Some(Arc::new(Capture::new(capture.file.clone(), until)))
    });
    let confirmer = config.confirm.then(|| -> Arc<dyn Confirmer> { Client::system() });
    Ok(Handshakes { responders, capture, confirmer })
}

/// Compiles what is answered, or returns all that is wrong with it.
fn compile(
    loaded: &Loaded,
    name: &str,
    sender: &SenderSpec,
    params: config::ResolvedParams,
) -> Result<Responders, Vec<Problem>> {
    let specs = sender.respond.as_deref().unwrap_or_default();
    let declared = |param: &str| sender.params.as_ref().is_some_and(|params| params.contains_key(param));
    Responders::compile(specs, &declared, params.values).map_err(|problems| {
        let place = |problem: &crate::respond::SpecProblem| {
            loaded.source_problem(name, &problem.field, &problem.problem, &problem.fix)
        };
        problems.iter().map(place).collect()
    })
}

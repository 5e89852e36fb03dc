//! Builds a source's handshakes: what its sender's document answers, and what the operator agrees to.

use crate::{
    config::{self, Loaded, Problem, SourceConfig},
    fetch::{Client, Target},
    pipeline::Handshakes,
    respond::{Capture, Confirmer, Responders},
    senders::SenderSpec,
};
use axum::http::Uri;
use futures_util::future::BoxFuture;
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
    let confirmer: Option<Arc<dyn Confirmer>> = if config.confirm { Some(Arc::new(Fetcher)) } else { None };
    Ok(Handshakes { responders, capture, confirmer })
}

/// Agrees by fetching the address over verified TLS; what stands there is thrown away.
#[derive(Debug)]
struct Fetcher;

impl Confirmer for Fetcher {
    fn fetch(&self, address: Uri) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let target = Target::parse(&address.to_string()).map_err(|error| error.to_string())?;
            let fetched = Client::system().get(&target).await;
            fetched.map(drop).map_err(|error| error.to_string())
        })
    }
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

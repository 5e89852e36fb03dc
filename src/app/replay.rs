//! What stands behind verification, built without a server: takes stored events through today's configuration again.

use super::{Failure, replica, routes, sinks};
use crate::{
    config::{self, Loaded},
    event::{Event, Identity, Reason},
    normalize::Normalizer,
    observe::metrics::{Metrics, SourceMetrics},
    publish::{Sinks, Way},
    record::{Held, Plan},
    request::Request,
    route::Routes,
    senders::Compiled,
    workers::Workers,
};
use futures_util::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};
use tokio::time::timeout;

/// How long a destination may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stored event, as its envelope tells it.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The event with the attributes that it was given.
    pub(crate) event: Event,
    /// Its request, where the envelope kept it whole.
    pub(crate) request: Option<Request>,
    /// Why it was quarantined.
    pub(crate) reason: Option<Reason>,
}

/// Why an event stays where it is: a reason's name and a sentence.
#[derive(Debug)]
pub(crate) struct Stays(pub(crate) String, pub(crate) String);

/// The later half of the path.
#[derive(Debug)]
pub(crate) struct Replayer {
    sources: BTreeMap<String, (Normalizer, SourceMetrics)>,
    routes: Routes,
    sinks: Sinks,
}

/// Returns the directory in which is noted what was dealt with: that of the quarantine's journal or of any other, else
/// where the quarantine stands by default.
pub(crate) fn notes_dir(loaded: &Loaded) -> &Path {
    sinks::aside_of(loaded)
}

impl Replayer {
    /// Builds it, with the sinks that routes lead to where it is to publish.
    pub(crate) async fn build(loaded: &Loaded, publishes: bool) -> Result<Self, Failure> {
        let metrics = Metrics::new()?;
        let names: Vec<String> = loaded.config.sinks.keys().cloned().collect();
        let (routes, _) = routes::build(loaded, &names).map_err(Failure::Configuration)?;
        let targets = loaded.config.routes.iter().flat_map(|route| route.to.targets());
        let reached: BTreeSet<&str> = targets.map(|target| target.sink.as_str()).collect();
        let wanted = |name: &str| publishes && reached.contains(name);
        let built = sinks::build(loaded, &Workers::here(), &metrics, wanted).await?;
        let names: Vec<String> = built.iter().map(|sink| sink.name.clone()).collect();
        let mut sources = BTreeMap::new();
        for (name, sender) in &loaded.senders {
            let compiled = Compiled::new(sender, name, &config::params(sender).values);
            let Compiled { verifier, normalizer, .. } =
                compiled.map_err(|found| Failure::Configuration(loaded.document_problems(name, found)))?;
            let metrics = SourceMetrics::new(&metrics, name, verifier.scheme(), &names);
            sources.insert(name.clone(), (normalizer, metrics));
        }
        Ok(Self { sources, routes, sinks: Sinks::new(built, replica(loaded)).replaying() })
    }

    /// Looks at each destination; returns what is wrong with the first that is not good.
    pub(crate) async fn prepare(&self) -> Result<(), String> {
        for sink in &self.sinks {
            match timeout(PATIENCE, sink.publisher.prepare()).await {
                // It is looked at once.
                Ok(Ok(prepared)) => drop(sink.ready.set(prepared)),
                Ok(Err(error)) => return Err(format!("{}: {error}", sink.name)),
                Err(_) => return Err(format!("{}: no answer within {} s", sink.name, PATIENCE.as_secs())),
            }
        }
        Ok(())
    }

    /// Maps a stored event by today's configuration; what was mapped well and lacks its request stays as it was mapped.
    pub(crate) fn map(&self, stored: Stored) -> Result<Vec<(Event, Plan)>, Stays> {
        let Stored { event, request, reason } = stored;
        let Some((normalizer, _)) = self.sources.get(&*event.source_name) else {
            return Err(Stays(
                "no_source".to_owned(),
                format!("no source {:?} is configured", event.source_name),
            ));
        };
        let events = match (request, reason) {
            // An element of a list has not the others around it, by which it was mapped.
            (Some(_), Some(reason)) if reason.is_of_its_place() && normalizer.divides() => vec![event],
            (Some(_), Some(reason)) if event.id.starts_with("sha256:") && event.id.contains('/') => {
                let detail = "it is one element of a list and can't be mapped without its request's others";
                return Err(Stays(reason.name().to_owned(), detail.to_owned()));
            }
            (Some(request), _) => remapped(normalizer, &request, &event)?,
            (None, None) => vec![event],
            (None, Some(reason)) => {
                let detail = "its envelope holds not all of the request: it was cut";
                return Err(Stays(reason.name().to_owned(), detail.to_owned()));
            }
        };
        let plan = |mut event: Event| {
            event.identity = Identity::Fresh;
            event.in_turn = false;
            let plan = self.routes.plan(&event);
            let plan = plan.map_err(|why| Stays(why.reason.name().to_owned(), why.detail))?;
            Ok((event, plan))
        };
        events.into_iter().map(plan).collect()
    }

    /// Publishes an event to all its targets and returns once each has acknowledged it.
    pub(crate) async fn publish(&self, event: &Event, plan: &Plan) -> Result<(), Failed> {
        let Plan::Publish(targets) = plan else { return Ok(()) };
        let Some((_, metrics)) = self.sources.get(&*event.source_name) else { return Ok(()) };
        let none = Held::default();
        let Ok(outcome) =
            timeout(PATIENCE, self.sinks.publish(event, targets, &none, Some(metrics), Way::Strict)).await
        else {
            let error = format!("no answer within {} s: it may be written", PATIENCE.as_secs());
            return Err(Failed { reason: "unavailable", error, is_hopeless: false });
        };
        // What may go well the next time decides.
        let failed = outcome.failed.iter().max_by_key(|(_, error)| !error.is_hopeless());
        failed.map_or(Ok(()), |(target, error)| {
            let (sink, is_hopeless) = (target.sink.as_str(), error.is_hopeless());
            Err(Failed { reason: error.reason(), error: format!("{sink}: {error}"), is_hopeless })
        })
    }

    /// Ends the clients.
    pub(crate) async fn end(self) {
        // All was acknowledged, or is said not to be.
        drop(timeout(PATIENCE, join_all(self.sinks.iter().map(|sink| sink.publisher.flush()))).await);
    }
}

/// Why an event was not published.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) reason: &'static str,
    pub(crate) error: String,
    /// True where another try gives the same.
    pub(crate) is_hopeless: bool,
}

/// Normalizes a request again. A single event keeps the id under which it stands in the quarantine.
fn remapped(normalizer: &Normalizer, request: &Request, was: &Event) -> Result<Vec<Event>, Stays> {
    let mut events = normalizer.normalize_again(request, was.assurance);
    if let Some(quarantine) = events.iter().find_map(|event| event.quarantine.as_ref()) {
        return Err(Stays(quarantine.reason.name().to_owned(), quarantine.detail.clone()));
    }
    if let [event] = &mut *events {
        event.id.clone_from(&was.id);
    }
    Ok(events)
}

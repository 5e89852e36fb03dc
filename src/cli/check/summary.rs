//! What a configuration means, in a few lines: where webhooks come in, who sends them, where they go.

use crate::{
    cli::{
        exit::Stop,
        out::{Out, Style},
    },
    config::{Loaded, RouteConfig, SinkConfig, TargetConfig, without_credentials},
    verify::Verifier,
};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    listen: String,
    admin: String,
    sources: Vec<Source>,
    sinks: Vec<Sink>,
    routes: Vec<Route>,
    quarantine: Option<String>,
}

#[derive(Debug, Serialize)]
struct Source {
    name: String,
    path: String,
    preset: Option<String>,
    scheme: &'static str,
    secrets: usize,
}

#[derive(Debug, Serialize)]
struct Sink {
    name: String,
    kind: &'static str,
    place: String,
}

#[derive(Debug, Serialize)]
struct Route {
    #[serde(rename = "match")]
    matches: String,
    to: Vec<String>,
}

impl Summary {
    pub(super) fn of(loaded: &Loaded) -> Self {
        let config = &loaded.config;
        Self {
            listen: config.listen.to_string(),
            admin: config.admin.to_string(),
            sources: loaded.senders.keys().filter_map(|name| Source::of(loaded, name)).collect(),
            sinks: config.sinks.iter().map(|(name, sink)| Sink::of(name, sink)).collect(),
            routes: config.routes.iter().map(Route::of).collect(),
            quarantine: config.quarantine.as_ref().map(target),
        }
    }

    pub(super) fn print(&self, out: &mut Out) -> Result<(), Stop> {
        let sources: Vec<String> = self.sources.iter().map(Source::to_string).collect();
        part(out, "sources", &format!("{} ({})", sources.len(), sources.join(" · ")))?;
        let sinks: Vec<String> =
            self.sinks.iter().map(|sink| format!("{}: {} {}", sink.name, sink.kind, sink.place)).collect();
        part(out, "sinks", &format!("{} ({})", sinks.len(), sinks.join(" · ")))?;
        part(out, "routes", &format!("{}, the first that matches wins", self.routes.len()))?;
        let width = self.routes.iter().map(|route| route.matches.chars().count()).max().unwrap_or(0);
        for route in &self.routes {
            let to = if route.to.is_empty() { "drop".to_owned() } else { route.to.join(", ") };
            out.line(format!("    {:width$}  → {to}", route.matches))?;
        }
        if let Some(quarantine) = &self.quarantine {
            out.line(format!("    {:width$}  → {quarantine}", "(none, or not mappable)"))?;
        }
        part(out, "listeners", &format!("webhooks on {}, metrics and health on {}", self.listen, self.admin))
    }
}

fn part(out: &mut Out, name: &str, text: &str) -> Result<(), Stop> {
    let mark = out.paint(Style::Good, "✓").into_owned();
    out.line(format!("{mark} {name:9}  {text}"))
}

impl Source {
    fn of(loaded: &Loaded, name: &str) -> Option<Self> {
        let source = loaded.config.sources.get(name)?;
        let sender = loaded.senders.get(name)?;
        let verifier = Verifier::compile(&super::scheme(sender));
        Some(Self {
            name: name.to_owned(),
            path: format!("/hooks/{name}"),
            preset: source.preset.as_deref().map(told),
            scheme: verifier.map_or("unknown", |verifier| verifier.scheme()),
            secrets: source.secrets.len(),
        })
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let preset = self.preset.as_deref().unwrap_or("own sender");
        let secrets = if self.secrets == 1 { "secret" } else { "secrets" };
        write!(f, "{}: {preset}, {}, {} {secrets}", self.name, self.scheme, self.secrets)
    }
}

impl Sink {
    fn of(name: &str, sink: &SinkConfig) -> Self {
        let (kind, place) = match sink {
            SinkConfig { kafka: Some(kafka), .. } => ("kafka", kafka.brokers.join(",")),
            SinkConfig { nats: Some(nats), .. } => {
                ("nats", format!("{} at {}", nats.stream, nats.servers.join(",")))
            }
            SinkConfig { journal: Some(journal), .. } => ("journal", journal.dir.display().to_string()),
            SinkConfig { .. } => ("nothing", String::new()),
        };
        Self { name: name.to_owned(), kind, place: told(&place) }
    }
}

impl Route {
    fn of(route: &RouteConfig) -> Self {
        let matches = &route.matches;
        let parts = [("source", &matches.source), ("type", &matches.kind), ("object", &matches.object)];
        let given: Vec<String> = parts
            .into_iter()
            .filter_map(|(name, pattern)| pattern.as_ref().map(|pattern| told(&format!("{name} {pattern}"))))
            .collect();
        let matches = if given.is_empty() { "everything".to_owned() } else { given.join(", ") };
        Self { matches, to: route.to.targets().iter().map(target).collect() }
    }
}

/// Returns a target in words, as `bus hotel.reservations`.
fn target(target: &TargetConfig) -> String {
    let place = target.topic.as_ref().or(target.subject.as_ref());
    place.map_or_else(|| target.sink.clone(), |place| told(&format!("{} {place}", target.sink)))
}

fn told(text: &str) -> String {
    without_credentials(text).into_owned()
}

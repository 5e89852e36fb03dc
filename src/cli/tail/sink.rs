//! Chooses the sink that is read, and finds what the routes put there.

use crate::{
    cli::exit::Stop,
    config::{Loaded, TargetConfig, nearest::one_of},
};
use std::collections::BTreeSet;

/// Returns the named sink; without a name, the only one that routes lead to.
pub(in crate::cli) fn choose<'l>(loaded: &'l Loaded, wanted: Option<&str>) -> Result<&'l str, Stop> {
    let names = || loaded.config.sinks.keys().map(String::as_str);
    if let Some(wanted) = wanted {
        let unknown = || Stop::usage(format!("there is no sink {wanted:?}: choose {}", one_of(names())));
        return names().find(|name| *name == wanted).ok_or_else(unknown);
    }
    let reached: BTreeSet<&str> = routed(loaded).map(|target| target.sink.as_str()).collect();
    let mut used = names().filter(|name| reached.contains(name));
    match (used.next(), used.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Stop::usage(format!("say which sink: hookway tail SINK; there are {}", one_of(names())))),
    }
}

/// Returns the topics that routes and the quarantine name in a sink, as they are written, with templates.
pub(in crate::cli) fn topics(loaded: &Loaded, sink: &str) -> Vec<String> {
    let targets = routed(loaded).chain(&loaded.config.quarantine).filter(|target| target.sink == sink);
    targets.filter_map(|target| target.topic.clone()).collect()
}

fn routed(loaded: &Loaded) -> impl Iterator<Item = &TargetConfig> {
    loaded.config.routes.iter().flat_map(|route| route.to.targets())
}

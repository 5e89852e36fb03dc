//! Builds the routing table and the quarantine from the configuration.

use crate::{
    config::{Loaded, MatchConfig, Problem, TargetConfig},
    route::{Route, RouteTarget, Routes, template::Destination},
};
use wildmatch::WildMatch;

/// Builds the table and the quarantine's target; `sinks` are the names of all sinks.
pub(crate) fn build(loaded: &Loaded, sinks: &[String]) -> Result<(Routes, RouteTarget), Vec<Problem>> {
    let mut problems = Vec::new();
    let mut build = |place: &str, config: &TargetConfig| {
        target(config, sinks).map_err(|message| problems.push(loaded.problem(place, &message, FIX))).ok()
    };
    let mut routes = Vec::with_capacity(loaded.config.routes.len());
    for (index, route) in loaded.config.routes.iter().enumerate() {
        let place = format!("routes.{index}.to");
        let to = route.to.targets().iter().filter_map(|target| build(&place, target)).collect();
        let MatchConfig { source, kind, object } = &route.matches;
        let pattern = |text: &Option<String>| text.as_deref().map(WildMatch::new);
        routes.push(Route { source: pattern(source), kind: pattern(kind), object: pattern(object), to });
    }
    let quarantine = loaded.config.quarantine.as_ref().and_then(|quarantine| build("quarantine", quarantine));
    match quarantine {
        Some(quarantine) if problems.is_empty() => Ok((Routes::new(routes), quarantine)),
        Some(_) => Err(problems),
        None => {
            problems.push(loaded.problem("quarantine", "there is no quarantine", FIX));
            Err(problems)
        }
    }
}

/// How a target is mended.
const FIX: &str = "name a sink, with `topic` for Kafka or `subject` for NATS";

fn target(config: &TargetConfig, sinks: &[String]) -> Result<RouteTarget, String> {
    if !sinks.contains(&config.sink) {
        return Err(format!("sink {:?} is not configured", config.sink));
    }
    let destination = match (&config.topic, &config.subject) {
        (Some(topic), _) => Destination::topic(topic)?,
        (None, Some(subject)) => Destination::subject(subject)?,
        (None, None) => Destination::Journal,
    };
    Ok(RouteTarget { sink: config.sink.as_str().into(), destination })
}

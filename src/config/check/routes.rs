//! Rules of the routing table and the quarantine.

use super::target;
use crate::config::{Config, MatchConfig, ToConfig, keypath::KeyPath, nearest::nearest, problem::Report};
use wildmatch::WildMatch;

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    if config.sinks.is_empty() {
        nothing_needs_a_sink(config, report);
        return;
    }
    routes_lead_somewhere(config, report);
    quarantine_is_there(config, report);
    for (n, route) in config.routes.iter().enumerate() {
        let at = KeyPath::of(["routes"]).index(n);
        source_exists(&route.matches, config, &at.key("match").key("source"), report);
        earlier_route_takes_all(n, config, &at, report);
    }
    every_sink_is_used(config, report);
}

fn nothing_needs_a_sink(config: &Config, report: &mut Report<'_>) {
    if report.is_unread(&KeyPath::of(["sinks"])) {
        return;
    }
    let message = "there are no sinks, so everything goes to the embedded journal";
    for (key, given) in [("routes", !config.routes.is_empty()), ("quarantine", config.quarantine.is_some())] {
        if given {
            report.error(&KeyPath::of([key]), message, format!("give `sinks`, or take `{key}` out"));
        }
    }
}

fn routes_lead_somewhere(config: &Config, report: &mut Report<'_>) {
    let all = KeyPath::of(["routes"]);
    if config.routes.is_empty() {
        report.error(
            &all,
            "there are sinks but no routes, so every event would go to the quarantine",
            "write at least `routes: [ { to: { sink: NAME } } ]`, with the `topic` or `subject` its sink needs",
        );
    }
    for (n, route) in config.routes.iter().enumerate() {
        let at = all.index(n).key("to");
        if matches!(&route.to, ToConfig::Many(none) if none.is_empty()) {
            let fix = "write `to: { sink: NAME }`, a list of such, or `to: drop`";
            report.error(&at, "a route needs to lead somewhere", fix);
        }
        for (at, target) in route.to.placed(at) {
            target::check(target, config, &at, report);
        }
    }
}

fn quarantine_is_there(config: &Config, report: &mut Report<'_>) {
    let at = KeyPath::of(["quarantine"]);
    match &config.quarantine {
        Some(quarantine) => target::check(quarantine, config, &at, report),
        None => report.error(
            &at,
            "with `sinks` a quarantine is required: authentic events that cannot be mapped or published go there",
            "write `quarantine: { sink: NAME }`; a journal sink needs no broker",
        ),
    }
}

fn source_exists(matches: &MatchConfig, config: &Config, at: &KeyPath, report: &mut Report<'_>) {
    let Some(pattern) = &matches.source else { return };
    let glob = WildMatch::new(pattern);
    if !config.sources.keys().any(|name| glob.matches(name)) {
        let meant = nearest(pattern, config.sources.keys().map(String::as_str));
        let fix = meant.map_or_else(
            || "compare it with the names under `sources`; `*` stands for any text".to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
        report.warning(at, format!("no source is named \"{}\"", pattern.escape_debug()), fix);
    }
}

fn earlier_route_takes_all(n: usize, config: &Config, at: &KeyPath, report: &mut Report<'_>) {
    let Some(later) = config.routes.get(n) else { return };
    let earlier = config.routes.iter().take(n).position(|earlier| covers(&earlier.matches, &later.matches));
    if let Some(earlier) = earlier {
        let message = format!("this route never matches, because routes[{earlier}] takes all of it first");
        report.warning(at, message, "put the narrower route first, or take this one out");
    }
}

/// Returns true where every event that `later` could take is taken by `earlier`.
fn covers(earlier: &MatchConfig, later: &MatchConfig) -> bool {
    let pairs =
        [(&earlier.source, &later.source), (&earlier.kind, &later.kind), (&earlier.object, &later.object)];
    pairs.iter().all(|(earlier, later)| match (earlier, later) {
        (None, _) => true,
        (Some(pattern), _) if pattern == "*" => true,
        (Some(pattern), Some(text)) if !text.contains(['*', '?']) => WildMatch::new(pattern).matches(text),
        (earlier, later) => earlier == later,
    })
}

fn every_sink_is_used(config: &Config, report: &mut Report<'_>) {
    let targets = config.routes.iter().flat_map(|route| route.to.targets()).chain(&config.quarantine);
    let used: Vec<&str> = targets.map(|target| target.sink.as_str()).collect();
    // While a target has a wrong name, nobody knows which sink it means.
    if config.routes.is_empty() || used.iter().any(|name| !config.sinks.contains_key(*name)) {
        return;
    }
    for name in config.sinks.keys().filter(|name| !used.contains(&name.as_str())) {
        let fix = "name it in a route or as `quarantine`, or take it out";
        report.warning(&KeyPath::of(["sinks", name]), "no route leads to this sink", fix);
    }
}

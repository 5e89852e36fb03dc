//! Routes that take nothing, and what no route takes.

use super::{Facts, glob};
use crate::{
    config::{
        TargetConfig,
        keypath::KeyPath,
        nearest::{nearest, one_of},
        problem::Report,
    },
    route::template::Name,
};
use std::collections::BTreeSet;

/// What only a regular expression has.
const REGEX: [&str; 5] = ["\\", "|", "(", "[", ".+"];

/// How many sources a sentence names.
const NAMED: usize = 3;

fn at(n: usize) -> KeyPath {
    KeyPath::of(["routes"]).index(n)
}

/// Returns every target of a route with its place.
fn targets<'c>(facts: &Facts<'c>) -> impl Iterator<Item = (KeyPath, &'c TargetConfig)> {
    facts.config.routes.iter().enumerate().flat_map(|(n, route)| route.to.placed(at(n).key("to")))
}

/// What no route takes goes to the quarantine, all of it.
pub(super) fn every_source_has_a_route(facts: &Facts<'_>, report: &mut Report<'_>) {
    let routes = &facts.config.routes;
    if routes.is_empty() || report.has_unread(&KeyPath::of(["routes"])) {
        return;
    }
    let taken: BTreeSet<&str> =
        routes.iter().flat_map(|route| facts.taken(route.matches.source.as_deref())).collect();
    let idle = || {
        let patterns = routes.iter().filter_map(|route| route.matches.source.as_deref());
        patterns.filter(|pattern| facts.taken(Some(pattern)).next().is_none())
    };
    for name in facts.config.sources.keys().filter(|name| !taken.contains(name.as_str())) {
        let message = "no route takes events of this source: all of them go to the quarantine";
        let slip = idle().find(|pattern| nearest(pattern, [name.as_str()]).is_some());
        let fix = match slip {
            Some(pattern) => {
                format!("did you mean `{name}` where a route says \"{}\"?", pattern.escape_debug())
            }
            None => format!(
                "write a route for it, as `- {{ match: {{ source: {name} }}, to: {{ sink: NAME }} }}`"
            ),
        };
        report.warning(&KeyPath::of(["sources", name]), message, fix);
    }
}

/// A type that none of the route's sources makes.
pub(super) fn types_occur(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (n, route) in facts.config.routes.iter().enumerate() {
        let Some(pattern) = &route.matches.kind else { continue };
        let made: Option<Vec<(&str, String)>> = facts
            .taken(route.matches.source.as_deref())
            .map(|name| Some((name, glob::of_types(facts.senders.get(name)?)?)))
            .collect();
        // Of a source whose types are its own, or that could not be read, nothing is known.
        let Some(made) = made.filter(|made| !made.is_empty()) else { continue };
        if made.iter().any(|(_, types)| glob::meet(pattern, types)) {
            continue;
        }
        let told: Vec<String> =
            made.iter().take(NAMED).map(|(name, types)| format!("`{types}` of source `{name}`")).collect();
        let more = if made.len() > NAMED { ", and so on" } else { "" };
        let known = one_of(told.iter().map(String::as_str));
        let message = "no event of this route's sources has such a type, so that it takes nothing";
        let fix = format!("a type is {known}{more}; `hookway trigger` lists the names behind the prefix");
        report.warning(&at(n).key("match").key("type"), message, fix);
    }
}

/// A regular expression where a pattern belongs.
pub(super) fn patterns_are_globs(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (n, route) in facts.config.routes.iter().enumerate() {
        let matches = &route.matches;
        for (key, pattern) in
            [("source", &matches.source), ("type", &matches.kind), ("object", &matches.object)]
        {
            let Some(pattern) = pattern else { continue };
            let is_anchored = pattern.starts_with(['^', '.']) || pattern.ends_with('$');
            if is_anchored || REGEX.iter().any(|mark| pattern.contains(mark)) {
                report.warning(
                    &at(n).key("match").key(key),
                    "this looks like a regular expression, and is compared as a pattern",
                    "`*` stands for any text and `?` for one character; nothing else has a meaning of its own",
                );
            }
        }
    }
}

/// Two equal targets of one route store everything twice.
pub(super) fn targets_differ(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (n, route) in facts.config.routes.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for (k, target) in route.to.targets().iter().enumerate() {
            if !target.sink.is_empty() && !seen.insert((&target.sink, &target.topic, &target.subject)) {
                let message = "this target stands twice in the list: each event would be stored there twice";
                report.warning(&at(n).key("to").index(k), message, "take one of the two out");
            }
        }
    }
}

/// A subject that the stream, made as the configuration says, does not hold.
pub(super) fn streams_hold_their_subjects(facts: &Facts<'_>, report: &mut Report<'_>) {
    let quarantine = facts.config.quarantine.iter().map(|target| (KeyPath::of(["quarantine"]), target));
    for (at, target) in targets(facts).chain(quarantine) {
        let nats = facts.config.sinks.get(&target.sink).and_then(|sink| sink.nats.as_ref());
        let create = nats.and_then(|nats| nats.create.as_ref()).filter(|create| !create.subjects.is_empty());
        if let (Some(create), Some(subject)) = (create, &target.subject)
            && !create.subjects.iter().any(|held| glob::takes(held, subject))
        {
            report.warning(
                &at.key("subject"),
                "the stream does not hold this subject, if it is made as `create.subjects` says",
                format!("add the subject to `sinks.{}.nats.create.subjects`, or mend it here", target.sink),
            );
        }
    }
}

/// A place in the quarantine that may not be there when it is needed.
pub(super) fn the_quarantine_has_a_fixed_place(facts: &Facts<'_>, report: &mut Report<'_>) {
    let Some(quarantine) = &facts.config.quarantine else { return };
    let sink = facts.config.sinks.get(&quarantine.sink);
    let is_made = sink.is_some_and(|sink| {
        sink.kafka.as_ref().is_some_and(|kafka| kafka.create.is_some())
            || sink.nats.as_ref().is_some_and(|nats| nats.create.is_some())
    });
    for (key, name) in [("topic", &quarantine.topic), ("subject", &quarantine.subject)] {
        let name = name.as_ref().and_then(|name| Name::parse(name).ok());
        if name.is_some_and(|name| !is_made && name.fixed().is_none()) {
            report.warning(
                &KeyPath::of(["quarantine", key]),
                "this is another for each event, and nothing shows before that it is there: where it is not, the event stays in a file beside a journal",
                "write one name for all; a quarantined event says in `hookwaysource` and `type` what it is",
            );
        }
    }
}

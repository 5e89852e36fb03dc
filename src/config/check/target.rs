//! Rules of one target: a sink that exists, and the destination that its kind needs.

use crate::{
    config::{
        Config, TargetConfig,
        keypath::KeyPath,
        nearest::{nearest, one_of},
        problem::Report,
    },
    route::template::Destination,
};

pub(super) fn check(target: &TargetConfig, config: &Config, at: &KeyPath, report: &mut Report<'_>) {
    if target.sink.is_empty() {
        report.error(&at.key("sink"), "a target needs a sink", sinks_to_choose(config));
        return;
    }
    let Some(sink) = config.sinks.get(&target.sink) else {
        sink_is_unknown(&target.sink, config, &at.key("sink"), report);
        return;
    };
    let wanted = match (&sink.kafka, &sink.nats, &sink.journal) {
        (Some(_), None, None) => Some("topic"),
        (None, Some(_), None) => Some("subject"),
        (None, None, Some(_)) => None,
        // A sink of no kind or of several was reported where it stands.
        _ => return,
    };
    let given = [("topic", &target.topic), ("subject", &target.subject)];
    let has_strays = given.iter().any(|(key, value)| value.is_some() && wanted != Some(*key));
    for (key, value) in given {
        match value {
            Some(template) if wanted == Some(key) => legal(key, template, &at.key(key), report),
            Some(_) => stray(key, wanted, target, &at.key(key), report),
            None if wanted == Some(key) && !has_strays => {
                let fix = format!("write `{{ sink: {}, {key}: NAME }}`", target.sink);
                report.error(&at.key(key), format!("sink `{}` needs a {key}", target.sink), fix);
            }
            None => {}
        }
    }
}

fn sinks_to_choose(config: &Config) -> String {
    format!("the sinks are {}", one_of(config.sinks.keys().map(String::as_str)))
}

fn sink_is_unknown(name: &str, config: &Config, at: &KeyPath, report: &mut Report<'_>) {
    // Where the sinks could not be read, every name would seem unknown.
    if report.is_unread(&KeyPath::of(["sinks", name])) {
        return;
    }
    let fix = match nearest(name, config.sinks.keys().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => sinks_to_choose(config),
    };
    report.error(at, format!("there is no sink \"{}\"", name.escape_debug()), fix);
}

fn legal(key: &str, template: &str, at: &KeyPath, report: &mut Report<'_>) {
    let checked = if key == "topic" { Destination::topic(template) } else { Destination::subject(template) };
    if let Err(message) = checked {
        let fix = "write plain text with slots, as `webhooks.{source}.{object}`";
        report.error(at, message, fix);
    }
}

fn stray(key: &str, wanted: Option<&str>, target: &TargetConfig, at: &KeyPath, report: &mut Report<'_>) {
    let kind = match wanted {
        Some("topic") => "is Kafka and takes a topic",
        Some(_) => "is NATS and takes a subject",
        None => "is a journal and takes neither topic nor subject",
    };
    let fix =
        wanted.map_or(format!("take `{key}` out"), |wanted| format!("write `{wanted}` instead of `{key}`"));
    report.error(at, format!("sink `{}` {kind}", target.sink), fix);
}

//! What a sender may have signed: the usual templates, filled with the times and ids that the request has.

use super::{Lab, Place, place};
use crate::verify::{TimeUnit, TimestampSpec};
use axum::http::HeaderName;
use jiff::Timestamp;

/// Forms that leave out a member of the body.
const CUTS: [&str; 5] = ["raw_cut", "compact", "compact_sorted", "compact_php", "python"];

/// A message form, with the time that is part of it.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) message: String,
    pub(super) timestamp: Option<TimestampSpec>,
}

/// Returns the message forms for one place, the commonest first.
pub(super) fn all(lab: &Lab<'_>, place: &Place) -> Vec<Signed> {
    if place.spec.member.is_some() {
        return CUTS.map(untimed).to_vec();
    }
    let names: Vec<&HeaderName> = place::candidates(&lab.case.request.headers).collect();
    let text = |name: &HeaderName| lab.case.request.headers.get(name).and_then(|value| value.to_str().ok());
    let clocks = names.iter().filter_map(|name| Some((*name, unit(text(name)?)?)));
    let timed = clocks.flat_map(|(name, unit)| {
        let ids = names.iter().filter(move |id| id.as_str().ends_with("-id") && **id != name);
        let with_id = ids.flat_map(|id| with_id(id));
        with_time().map(str::to_owned).into_iter().chain(with_id).map(move |form| Signed {
            message: form.replace("{t}", &format!("{{header:{name}}}")),
            timestamp: Some(TimestampSpec {
                header: Some(name.to_string()),
                unit: (unit != TimeUnit::Seconds).then_some(unit),
                ..TimestampSpec::default()
            }),
        })
    });
    std::iter::once(untimed("{body}")).chain(timed).chain([untimed("json_stringify")]).collect()
}

fn untimed(message: &str) -> Signed {
    Signed { message: message.to_owned(), timestamp: None }
}

/// Returns the templates of a time and the body.
fn with_time() -> [&'static str; 10] {
    [
        "{t}.{body}",
        "{t}:{body}",
        "{t}{body}",
        "v0:{t}:{body}",
        "v1:{t}:{body}",
        "{body}{t}",
        "{body}.{t}",
        "{body}:{t}",
        "{t}|{body}",
        "{t}\n{body}",
    ]
}

/// Returns the templates of an id, a time and the body.
fn with_id(id: &HeaderName) -> [String; 4] {
    ["{i}.{t}.{body}", "{t}.{i}.{body}", "{i}|{t}|{body}", "{i}:{t}:{body}"]
        .map(|form| form.replace("{i}", &format!("{{header:{id}}}")))
}

/// Returns the unit of a text that looks like a time of this century.
fn unit(text: &str) -> Option<TimeUnit> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.len() {
            10 => Some(TimeUnit::Seconds),
            13 => Some(TimeUnit::Milliseconds),
            _ => None,
        };
    }
    text.parse::<Timestamp>().ok().map(|_| TimeUnit::Rfc3339)
}

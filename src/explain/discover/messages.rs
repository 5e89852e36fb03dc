//! What a sender may have signed: the usual templates, filled with the times, ids and the URL that the request has.

use super::{Lab, Place, place};
use crate::{
    request::slot::Texts,
    verify::{TimeUnit, TimestampSpec, VerifySpec},
};
use http::HeaderName;
use jiff::Timestamp;

/// Forms that leave out a member of the body.
const CUTS: [&str; 2] = ["raw_cut", "json_stringify"];

/// Templates of a time and the body.
const WITH_TIME: [&str; 10] = [
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
];

/// Templates of an id, a time and the body; the last is a scheme only with a date in full.
const WITH_ID: [&str; 5] =
    ["{i}.{t}.{body}", "{t}.{i}.{body}", "{i}|{t}|{body}", "{i}:{t}:{body}", "{i}{t}{body}"];

/// Messages with the public URL.
const WITH_URL: [&str; 6] =
    ["{url}{body}", "{body}{url}", "{method}{url}{body}", "{method}{url:decoded}{body}", "twilio", "{url}"];

/// Templates of the public URL and a time.
const WITH_URL_AND_TIME: [&str; 4] =
    ["{method}{url:decoded}{body}{t}", "{method}{url}{body}{t}", "{t}{url}{body}", "{t}.{url}.{body}"];

/// Returns the schemes for one place, each with a message form, and the time and the URL that are part of it; the
/// commonest first.
pub(super) fn all(lab: &Lab<'_>, place: &Place) -> Vec<VerifySpec> {
    let plain = |message: &str| VerifySpec { message: Some(message.to_owned()), ..place.spec.clone() };
    if place.spec.member.is_some() {
        return CUTS.map(plain).to_vec();
    }
    let url = lab.case.spec.url.as_ref();
    let mut all = vec![plain("{body}")];
    for (slot, timestamp) in times(lab, place) {
        let ids = ids(lab, &slot);
        let with_id = WITH_ID.iter().flat_map(|form| ids.iter().map(|id| form.replace("{i}", id)));
        let with_time =
            WITH_TIME.iter().map(|form| (*form).to_owned()).chain(with_id).map(|form| (form, None));
        let with_url = url
            .into_iter()
            .flat_map(|url| WITH_URL_AND_TIME.map(|form| (form.to_owned(), Some(url.clone()))));
        let timestamp = Some(timestamp);
        all.extend(with_time.chain(with_url).map(|(form, url)| VerifySpec {
            timestamp: timestamp.clone(),
            url,
            ..plain(&form.replace("{t}", &slot))
        }));
    }
    all.push(plain("json_stringify"));
    all.extend(
        url.into_iter()
            .flat_map(|url| WITH_URL.map(|form| VerifySpec { url: Some(url.clone()), ..plain(form) })),
    );
    all
}

/// Returns the times that may be signed: headers, and entries of the signature's own list.
fn times(lab: &Lab<'_>, place: &Place) -> Vec<(String, TimestampSpec)> {
    let unit_of = |unit: TimeUnit| (unit != TimeUnit::Seconds).then_some(unit);
    let in_headers = place::candidates(&lab.case.request.headers).filter_map(|name| {
        let unit = unit(text(lab, name)?)?;
        let header = Some(name.to_string());
        let timestamp = TimestampSpec { header, unit: unit_of(unit), ..TimestampSpec::default() };
        Some((format!("{{header:{name}}}"), timestamp))
    });
    let own = place.spec.header.as_ref().and_then(|names| Texts::iter(names).next());
    let own = own.and_then(|name| HeaderName::try_from(name).ok()).and_then(|name| text(lab, &name));
    let entries = own.zip(place.spec.separator.as_deref());
    let entries = entries.into_iter().flat_map(|(text, separator)| text.split(separator).take(8));
    let in_list = entries.filter_map(|entry| {
        let (name, value) = entry.trim().split_once('=')?;
        let at = Some(format!("field:{name}"));
        let timestamp = TimestampSpec { at, unit: unit_of(unit(value)?), ..TimestampSpec::default() };
        Some((format!("{{field:{name}}}"), timestamp))
    });
    in_headers.chain(in_list).collect()
}

/// Returns the slots of headers that look like an id.
fn ids(lab: &Lab<'_>, time: &str) -> Vec<String> {
    let names = place::candidates(&lab.case.request.headers).filter(|name| name.as_str().ends_with("-id"));
    names.map(|name| format!("{{header:{name}}}")).filter(|slot| slot != time).take(4).collect()
}

fn text<'l>(lab: &'l Lab<'_>, name: &HeaderName) -> Option<&'l str> {
    lab.case.request.headers.get(name).and_then(|value| value.to_str().ok())
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

//! Makes a request of a sample, with fixed values where `hookway trigger` takes fresh ones.

use super::source::Source;
use hookway::{request::Request, senders::SampleSpec};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use jiff::Timestamp;
use serde_json::value::RawValue;

pub(super) const UUID: &str = "018f5f2e-7a10-7c3b-9d41-0a1b2c3d4e5f";
const NUMBER: &str = "1767323045678901";

/// Returns the request of one sample at `at`, still unsigned.
pub(super) fn request(source: &Source, sample: &SampleSpec, event: &str, at: Timestamp) -> Request {
    let fill = |text: &str| fill(text, event, at);
    let body = fill(&sample.body);
    let is_json = serde_json::from_str::<&RawValue>(&body).is_ok();
    let kind = if is_json { "application/json" } else { "application/octet-stream" };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in &sample.headers {
        headers.insert(name.parse::<HeaderName>().unwrap(), fill(value).parse().unwrap());
    }
    Request {
        method: Method::POST,
        uri: format!("/hooks/{}", source.name).parse().unwrap(),
        headers,
        body: body.into(),
        received: at,
    }
}

fn fill(text: &str, event: &str, at: Timestamp) -> String {
    let (seconds, milliseconds) = (at.as_second().to_string(), at.as_millisecond().to_string());
    let values = [
        ("$name", event),
        ("$uuid", UUID),
        ("$now", &at.to_string()),
        ("$unix", &seconds),
        ("$ms", &milliseconds),
        ("$n", NUMBER),
    ];
    // `$n` comes last: two of the others begin with it.
    values.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
}

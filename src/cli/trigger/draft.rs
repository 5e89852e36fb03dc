//! A request before it is signed: the sample with its placeholders filled, or a body of the user's own.

use super::edit::Edit;
use crate::{clock, request::Request};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What the receiver sees as the client.
const USER_AGENT: &str = concat!("hookway-trigger/", env!("CARGO_PKG_VERSION"));

/// A header of the user's own.
pub(super) type Header = (HeaderName, HeaderValue);

/// Reads `name=value`.
pub(super) fn header(text: &str) -> Result<Header, String> {
    let expected = "expected name=value, as x-tenant=zrh";
    let (name, value) = text.split_once('=').ok_or(expected)?;
    let name =
        HeaderName::try_from(name).map_err(|_| format!("{name:?} is not a header's name; {expected}"))?;
    let value = HeaderValue::try_from(value).map_err(|_| format!("a header can't hold {value:?}"))?;
    Ok((name, value))
}

/// What every request of one call is made from.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// Where the body comes from.
    pub(super) body: Body,
    /// The sample's headers, with placeholders.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) extra: Vec<Header>,
    pub(super) edits: Vec<Edit>,
    /// Path and query of the address.
    pub(super) path: String,
}

/// Where a body comes from.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// A sample, with placeholders.
    Sample(String),
    /// The user's own bytes.
    Own(Bytes),
}

/// What the placeholders of one event become: the same in its headers and its body.
#[derive(Debug, Clone)]
pub(super) struct Fill {
    name: String,
    uuid: String,
    at: Timestamp,
    number: i64,
}

impl Fill {
    /// Chooses fresh values for the event `name`, number `index` of one call.
    pub(super) fn fresh(name: &str, index: u32) -> Self {
        let at = clock::now();
        // Microseconds make the number differ from that of an earlier call, too.
        let number = at.as_microsecond().saturating_add(i64::from(index));
        Self { name: name.to_owned(), uuid: clock::uuid().to_string(), at, number }
    }

    /// Returns `text` with every known placeholder filled; other words after `$` stay.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut pieces = text.split('$');
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let end = piece.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
            let (word, rest) = piece.split_at_checked(end).unwrap_or((piece, ""));
            filled.push_str(&self.value(word).unwrap_or_else(|| format!("${word}")));
            filled.push_str(rest);
        }
        filled
    }

    fn value(&self, word: &str) -> Option<String> {
        match word {
            "name" => Some(self.name.clone()),
            "uuid" => Some(self.uuid.clone()),
            "now" => Some(clock::rfc3339(self.at)),
            "unix" => Some(self.at.as_second().to_string()),
            "ms" => Some(self.at.as_millisecond().to_string()),
            "n" => Some(self.number.to_string()),
            _ => None,
        }
    }
}

impl Draft {
    /// Returns the request of one event, still unsigned.
    pub(super) fn request(&self, fill: &Fill) -> Result<Request, String> {
        let body = self.body(fill)?;
        let mut headers = HeaderMap::new();
        let is_json = serde_json::from_slice::<&RawValue>(&body).is_ok();
        let kind = if is_json { "application/json" } else { "application/octet-stream" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        for (name, value) in &self.headers {
            let (name, value) = header(&format!("{name}={}", fill.fill(value)))?;
            headers.insert(name, value);
        }
        for (name, value) in &self.extra {
            headers.insert(name.clone(), value.clone());
        }
        let uri: Uri =
            self.path.parse().map_err(|_| format!("{:?} is not the path of an address", self.path))?;
        Ok(Request { method: Method::POST, uri, headers, body, received: fill.at })
    }

    fn body(&self, fill: &Fill) -> Result<Bytes, String> {
        let body = match &self.body {
            Body::Sample(text) => Bytes::from(fill.fill(text)),
            Body::Own(bytes) => bytes.clone(),
        };
        if self.edits.is_empty() {
            return Ok(body);
        }
        let mut text = std::str::from_utf8(&body).map_err(|_| "--set: the body is not JSON")?.to_owned();
        for edit in &self.edits {
            text = edit.apply(&text).map_err(|error| format!("--set: {error}"))?;
        }
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill() -> Fill {
        let at = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        Fill { name: "TASK_CREATED".to_owned(), uuid: "u-1".to_owned(), at, number: 42 }
    }

    #[test]
    fn placeholders_are_filled_and_other_dollars_stay() {
        let text = r#"{"t":"$name","id":"$uuid","at":"$now","s":$unix,"ms":$ms,"j":"job_$n","p":"$5","e":"$","x":"$names"}"#;
        let filled = r#"{"t":"TASK_CREATED","id":"u-1","at":"2026-01-02T03:04:05.678901Z","s":1767323045,"ms":1767323045678,"j":"job_42","p":"$5","e":"$","x":"$names"}"#;
        assert_eq!(fill().fill(text), filled);
    }

    #[test]
    fn every_event_gets_fresh_values() {
        let (first, second) = (Fill::fresh("e", 0), Fill::fresh("e", 1));
        assert_ne!(first.uuid, second.uuid);
        assert!(first.number < second.number);
    }

    #[test]
    fn a_body_of_ones_own_keeps_its_bytes() {
        let body = Body::Own(Bytes::from_static(b"{ \"id\" : \"$uuid\" }\n"));
        let draft = Draft {
            body,
            headers: BTreeMap::new(),
            extra: Vec::new(),
            edits: Vec::new(),
            path: "/hooks/a".into(),
        };
        let request = draft.request(&fill()).unwrap();
        assert_eq!(&request.body[..], b"{ \"id\" : \"$uuid\" }\n");
        assert_eq!(request.headers[header::CONTENT_TYPE], "application/json");
    }

    #[test]
    fn headers_of_the_user_replace_those_of_the_sample() {
        let draft = Draft {
            body: Body::Sample("$n".to_owned()),
            headers: BTreeMap::from([("x-event".to_owned(), "$name".to_owned())]),
            extra: vec![header("content-type=text/plain").unwrap()],
            edits: Vec::new(),
            path: "/hooks/a?b=c".to_owned(),
        };
        let request = draft.request(&fill()).unwrap();
        assert_eq!(request.headers["x-event"], "TASK_CREATED");
        assert_eq!(request.headers[header::CONTENT_TYPE], "text/plain");
        assert_eq!(request.uri, "/hooks/a?b=c");
    }
}

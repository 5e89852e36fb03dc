//! One request of an HTTP archive (HAR 1.2), as browsers, proxies and webhook inspectors export it.

use super::Captured;
use crate::{clock, request::Request};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use serde::Deserialize;

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

/// One exchange.
#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "startedDateTime")]
    started: Option<String>,
    request: Sent,
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(rename = "postData")]
    body: Option<Body>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Body {
    text: Option<String>,
    /// `base64` where the text is that; not in the standard, and written by several tools.
    encoding: Option<String>,
}

/// Returns the entries of an archive; `None` for a file that is none.
pub(super) fn entries(bytes: &[u8]) -> Option<Result<Vec<Entry>, String>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let archive = serde_json::from_slice::<Archive>(bytes);
    Some(archive.map(|archive| archive.log.entries).map_err(|error| format!("expected a HAR file: {error}")))
}

/// Returns the chosen request, or the first that was posted.
pub(super) fn request(entries: &[Entry], chosen: Option<usize>) -> Result<Captured, String> {
    let entry = match chosen {
        Some(number) => entries.get(number).ok_or_else(|| {
            format!("there is no entry {number}: the file has {}, counted from 0", entries.len())
        })?,
        None => entries
            .iter()
            .find(|entry| entry.request.method.eq_ignore_ascii_case("POST"))
            .ok_or("no entry is a POST: choose one with --entry")?,
    };
    entry.captured()
}

impl Entry {
    fn captured(&self) -> Result<Captured, String> {
        let sent = &self.request;
        let method = Method::from_bytes(sent.method.as_bytes()).map_err(|_| "the method is not legal")?;
        let uri = sent.url.parse().map_err(|_| format!("the URL {:?} is not legal", sent.url))?;
        let mut headers = HeaderMap::new();
        // HTTP/2's `:path` and the like are not headers.
        for pair in sent.headers.iter().filter(|pair| !pair.name.starts_with(':')) {
            let name = HeaderName::try_from(&pair.name);
            let value = HeaderValue::from_bytes(pair.value.as_bytes());
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(format!("the header {:?} is not legal", pair.name));
            };
            headers.append(name, value);
        }
        let received = self.started.as_deref().and_then(|text| text.parse().ok()).unwrap_or_else(clock::now);
        let body = sent.body.as_ref().map_or_else(|| Ok(Bytes::new()), Body::bytes)?;
        let head = (0, headers.len());
        Ok(Captured {
            request: Request { method, uri, headers, body, received },
            declared: None,
            head,
            version: Version::HTTP_11,
            withheld: Vec::new(),
            notes: vec!["a HAR file holds text, not bytes: what is not UTF-8 is lost".to_owned()],
        })
    }
}

impl Body {
    fn bytes(&self) -> Result<Bytes, String> {
        let Some(text) = &self.text else {
            return Err(
                "the archive holds the form's fields and not the body's bytes: capture it raw".to_owned()
            );
        };
        if self.encoding.as_deref() == Some("base64") {
            return STANDARD.decode(text).map(Bytes::from).map_err(|_| "the body is not base64".to_owned());
        }
        Ok(Bytes::copy_from_slice(text.as_bytes()))
    }
}

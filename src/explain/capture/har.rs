//! One request of an HTTP archive (HAR 1.2), as browsers, proxies and webhook inspectors export it.

use super::Captured;
use crate::{clock, request::Request};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use serde_json::Value;

/// Returns the entries of an archive; `None` for a file that is none.
pub(super) fn entries(bytes: &[u8]) -> Option<Result<Vec<Value>, String>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let archive =
        serde_json::from_slice::<Value>(bytes).map_err(|error| format!("expected a HAR file: {error}"));
    Some(archive.and_then(|mut archive| match archive.pointer_mut("/log/entries").map(Value::take) {
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) | None => Err("expected a HAR file: there is no list at `log.entries`".to_owned()),
    }))
}

/// Returns the chosen request, or the first that was posted.
pub(super) fn request(entries: &[Value], chosen: Option<usize>) -> Result<Captured, String> {
    let entry = match chosen {
        Some(number) => entries.get(number).ok_or_else(|| {
            format!("there is no entry {number}: the file has {}, counted from 0", entries.len())
        })?,
        None => entries
            .iter()
            .find(|entry| text(entry, "/request/method").eq_ignore_ascii_case("POST"))
            .ok_or("no entry is a POST: choose one with --entry")?,
    };
    captured(entry)
}

fn captured(entry: &Value) -> Result<Captured, String> {
    let (method, url) = (text(entry, "/request/method"), text(entry, "/request/url"));
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| "the method is not legal")?;
    let uri = url.parse().map_err(|_| format!("the URL {url:?} is not legal"))?;
    let mut headers = HeaderMap::new();
    for pair in entry.pointer("/request/headers").and_then(Value::as_array).into_iter().flatten() {
        let (name, value) = (text(pair, "/name"), text(pair, "/value"));
        // HTTP/2's `:path` and the like are not headers.
        if name.starts_with(':') {
            continue;
        }
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
        else {
            return Err(format!("the header {name:?} is not legal"));
        };
        headers.append(name, value);
    }
    let received = text(entry, "/startedDateTime").parse().unwrap_or_else(|_| clock::now());
    let head = (0, headers.len());
    Ok(Captured {
        request: Request { method, uri, headers, body: body(entry)?, received },
        declared: None,
        head,
        version: Version::HTTP_11,
        withheld: Vec::new(),
        notes: vec!["a HAR file holds text, not bytes: what is not UTF-8 is lost".to_owned()],
    })
}

fn body(entry: &Value) -> Result<Bytes, String> {
    let Some(sent) = entry.pointer("/request/postData").filter(|sent| !sent.is_null()) else {
        return Ok(Bytes::new());
    };
    let Some(body) = sent.get("text").and_then(Value::as_str) else {
        return Err("the archive holds the form's fields and not the body's bytes: capture it raw".to_owned());
    };
    // Not in the standard, and written by several tools.
    if text(sent, "/encoding") == "base64" {
        return STANDARD.decode(body).map(Bytes::from).map_err(|_| "the body is not base64".to_owned());
    }
    Ok(Bytes::copy_from_slice(body.as_bytes()))
}

/// Returns the text at a place, empty where there is none.
fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

//! The binary mode (HTTP binding 1.0.2, section 3.1): an attribute per header `ce-NAME`, the data as the body.

use super::attributes::{Attributes, malformed};
use crate::{
    event::{Extension, Reason},
    normalize::Unmappable,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::percent_decode_str;

pub(super) fn read(headers: &HeaderMap) -> Result<Attributes, Unmappable> {
    let mut attributes = Attributes::default();
    for header in headers.keys() {
        let Some(name) = header.as_str().strip_prefix("ce-") else { continue };
        let value = once(headers, header)?;
        let value = value.and_then(|line| std::str::from_utf8(line.as_bytes()).ok());
        let value =
            value.and_then(decode).ok_or_else(|| malformed(format!("the header `{header}` is not UTF-8")))?;
        attributes.take(name, Extension::Text(value))?;
    }
    // The data's media type is the body's, and a header of that name would be a second word on it.
    attributes.content_type = None;
    if let Some(given) = once(headers, &header::CONTENT_TYPE)? {
        let given = given.to_str().map_err(|_| malformed("the header `content-type` is not plain text"))?;
        attributes.take("datacontenttype", Extension::Text(given.to_owned()))?;
    }
    Ok(attributes)
}

fn once<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, Unmappable> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (_, Some(_)) => Err(Unmappable::new(Reason::Ambiguous, format!("the header `{name}` stands twice"))),
        (line, None) => Ok(line),
    }
}

/// Undoes a header's quotes, then its escapes, each once (section 3.1.3.2).
fn decode(value: &str) -> Option<String> {
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(quoted) = quoted else { return unescape(value) };
    let (mut plain, mut characters) = (String::with_capacity(quoted.len()), quoted.chars());
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    unescape(&plain)
}

fn unescape(value: &str) -> Option<String> {
    percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

//! Media types, as far as they decide how a body is read.

use crate::request::slot::form::essence;
use http::{HeaderMap, header};

/// Tells whether a body is to be read as JSON: its type says so, or there is none.
pub(super) fn names_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|value| value.to_str().is_ok_and(is_json))
}

/// Tells whether a media type names JSON (RFC 6839: `+json` too).
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    let suffix = essence.rsplit_once('+').map(|(_, suffix)| suffix);
    ["application/json", "text/json"].iter().any(|json| essence.eq_ignore_ascii_case(json))
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
}

//! What stands on the wire: one HTTP request from a sender, byte-exact, and the places of it that documents name.
//!
//! The ground of the path: a `Delivery` is a request on its way, `verify` and `respond` read it through
//! [slots](slot), and the quarantine keeps it less its credentials ([`Kept`]).

pub mod captured;
mod kept;
mod problem;
pub mod slot;

pub use kept::{Kept, Withheld};
pub use problem::SpecProblem;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// All but the unreserved characters of RFC 3986 (section 2.3): what a part of a URI escapes.
pub const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a sender sent, as it stood on the wire.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request's method; part of what some senders sign.
    pub method: Method,
    /// The request's target as it was received: path and query.
    pub uri: Uri,
    /// All header lines, names in lower case.
    pub headers: HeaderMap,
    /// The body's exact bytes.
    pub body: Bytes,
    /// When the request's first byte was here.
    pub received: Timestamp,
}

/// The byte order mark that some senders put in front of JSON or a form. It is a part of the bytes, which may be signed with
/// it and are published as they came, and none of the text, in which no reader knows it.
const MARK: &str = "\u{feff}";

/// Returns bytes without the mark in front of them.
pub fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK.as_bytes()).unwrap_or(bytes)
}

/// Returns a text without the mark in front of it.
pub fn unmarked_text(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

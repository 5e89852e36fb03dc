//! Reads a captured request: a raw HTTP file, or one entry of an HTTP archive (HAR), byte-exact as far as the
//! capture is.

mod har;
mod raw;
#[cfg(test)]
mod tests;

use crate::request::Request;
use http::Version;

/// One request as it was captured.
#[derive(Debug, Clone)]
pub struct Captured {
    /// What was sent, its body without framing; received now, where the capture does not say when.
    pub request: Request,
    /// Its version of HTTP.
    pub version: Version,
    /// Bytes and lines of its head, as far as the capture shows them.
    pub head: (usize, usize),
    /// What `Content-Length` says, where it is not what the capture holds.
    pub declared: Option<u64>,
    /// What `hookway capture` took out of it: names of headers, or `body`.
    pub withheld: Vec<String>,
    /// What the reader of the result should know about the capture.
    pub notes: Vec<String>,
}

impl Captured {
    /// Reads a capture, or says what is wrong with it. `entry` chooses one of a HAR file's entries, counted from 0.
    pub fn parse(bytes: &[u8], entry: Option<usize>) -> Result<Self, String> {
        match har::entries(bytes) {
            Some(entries) => entries.and_then(|entries| har::request(&entries, entry)),
            None if entry.is_some() => {
                Err("--entry chooses one of a HAR file's, and this is none".to_owned())
            }
            None => raw::parse(bytes),
        }
    }
}

//! Reads a captured request: a raw HTTP file, or one entry of an HTTP archive (HAR), byte-exact as far as the
//! capture is.

mod har;
mod http;
#[cfg(test)]
mod tests;

use crate::cli::exit::Stop;
use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use jiff::Timestamp;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The largest capture that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// One request as it was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Captured {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When it was sent, where the capture says so.
    pub(super) at: Option<Timestamp>,
    /// What `Content-Length` says, where it is not what the capture holds.
    pub(super) declared: Option<u64>,
    /// What the reader of the result should know about the capture.
    pub(super) notes: Vec<String>,
}

/// Reads a capture; `-` is standard input. `entry` chooses one of a HAR file's entries, counted from 0.
pub(super) fn read(file: &Path, entry: Option<usize>) -> Result<Captured, Stop> {
    let name = file.display();
    let bytes = bytes(file).map_err(|error| Stop::usage(format!("{name} can't be read: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(Stop::usage(format!("{name} is larger than {} MiB", LARGEST >> 20)));
    }
    let captured = match har::entries(&bytes) {
        Some(entries) => entries.and_then(|entries| har::request(&entries, entry)),
        None if entry.is_some() => Err("--entry chooses one of a HAR file's, and this is none".to_owned()),
        None => http::parse(&bytes),
    };
    captured.map_err(|problem| Stop::usage(format!("{name}: {problem}")))
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().take(LARGEST + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

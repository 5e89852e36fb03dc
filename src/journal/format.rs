//! The bytes of a segment: what stands on disk, and how a damaged place is told from a whole one.
//!
//! All numbers are little-endian. A segment is one header and any number of frames, only ever appended to.
//!
//! ```text
//! segment header, 36 bytes                      frame, 24 bytes + payload
//!  0   8  magic  "HOOKWAY\n"                     0   4  magic  F7 "HWR"
//!  8   4  format version, 1                      4   4  tag of the segment
//! 12   4  tag                                    8   4  length of the payload in bytes, at most 64 MiB
//! 16   8  first sequence                        12   8  sequence
//! 24   8  last sequence acknowledged before     20   n  payload
//! 32   4  CRC-32 of bytes 0 to 31             20+n   4  CRC-32 of bytes 0 to 19+n
//!
//! payload
//!  0   8  timestamp, milliseconds since 1970 UTC, signed
//!  8   1  0: no key; 1: a key
//!      t  destination
//!      t  message id
//!      t  key, only where there is one
//!      4  number of headers
//!      t  name, t  value of each header
//!      n  value: the rest
//! t: 4 bytes of length, then that many bytes of UTF-8
//! ```
//!
//! - The CRC is CRC-32/ISO-HDLC, as of zlib and gzip.
//! - The header keeps this form in every later version, so that an older program can tell a newer file.
//! - The tag is a random number of the process that wrote the segment. Bodies come from strangers: without
//!   the tag, a body that holds a well-formed frame could pass for a record when the frame around it is
//!   damaged.
//! - `F7` never stands in UTF-8, so the search for the next frame does not stop at text.
//! - Sequences start at 1 and grow by one within a segment. Between segments numbers may be left out: those
//!   of a group that failed. The header's "acknowledged before" tells them from lost records.

mod payload;

pub(super) use payload::{decode, timestamp};

use crate::record::Record;
use bytes::{Buf as _, Bytes};
use std::ops::Range;

/// The version that this program writes, and the newest that it reads.
pub(super) const VERSION: u32 = 1;
pub(super) const HEADER_LEN: usize = 36;
/// Length of a frame's part before the payload in bytes.
pub(super) const PREFIX_LEN: usize = 20;
/// Length of a frame without its payload in bytes.
pub(super) const FRAME_LEN: usize = PREFIX_LEN + CRC_LEN;
/// The largest payload in bytes; bounds what a reader must hold at once.
pub(super) const MAX_PAYLOAD: usize = 64 * 1024 * 1024;
pub(super) const FRAME_MAGIC: [u8; 4] = *b"\xF7HWR";

const SEGMENT_MAGIC: [u8; 8] = *b"HOOKWAY\n";
const CRC_LEN: usize = 4;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: u32,
    /// The number that every frame of the segment repeats.
    pub(super) tag: u32,
    /// The sequence of its first record.
    pub(super) first: u64,
    /// The last sequence that was acknowledged before the segment was begun; 0 for none.
    pub(super) previous: u64,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.extend(SEGMENT_MAGIC);
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.tag.to_le_bytes());
        bytes.extend(self.first.to_le_bytes());
        bytes.extend(self.previous.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a header from the first bytes of a file; `None` where they are not one, or a damaged one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, crc) = bytes.get(..HEADER_LEN)?.split_last_chunk::<CRC_LEN>()?;
        let mut fields = body.strip_prefix(&SEGMENT_MAGIC)?;
        let header = Self {
            version: fields.try_get_u32_le().ok()?,
            tag: fields.try_get_u32_le().ok()?,
            first: fields.try_get_u64_le().ok()?,
            previous: fields.try_get_u64_le().ok()?,
        };
        (crc32fast::hash(body) == u32::from_le_bytes(*crc)).then_some(header)
    }
}

/// What the first bytes of a frame say; only the checksum tells whether they are true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The tag of the segment that the frame was written for.
    pub(super) tag: u32,
    pub(super) sequence: u64,
    /// Length of the whole frame in bytes.
    pub(super) frame_len: usize,
}

impl Prefix {
    /// Reads the first [`PREFIX_LEN`] bytes of a frame; `None` where they can't be a frame's.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = bytes.strip_prefix(&FRAME_MAGIC)?;
        let tag = fields.try_get_u32_le().ok()?;
        let payload_len = usize::try_from(fields.try_get_u32_le().ok()?).ok()?;
        let sequence = fields.try_get_u64_le().ok()?;
        (payload_len <= MAX_PAYLOAD).then_some(Self { tag, sequence, frame_len: FRAME_LEN + payload_len })
    }
}

/// Tells whether a whole frame's checksum is right.
pub(super) fn is_whole(frame: &[u8]) -> bool {
    frame
        .split_last_chunk::<CRC_LEN>()
        .is_some_and(|(body, crc)| crc32fast::hash(body) == u32::from_le_bytes(*crc))
}

pub(super) fn payload_range(frame_len: usize) -> Range<usize> {
    PREFIX_LEN..frame_len.saturating_sub(CRC_LEN)
}

/// Returns the length in bytes of the frame that a record takes; `None` where it is over the limit.
pub(super) fn frame_len(record: &Record) -> Option<usize> {
    let payload_len = payload::len(record);
    (payload_len <= MAX_PAYLOAD).then_some(FRAME_LEN + payload_len)
}

/// Appends a record's frame to `buffer`. `frame_len` is what [`frame_len`] gave for it.
pub(super) fn encode(buffer: &mut Vec<u8>, tag: u32, sequence: u64, record: &Record, frame_len: usize) {
    let start = buffer.len();
    buffer.reserve(frame_len);
    buffer.extend(FRAME_MAGIC);
    buffer.extend(tag.to_le_bytes());
    buffer.extend(u32_len(frame_len.saturating_sub(FRAME_LEN)));
    buffer.extend(sequence.to_le_bytes());
    payload::encode(buffer, record);
    let crc = crc32fast::hash(buffer.get(start..).unwrap_or_default());
    buffer.extend(crc.to_le_bytes());
}

/// A record as it was read: its sequence and its payload, checksum right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) sequence: u64,
    /// The record's payload, for [`decode`].
    pub(super) payload: Bytes,
}

/// Returns a length as it stands on disk. Every length is part of a payload, and so below [`MAX_PAYLOAD`].
fn u32_len(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

/// Returns a length in memory as a length on disk.
pub(super) fn len64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

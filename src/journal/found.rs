//! What a start finds in a journal's directory, for whoever opens it to tell.

use super::{numbers::Numbers, sealed::Sealed};
use std::{ops::Range, path::PathBuf};

/// What was found when a journal was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Number of whole records.
    pub records: u64,
    /// Size of all segments in bytes, after the cut.
    pub bytes: u64,
    /// Damaged ranges. Each is skipped, and reported again at every start.
    pub damaged: Vec<Damage>,
    /// The bytes that were cut from the end of the last segment.
    pub cut: Option<Damage>,
    /// Records that should stand between others and do not. What the tail held is not known.
    pub lost: u64,
    /// True where the segment that was begun last is not there, though nobody removed it on purpose: what it held is not
    /// known.
    pub is_cut_off: bool,
    /// Files that are no segment, or hold no record. They are left as they are.
    pub left: Vec<Left>,
    /// The sequence that the next record gets. Larger than any that was given before.
    pub next_sequence: u64,
    /// The last whole record's sequence; 0 for none.
    pub(super) last_sequence: u64,
    /// The segments whose records are all whole: none is written to again, for a start begins a new one.
    pub(super) sealed: Vec<Sealed>,
    /// What is noted of the numbers, and holds without a segment.
    pub(super) numbers: Numbers,
}

/// A range of a segment that holds no whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub segment: PathBuf,
    /// The range in bytes from its start.
    pub range: Range<u64>,
    /// Where the bytes were copied to; `None` where they could not be, then the segment still holds them.
    pub copy: Option<PathBuf>,
}

/// A file that the journal does not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The file.
    pub path: PathBuf,
    /// Why, for the log.
    pub reason: String,
}

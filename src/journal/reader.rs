//! Hands out the records of a journal in order, also while another process appends to it.

use super::{
    JournalError,
    directory::{self, SegmentFile},
    format::{self, VERSION},
    numbers::Numbers,
    scan::{Found, Gaps, Scanner},
};
use crate::record::Record;
use std::{
    io,
    path::{Path, PathBuf},
};

/// One record of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the journal; grows from record to record.
    pub sequence: u64,
    /// The record.
    pub record: Record,
}

/// A place in a journal. Holds a part of one segment in memory, takes no lock and writes nothing.
///
/// Beside a writer it may see a record a moment before it is durable.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    from: u64,
    /// The segment that is being read; `None` while there is none.
    current: Option<(SegmentFile, Scanner)>,
    /// The segment after `current`, seen but not begun.
    following: Option<SegmentFile>,
    gaps: Gaps,
    undecodable: u64,
    /// One that was read too early.
    ahead: Option<Entry>,
}

impl Reader {
    /// Begins at the record `from`, or at the first after it that there is; what is not there any more counts as
    /// [`Self::removed`] or [`Self::lost`]. Fails where the directory can't be read.
    pub fn open(dir: &Path, from: u64) -> Result<Self, JournalError> {
        let mut gaps = Gaps::default();
        let mut current = None;
        // A segment may be removed between the list and its opening; then the next one serves.
        while current.is_none() {
            let segments = directory::list(dir)?.segments;
            let holding = segments.iter().rev().find(|segment| segment.first <= from);
            let Some(start) = holding.or_else(|| segments.first()) else { break };
            match holding {
                // What stands before it is not asked for, and not missed.
                Some(holding) => gaps.begin(holding.first),
                None if from > 1 => gaps.begin(from),
                None => {}
            }
            current = open_segment(start)?;
        }
        Ok(Self { dir: dir.to_path_buf(), from, current, following: None, gaps, undecodable: 0, ahead: None })
    }

    /// Returns the next record; `None` where there is none yet. May be called again after either, and after
    /// an error.
    pub fn read(&mut self) -> Result<Option<Entry>, JournalError> {
        loop {
            let Some((segment, scanner)) = &mut self.current else {
                let Some(first) = directory::list(&self.dir)?.segments.into_iter().next() else {
                    return Ok(None);
                };
                self.current = open_segment(&first)?;
                continue;
            };
            match scanner.next().map_err(JournalError::io("read", &segment.path))? {
                Found::Header(header) if header.version > VERSION => {
                    return Err(JournalError::NewerFormat {
                        path: segment.path.clone(),
                        version: header.version,
                    });
                }
                Found::Header(header) => {
                    // What was removed before it was read is not lost.
                    self.gaps.keep(Numbers::read(&self.dir).unwrap_or_default().kept);
                    self.gaps.header(&header);
                }
                Found::Damage(_) => {} // The gap before the next record counts what it held.
                Found::Record(frame) => {
                    if !self.gaps.record(frame.sequence) || frame.sequence < self.from {
                        continue;
                    }
                    match format::decode(frame.payload) {
                        Some(record) => return Ok(Some(Entry { sequence: frame.sequence, record })),
                        None => self.undecodable += 1,
                    }
                }
                Found::End => {
                    if !self.go_on()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The same, up to the record `last` and no further.
    pub fn read_until(&mut self, last: u64) -> Result<Option<Entry>, JournalError> {
        let next = match self.ahead.take() {
            Some(entry) => Some(entry),
            None => self.read()?,
        };
        match next {
            Some(entry) if entry.sequence > last => {
                self.ahead = Some(entry);
                Ok(None)
            }
            next => Ok(next),
        }
    }

    /// Returns how many records were missing or unreadable between those that were handed out.
    pub fn lost(&self) -> u64 {
        self.gaps.lost() + self.undecodable
    }

    /// Returns how many numbers were removed on purpose before they were read.
    pub fn removed(&self) -> u64 {
        self.gaps.removed()
    }

    /// Goes on to the next segment; false where there is none. A segment may have grown until the next one
    /// was begun, so it is read to its end once more after the next one was seen.
    fn go_on(&mut self) -> Result<bool, JournalError> {
        if let Some(following) = self.following.take()
            && let Some(opened) = open_segment(&following)?
        {
            self.current = Some(opened);
            return Ok(true);
        }
        let after = self.current.as_ref().map_or(0, |(segment, _)| segment.first);
        let segments = directory::list(&self.dir)?.segments;
        self.following = segments.into_iter().find(|segment| segment.first > after);
        Ok(self.following.is_some())
    }
}

/// Opens a segment; `None` where it was removed since it was seen.
fn open_segment(segment: &SegmentFile) -> Result<Option<(SegmentFile, Scanner)>, JournalError> {
    match Scanner::open(&segment.path) {
        Ok(scanner) => Ok(Some((segment.clone(), scanner))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::io("open", &segment.path)(error)),
    }
}

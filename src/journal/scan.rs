//! Reads one segment from its start, past any damage, in bounded memory. Recovery and [`Reader`] both
//! stand on it, so what recovery counts is what a reader gets.
//!
//! [`Reader`]: super::Reader

use super::format::{self, FRAME_MAGIC, Frame, HEADER_LEN, Header, PREFIX_LEN, Prefix, len64};
use bytes::{Buf, Bytes, BytesMut};
use std::{fs::File, io, ops::Range, os::unix::fs::FileExt, path::Path};

/// How much is read at once in bytes; more only for a frame that is longer.
const CHUNK: usize = 256 * 1024;

/// What stands next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Header(Header),
    Record(Frame),
    /// Bytes that are neither, before a whole record.
    Damage(Range<u64>),
    /// Nothing more that is whole, for now: asking again looks again from the same place.
    End,
}

#[derive(Debug)]
pub(super) struct Scanner {
    file: File,
    /// What was read from `position` on.
    buffer: BytesMut,
    /// Offset of the first byte that was not given out.
    position: u64,
    /// The segment's tag: from its header or, where that is damaged, from its first whole frame.
    tag: Option<u32>,
}

impl Scanner {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, buffer: BytesMut::new(), position: 0, tag: None })
    }

    /// Returns the offset up to which everything was given out.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Returns the segment's length on disk in bytes, as of now.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(super) fn next(&mut self) -> io::Result<Found> {
        if self.position == 0 {
            if !self.fill(HEADER_LEN)? {
                return Ok(Found::End);
            }
            if let Some(header) = Header::decode(&self.buffer) {
                self.tag = Some(header.tag);
                self.skip(HEADER_LEN);
                return Ok(Found::Header(header));
            }
        }
        match self.whole_frame()? {
            Some(prefix) => Ok(Found::Record(self.take(prefix))),
            None => self.resynchronize(),
        }
    }

    /// Goes on to the next place where a whole frame stands, or back to where it was if there is none.
    fn resynchronize(&mut self) -> io::Result<Found> {
        let from = self.position;
        while self.fill(FRAME_MAGIC.len() + 1)? {
            let rest = self.buffer.get(1..).unwrap_or_default();
            let found = rest.windows(FRAME_MAGIC.len()).position(|window| window == FRAME_MAGIC);
            let Some(at) = found else {
                // The last bytes may be the start of a magic that the next chunk completes.
                self.skip(self.buffer.len() - (FRAME_MAGIC.len() - 1));
                continue;
            };
            self.skip(at + 1);
            if self.whole_frame()?.is_some() {
                return self.settle(from);
            }
        }
        self.go_to(from);
        Ok(Found::End)
    }

    /// Tells whether the bytes before the whole frame at the current place are damaged. Beside a writer they
    /// may only have been unfinished when they were looked at: what follows them was written after them, so
    /// the second look is the true one.
    fn settle(&mut self, from: u64) -> io::Result<Found> {
        let next = self.position;
        self.go_to(from);
        if let Some(prefix) = self.whole_frame()? {
            return Ok(Found::Record(self.take(prefix)));
        }
        self.go_to(next);
        Ok(Found::Damage(from..next))
    }

    fn go_to(&mut self, position: u64) {
        self.position = position;
        self.buffer.clear();
    }

    /// Reads the frame at the current place into the buffer; `None` where no whole one stands there.
    fn whole_frame(&mut self) -> io::Result<Option<Prefix>> {
        if !self.fill(PREFIX_LEN)? {
            return Ok(None);
        }
        let Some(prefix) = Prefix::decode(&self.buffer) else { return Ok(None) };
        let foreign = self.tag.is_some_and(|tag| tag != prefix.tag);
        if foreign || !self.fill(prefix.frame_len)? {
            return Ok(None);
        }
        Ok(self.buffer.get(..prefix.frame_len).is_some_and(format::is_whole).then_some(prefix))
    }

    fn take(&mut self, prefix: Prefix) -> Frame {
        self.tag = Some(prefix.tag);
        self.position += len64(prefix.frame_len);
        let frame: Bytes = self.buffer.split_to(prefix.frame_len).freeze();
        Frame { sequence: prefix.sequence, payload: frame.slice(format::payload_range(prefix.frame_len)) }
    }

    fn skip(&mut self, len: usize) {
        self.position += len64(len);
        self.buffer.advance(len);
    }

    /// Reads until the buffer holds `need` bytes; false where the file has fewer.
    fn fill(&mut self, need: usize) -> io::Result<bool> {
        let have = self.buffer.len();
        if have >= need {
            return Ok(true);
        }
        // A damaged length must not make us read what is not there.
        if self.position + len64(need) > self.len()? {
            return Ok(false);
        }
        let mut filled = have;
        self.buffer.resize(need.max(CHUNK), 0);
        while filled < need {
            let space = self.buffer.get_mut(filled..).unwrap_or_default();
            match self.file.read_at(space, self.position + len64(filled)) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(filled);
                    return Err(error);
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(filled >= need)
    }
}

/// Counts the records that should stand in what was scanned and do not.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// The sequence that should come next; `None` before the first.
    next: Option<u64>,
    /// What is below was removed on purpose.
    kept: u64,
    lost: u64,
    removed: u64,
}

impl Gaps {
    /// Takes note that all below `kept` was removed on purpose. What stands there is still taken.
    pub(super) fn keep(&mut self, kept: u64) {
        self.kept = self.kept.max(kept);
    }

    /// Begins behind the record before `next`, instead of with the first that comes.
    pub(super) fn begin(&mut self, next: u64) {
        self.next = Some(next);
    }

    /// Returns what should come next where `first` does.
    fn next(&self, first: u64) -> u64 {
        let oldest = if self.kept == 0 { first } else { first.min(self.kept) };
        self.next.unwrap_or(oldest)
    }

    /// Takes note that the numbers `next` to before `end` did not stand there.
    fn miss(&mut self, next: u64, end: u64) {
        self.removed += end.min(self.kept).saturating_sub(next);
        self.lost += end.saturating_sub(next.max(self.kept));
    }

    pub(super) fn header(&mut self, header: &Header) {
        let next = self.next(header.first);
        self.miss(next, header.previous.saturating_add(1));
        self.next = Some(next.max(header.first));
    }

    /// Takes note of a record. False for one that stood before.
    pub(super) fn record(&mut self, sequence: u64) -> bool {
        let next = self.next(sequence);
        if sequence < next {
            return false;
        }
        self.miss(next, sequence);
        self.next = Some(sequence.saturating_add(1));
        true
    }

    /// Takes note of the records `first` to `last`, none of them missing, and returns how many had not stood before.
    pub(super) fn run(&mut self, first: u64, last: u64) -> u64 {
        let next = self.next(first);
        self.miss(next, first);
        self.next = Some(next.max(last.saturating_add(1)));
        last.saturating_add(1).saturating_sub(first.max(next))
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns how many numbers between those that came were removed on purpose.
    pub(super) fn removed(&self) -> u64 {
        self.removed
    }
}

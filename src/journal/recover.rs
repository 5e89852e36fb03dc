//! What opening a journal does before the first append: it looks at every record, keeps a copy of what is
//! damaged, and never fails for damage.
//!
//! Nothing is repaired in place. The tail of the last segment is cut where no whole record follows, because
//! a write that a crash interrupted leaves one; its bytes are kept in a copy as well, for a tear can't be
//! told from damage to the last record.

use super::{
    JournalError, cursor,
    directory::{self, Listing, NUMBERS, SegmentFile},
    disk::LocalDisk,
    format::{self, FRAME_LEN, HEADER_LEN, Header, VERSION, len64},
    found::{Damage, Left, Recovered},
    numbers::Numbers,
    scan::{Found, Gaps, Scanner},
    sealed::{self, Sealed, Times},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
};

/// Looks at all of a directory that this process owns, but at complete segments that were found whole before only from
/// outside. What it learns of segments it notes for the next start.
pub(super) fn recover(dir: &Path) -> Result<Recovered, JournalError> {
    let Listing { segments, foreign } = directory::list(dir)?;
    refuse_newer(segments.iter())?;
    let known = sealed::read(dir);
    let mut recovery = Recovery { dir, gaps: Gaps::default(), found: Recovered::default() };
    recovery.found.next_sequence = 1;
    let noted = recovery.numbers(known.values());
    for path in foreign {
        recovery.leave(path, "is not a file of the journal");
    }
    let last = segments.last().cloned();
    for segment in &segments {
        let sealed = known.get(&segment.first);
        if let Some((sealed, header)) = sealed.and_then(|it| it.matches(segment).map(|header| (it, header))) {
            recovery.sealed(sealed, &header);
            continue;
        }
        // A disk that can't read one segment must not keep the others from being used.
        if let Err(error) = recovery.segment(segment, Some(segment) == last.as_ref()) {
            recovery
                .reserve_unread(segment.first, 0..fs::metadata(&segment.path).map_or(0, |file| file.len()));
            recovery.leave(segment.path.clone(), &format!("can't be read: {error}"));
        }
    }
    recovery.found.lost = recovery.gaps.lost();
    let mut numbers = recovery.found.numbers;
    if segments.last().is_none_or(|last| last.first < numbers.newest) {
        recovery.found.is_cut_off = numbers.newest >= numbers.kept.max(1);
        // The segment that could tell is not there.
        recovery.reserve(numbers.below, 0);
    }
    // What was passed on must not be a new record's number, though the disk has lost the segment.
    recovery.reserve(cursor::read(dir, numbers.id).unwrap_or(0), 1);
    if Some(numbers) != noted || numbers.id == 0 {
        // Where this fails, what is known of segments must go on telling the numbers of those that are gone.
        if numbers.store(&mut LocalDisk, dir).is_err() {
            return Ok(recovery.found);
        }
        recovery.found.numbers = numbers;
    }
    if !recovery.found.sealed.iter().eq(known.values()) {
        // Without it the next start takes longer.
        drop(sealed::write(dir, &recovery.found.sealed));
    }
    Ok(recovery.found)
}

/// Fails where a segment is of a newer format, before anything was changed.
pub(super) fn refuse_newer<'s>(segments: impl Iterator<Item = &'s SegmentFile>) -> Result<(), JournalError> {
    for segment in segments {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        // What can't be read is reported with the rest of the segment.
        let read =
            File::open(&segment.path).and_then(|file| file.take(len64(HEADER_LEN)).read_to_end(&mut bytes));
        let header = read.ok().and_then(|_| Header::decode(&bytes));
        if let Some(Header { version, .. }) = header.filter(|header| header.version > VERSION) {
            return Err(JournalError::NewerFormat { path: segment.path.clone(), version });
        }
    }
    Ok(())
}

struct Recovery<'a> {
    dir: &'a Path,
    gaps: Gaps,
    found: Recovered,
}

impl Recovery<'_> {
    /// Takes what is noted of the numbers, and what complete segments told that may be gone. Returns what is noted.
    fn numbers<'s>(&mut self, known: impl Iterator<Item = &'s Sealed>) -> Option<Numbers> {
        let noted = Numbers::read(self.dir);
        if noted.is_none() {
            self.leave(
                self.dir.join(NUMBERS),
                "is damaged: what it said of removed segments is not known any more",
            );
        }
        let numbers = &mut self.found.numbers;
        *numbers = noted.unwrap_or_default();
        for sealed in known {
            numbers.learn(sealed.first, sealed.last.saturating_add(1));
        }
        self.gaps.keep(numbers.kept);
        noted
    }

    fn sealed(&mut self, sealed: &Sealed, header: &Header) {
        self.gaps.header(header);
        self.found.records += self.gaps.run(sealed.first, sealed.last);
        self.found.last_sequence = self.found.last_sequence.max(sealed.last);
        self.reserve(sealed.last, 1);
        self.reserve_cut(sealed.first, sealed.len);
        self.found.bytes += sealed.len;
        self.found.sealed.push(*sealed);
    }

    fn segment(&mut self, segment: &SegmentFile, is_last: bool) -> io::Result<()> {
        // Even a segment that holds nothing has its name.
        self.reserve(segment.first, 1);
        let mut scanner = Scanner::open(&segment.path)?;
        // As long as all is whole: the tag, and the sequence that comes next.
        let (mut whole, mut times) = (None, None);
        loop {
            match scanner.next()? {
                Found::Header(header) => {
                    self.gaps.header(&header);
                    whole = (header.first == segment.first).then_some((header.tag, header.first));
                }
                Found::Record(frame) => {
                    self.record(frame.sequence);
                    times = format::timestamp(&frame.payload).map(|at| Times::of(at).and(times)).or(times);
                    whole = whole
                        .filter(|(_, next)| *next == frame.sequence)
                        .map(|(tag, next)| (tag, next.saturating_add(1)));
                }
                Found::Damage(range) => {
                    whole = None;
                    let damage = self.damage(segment, range);
                    self.found.damaged.push(damage);
                }
                Found::End => break,
            }
        }
        let (end, len) = (scanner.position(), scanner.len()?);
        if end == 0 {
            self.reserve_unread(segment.first, end..len);
            self.leave(
                segment.path.clone(),
                if len == 0 { "is empty" } else { "holds no header and no record" },
            );
        } else if end < len {
            self.tail(segment, end..len, is_last)?;
        } else {
            self.found.bytes += len;
            self.reserve_cut(segment.first, len);
            if let Some(((tag, next), times)) = whole.filter(|(_, next)| *next > segment.first).zip(times) {
                self.found.sealed.push(Sealed { first: segment.first, len, tag, last: next - 1, times });
            }
        }
        Ok(())
    }

    fn record(&mut self, sequence: u64) {
        if self.gaps.record(sequence) {
            self.found.records += 1;
            self.found.last_sequence = sequence;
            self.reserve(sequence, 1);
        }
    }

    /// Deals with the end of a segment, where no whole record stands.
    fn tail(&mut self, segment: &SegmentFile, range: Range<u64>, is_last: bool) -> io::Result<()> {
        let damage = self.damage(segment, range.clone());
        if is_last {
            // Cut or not: one whose copy can't be made is cut by a later start, if nothing was appended meanwhile.
            self.reserve_unread(segment.first, range.clone());
        }
        if !is_last || damage.copy.is_none() {
            self.found.bytes += range.end;
            self.found.damaged.push(damage);
            return Ok(());
        }
        let file = OpenOptions::new().write(true).open(&segment.path)?;
        file.set_len(range.start)?;
        file.sync_all()?;
        self.found.bytes += range.start;
        self.found.cut = Some(damage);
        Ok(())
    }

    fn damage(&self, segment: &SegmentFile, range: Range<u64>) -> Damage {
        let copy = directory::copy_damage(self.dir, segment, &range).ok();
        Damage { segment: segment.path.clone(), range, copy }
    }

    /// Makes sure that the `count` sequences from `first` on are not given again.
    fn reserve(&mut self, first: u64, count: u64) {
        self.found.next_sequence = self.found.next_sequence.max(first.saturating_add(count));
    }

    /// Makes sure that no sequence is given again that an acknowledged record in `range` may have had.
    fn reserve_unread(&mut self, segment: u64, range: Range<u64>) {
        let most = (range.end - range.start) / len64(FRAME_LEN) + 1;
        self.reserve(segment.max(self.found.last_sequence.saturating_add(1)), most);
    }

    /// Likewise for what an earlier start has cut from a segment that ends at `len` now; it may have appended nothing.
    fn reserve_cut(&mut self, segment: u64, len: u64) {
        if let Some(cut) = directory::cut_from(self.dir, segment, len) {
            self.reserve_unread(segment, len..len + cut);
        }
    }

    fn leave(&mut self, path: PathBuf, reason: &str) {
        self.found.left.push(Left { path, reason: reason.to_owned() });
    }
}

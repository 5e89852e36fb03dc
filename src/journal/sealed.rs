//! What is known of segments that nothing is written to any more, so that a start need not read them again: a file
//! `sealed` beside them. It proves nothing about what stands in a segment; a reader still checks each record.
//!
//! A line holds the first sequence, the length in bytes, the tag, the last sequence and the times of the oldest and the
//! newest record of one segment, all of whose records are whole and follow each other; the last line is the CRC-32 of those
//! before. A file that is damaged or away costs the
//! time of reading the segments, and so does a segment whose length or header is another.

use super::{
    directory::{self, SEALED, SegmentFile},
    format::{HEADER_LEN, Header, len64},
    note,
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
};

/// The first version knew no times; what it holds is read from the segments once more.
const TITLE: &str = "hookway sealed segments 2";

/// When the records of a segment came, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) oldest: i64,
    pub(super) newest: i64,
}

impl Times {
    /// Of one record.
    pub(super) fn of(at: i64) -> Self {
        Self { oldest: at, newest: at }
    }

    /// Takes others in.
    pub(super) fn and(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| Self {
            oldest: self.oldest.min(other.oldest),
            newest: self.newest.max(other.newest),
        })
    }
}

/// A segment that is complete and was found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) first: u64,
    pub(super) len: u64,
    pub(super) tag: u32,
    pub(super) last: u64,
    pub(super) times: Times,
}

impl Sealed {
    /// Returns the segment's header where the segment is the one that is known.
    pub(super) fn matches(&self, segment: &SegmentFile) -> Option<Header> {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        let file = File::open(&segment.path).ok()?;
        let len = file.metadata().ok()?.len();
        file.take(len64(HEADER_LEN)).read_to_end(&mut bytes).ok()?;
        let header = Header::decode(&bytes)?;
        (len == self.len && header.first == self.first && header.tag == self.tag).then_some(header)
    }
}

/// Reads what is known, by first sequence; nothing where the file is away or damaged.
pub(super) fn read(dir: &Path) -> BTreeMap<u64, Sealed> {
    let text = fs::read_to_string(dir.join(SEALED)).unwrap_or_default();
    parse(&text).unwrap_or_default().into_iter().map(|sealed| (sealed.first, sealed)).collect()
}

/// Writes what is known. Not made durable: the checksum tells a file that was not.
pub(super) fn write(dir: &Path, known: &[Sealed]) -> io::Result<()> {
    let part = dir.join(format!("{SEALED}.part"));
    directory::replace_file(&part)?.write_all(print(known).as_bytes())?;
    fs::rename(&part, dir.join(SEALED))
}

fn print(known: &[Sealed]) -> String {
    let line = |Sealed { first, len, tag, last, times: Times { oldest, newest } }: &Sealed| {
        format!("{first} {len} {tag} {last} {oldest} {newest}\n")
    };
    note::print(TITLE, &known.iter().map(line).collect::<String>())
}

fn parse(text: &str) -> Option<Vec<Sealed>> {
    note::parse(TITLE, text)?.lines().map(line).collect()
}

fn line(line: &str) -> Option<Sealed> {
    let [first, len, tag, last, oldest, newest] = note::numbers(line)?;
    let number = |number| u64::try_from(number).ok();
    let times = Times { oldest: i64::try_from(oldest).ok()?, newest: i64::try_from(newest).ok()? };
    let tag = u32::try_from(tag).ok()?;
    Some(Sealed { first: number(first)?, len: number(len)?, tag, last: number(last)?, times })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_no_part_of_it_with_any_byte_changed() {
        let known = [
            Sealed { first: 1, len: 100, tag: 7, last: 3, times: Times { oldest: -5, newest: 9 } },
            Sealed { first: 4, len: 9, tag: u32::MAX, last: 4, times: Times::of(i64::MAX) },
        ];
        let text = print(&known);
        assert_eq!(parse(&text), Some(known.to_vec()));
        assert_eq!(parse(&print(&[])), Some(Vec::new()));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(String::from_utf8(bytes).ok().as_deref().and_then(parse), None, "byte {at}");
            assert_eq!(parse(text.split_at(at).0), None, "cut at {at}");
        }
    }
}

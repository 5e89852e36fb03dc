//! What is known of segments that nothing is written to any more, so that a start need not read them again: a file
//! `sealed` beside them. It proves nothing about what stands in a segment; a reader still checks each record.
//!
//! A line holds the first sequence, the length in bytes, the tag and the last sequence of one segment, all of whose records
//! are whole and follow each other; the last line is the CRC-32 of those before. A file that is damaged or away costs the
//! time of reading the segments, and so does a segment whose length or header is another.

use super::{
    directory::{self, SEALED, SegmentFile},
    format::{HEADER_LEN, Header, len64},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
};

const TITLE: &str = "hookway sealed segments 1";

/// A segment that is complete and was found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) first: u64,
    pub(super) len: u64,
    pub(super) tag: u32,
    pub(super) last: u64,
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
    let line = |Sealed { first, len, tag, last }: &Sealed| format!("{first} {len} {tag} {last}\n");
    let text: String = std::iter::once(format!("{TITLE}\n")).chain(known.iter().map(line)).collect();
    let crc = crc32fast::hash(text.as_bytes());
    text + &format!("{crc:08x}\n")
}

fn parse(text: &str) -> Option<Vec<Sealed>> {
    let (body, crc) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let lines = body.strip_prefix(TITLE)?;
    if u32::from_str_radix(crc, 16) != Ok(crc32fast::hash(text.get(..=body.len())?.as_bytes())) {
        return None;
    }
    lines.lines().filter(|line| !line.is_empty()).map(line).collect()
}

fn line(line: &str) -> Option<Sealed> {
    let mut numbers = line.split(' ').map(|number| number.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    Some(Sealed { first: next()?, len: next()?, tag: u32::try_from(next()?).ok()?, last: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_no_part_of_it_with_any_byte_changed() {
        let known = [
            Sealed { first: 1, len: 100, tag: 7, last: 3 },
            Sealed { first: 4, len: 9, tag: u32::MAX, last: 4 },
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

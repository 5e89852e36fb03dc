//! Where a drain's records come from: the journal of its destination, read in parts on a thread that may block.

use crate::journal::{Entry, JournalError, Reader};
use bytes::Bytes;
use std::{io, path::PathBuf};

/// Records that are read before others get their turn.
const AT_ONCE: usize = 128;

/// Reads one destination's journal.
#[derive(Debug)]
pub(super) struct Source {
    dir: PathBuf,
    /// The last number that was read.
    last: u64,
    /// Missing records that were told.
    lost: u64,
    reader: Option<Reader>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) entries: Vec<Entry>,
    /// Up to here nothing more stands, where that is known.
    pub(super) through: Option<u64>,
    /// Numbers under which nothing stands.
    pub(super) missing: Vec<(u64, u64)>,
    /// Records that stood there and do not any more.
    pub(super) lost: u64,
}

impl Source {
    pub(super) fn behind(dir: PathBuf, passed: u64) -> Self {
        Self { dir, last: passed, lost: 0, reader: None }
    }

    /// Reads on, up to the record `end` at most.
    pub(super) async fn read(&mut self, from: u64, end: u64) -> Result<Read, JournalError> {
        debug_assert_eq!(from, self.last);
        let (dir, reader) = (self.dir.clone(), self.reader.take());
        let part = tokio::task::spawn_blocking(move || {
            let mut reader = match reader {
                Some(reader) => reader,
                None => Reader::open(&dir, from.saturating_add(1))?,
            };
            let mut entries = Vec::new();
            while entries.len() < AT_ONCE {
                let Some(mut entry) = reader.read_until(end)? else { break };
                // A part of what was read at once would keep all of that in memory.
                entry.record.value = Bytes::copy_from_slice(&entry.record.value);
                entries.push(entry);
            }
            Ok::<_, JournalError>((reader, entries))
        });
        let failed = |error| JournalError::thread("the drain", io::Error::other(error));
        let (reader, entries) = part.await.map_err(failed)??;
        let mut read = Read { through: (entries.len() < AT_ONCE).then_some(end), ..Read::default() };
        for number in entries.iter().map(|entry| entry.sequence).chain(read.through.map(|end| end + 1)) {
            let next = self.last + 1;
            if number > next {
                read.missing.push((next, number - 1));
            }
            self.last = number;
        }
        if read.through.is_some() {
            self.last = end;
        }
        read.lost = reader.lost().saturating_sub(self.lost);
        self.lost = reader.lost();
        read.entries = entries;
        self.reader = Some(reader);
        Ok(read)
    }

    /// Gives back the file that is open; what comes is found again.
    pub(super) fn forget(&mut self) {
        (self.reader, self.lost) = (None, 0);
    }
}

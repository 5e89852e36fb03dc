//! What waits in a spool, read beside the process that owns it: for people who look at it.

use super::{note::Note, spool};
use crate::{
    journal::{self, Cursor, Entry, JournalError, Reader},
    record::Record,
};
use std::path::{Path, PathBuf};

/// What waits for one destination.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The sink's name.
    pub sink: String,
    /// The topic; `None` for what all others of the sink share.
    pub destination: Option<String>,
    /// Its folder.
    pub dir: PathBuf,
}

/// The records behind the cursor, oldest first.
#[derive(Debug)]
pub struct Unread(Reader);

impl Waiting {
    /// Returns every destination that a spool has a folder for.
    pub fn all(root: &Path) -> Result<Vec<Self>, JournalError> {
        let mut all = Vec::new();
        for sink in spool::sinks(root)? {
            let folders = spool::folders(root, &sink)?.into_iter();
            all.extend(folders.map(|(destination, dir)| Self { sink: sink.clone(), destination, dir }));
        }
        Ok(all)
    }

    /// Returns what it is called: `sink` or `sink:destination`.
    pub fn name(&self) -> String {
        let Self { sink, destination, .. } = self;
        destination.as_ref().map_or_else(|| sink.clone(), |name| format!("{sink}:{name}"))
    }

    /// Returns the bytes of its segments.
    pub fn bytes(&self) -> u64 {
        journal::bytes_in(&self.dir)
    }

    /// Begins at the oldest record that was not published yet.
    pub fn read(&self) -> Result<Unread, JournalError> {
        let passed = Cursor::open(&self.dir).0.passed();
        Reader::open(&self.dir, passed.saturating_add(1)).map(Unread)
    }
}

impl Unread {
    /// Returns the next record as its destination will get it, its number, and the source that it came from.
    pub fn read(&mut self) -> Result<Option<(u64, Record, String)>, JournalError> {
        let Some(Entry { sequence, mut record }) = self.0.read()? else { return Ok(None) };
        let note = Note::take(&mut record);
        Ok(Some((sequence, record, note.source)))
    }

    /// Returns how many records were damaged or missing on the way.
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }
}

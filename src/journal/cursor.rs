//! Up to where the records of a journal were passed on: a number that survives any death, beside the segments.
//!
//! Where it is damaged, missing or another directory's, reading begins at the oldest record: one that is passed on twice is
//! better than one that never is. Segments are named by their first numbers, so that a number alone is a place.

use super::{
    JournalError,
    directory::CURSOR,
    disk::{Disk, LocalDisk},
    note,
    numbers::Numbers,
};
use std::{
    io,
    path::{Path, PathBuf},
};

const TITLE: &str = "hookway cursor 1";

/// A durable place in a journal. Of its copies one is moved at a time.
#[derive(Debug, Clone)]
pub struct Cursor {
    dir: PathBuf,
    /// Tells the directory; 0 where that could not be noted.
    id: u64,
    passed: u64,
}

/// Why reading begins at the oldest record, though some may have been passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// There is no cursor, as in a new directory.
    Missing,
    /// It can't be read, or not all of it is there.
    Torn,
    /// It was written for another directory.
    Foreign,
}

impl Doubt {
    /// Says it, for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "there is no cursor: reading begins at the oldest record",
            Self::Torn => {
                "the cursor is damaged: reading begins at the oldest record, and repeats what was passed on"
            }
            Self::Foreign => {
                "the cursor is another directory's: reading begins at the oldest record, and repeats what was passed on"
            }
        }
    }
}

impl Cursor {
    /// Reads the cursor of a directory that was recovered, and tells where it can't be relied on.
    pub fn open(dir: &Path) -> (Self, Option<Doubt>) {
        let id = Numbers::read(dir).unwrap_or_default().id;
        let (passed, doubt) = match read(dir, id) {
            Ok(passed) => (passed, None),
            Err(doubt) => (0, Some(doubt)),
        };
        (Self { dir: dir.to_path_buf(), id, passed }, doubt)
    }

    /// Returns the number up to which all was passed on; 0 for nothing. A [`Reader`] begins at the next.
    ///
    /// [`Reader`]: super::Reader
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Makes the file where there is none, so that it can be moved on a disk that is full by then. Blocks.
    pub fn prepare(&self) -> Result<(), JournalError> {
        if self.dir.join(CURSOR).exists() {
            return Ok(());
        }
        note::store(&mut LocalDisk, &self.dir, CURSOR, (TITLE, [self.id, self.passed]))
            .map_err(JournalError::io("make the cursor of", &self.dir))
    }

    /// Moves on, and returns once that is durable. After an error the place is that of before, or this one. Blocks.
    pub fn advance(&mut self, passed: u64) -> Result<(), JournalError> {
        self.advance_on(&mut LocalDisk, passed)
    }

    pub(super) fn advance_on(&mut self, disk: &mut dyn Disk, passed: u64) -> Result<(), JournalError> {
        if passed <= self.passed {
            return Ok(());
        }
        note::store(disk, &self.dir, CURSOR, (TITLE, [self.id, passed]))
            .map_err(JournalError::io("move the cursor of", &self.dir))?;
        self.passed = passed;
        Ok(())
    }
}

/// Returns the number that stands in the cursor of the directory `id`.
pub(super) fn read(dir: &Path, id: u64) -> Result<u64, Doubt> {
    let unread =
        |error: io::Error| if error.kind() == io::ErrorKind::NotFound { Doubt::Missing } else { Doubt::Torn };
    let [of, passed] = note::read(dir, CURSOR, TITLE).map_err(unread)?.ok_or(Doubt::Torn)?;
    if of == id && id != 0 { Ok(passed) } else { Err(Doubt::Foreign) }
}

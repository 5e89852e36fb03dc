//! What a journal knows of its numbers even when no segment is left to tell: which it gave away, and which it may have
//! given. It is noted before it becomes true, so that a death at any point leaves at most what is too careful.

use super::{directory::NUMBERS, disk::Disk, note};
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    path::Path,
};

const TITLE: &str = "hookway numbers 1";

/// What is noted in the file `numbers`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Tells this directory from any other; 0 while nothing was noted.
    pub(super) id: u64,
    /// Whatever stood below was removed on purpose, and is not missed.
    pub(super) kept: u64,
    /// The first number of the newest segment that was begun. While that one is there, it tells the numbers itself.
    pub(super) newest: u64,
    /// No number was given from here on.
    pub(super) below: u64,
}

impl Numbers {
    /// Reads what is noted; `None` where the file is damaged, and nothing where there is none.
    pub(super) fn read(dir: &Path) -> Option<Self> {
        match note::read(dir, NUMBERS, TITLE) {
            Ok(noted) => noted.map(|[id, kept, newest, below]| Self { id, kept, newest, below }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Self::default()),
            Err(_) => None,
        }
    }

    /// Notes this durably, and the directory's own number where it has none.
    pub(super) fn store(&mut self, disk: &mut dyn Disk, dir: &Path) -> io::Result<()> {
        let mut new = *self;
        while new.id == 0 {
            new.id = random();
        }
        let Self { id, kept, newest, below } = new;
        note::store(disk, dir, NUMBERS, (TITLE, [id, kept, newest, below]))?;
        *self = new;
        Ok(())
    }

    /// Takes note of a segment from `first` on, whose numbers end before `below`.
    pub(super) fn learn(&mut self, first: u64, below: u64) {
        if first > self.newest {
            (self.newest, self.below) = (first, self.below.max(below));
        } else if first == self.newest {
            // What was noted when it was begun is a bound; this is known.
            self.below = self.below.min(below);
        }
    }
}

/// Returns a number that a stranger can't guess: the standard library keys its hashers by the system's
/// random source.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

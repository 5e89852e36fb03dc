//! What of a journal goes: whole segments, oldest first, never the one that is written. A record is past by its age, by
//! the journal's size, or because whoever reads it has passed it; all three are taken away in the same steps.
//!
//! ```text
//! note what is kept → unlink, oldest first → sync the directory
//! ```
//!
//! A death after the note leaves segments that are looked at again; one before it leaves all as it was.

use super::{
    JournalError,
    directory::{self, SegmentFile},
    disk::Disk,
    numbers::Numbers,
    sealed::{Sealed, Times},
};
use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    io,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

/// How much of a journal is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Segments whose youngest record is older go; `None` for any age.
    pub age: Option<Duration>,
    /// The oldest segments go while all take more bytes; `None` for any size.
    pub bytes: Option<u64>,
}

impl Keep {
    pub(super) fn is_all(&self) -> bool {
        self.age.is_none() && self.bytes.is_none()
    }
}

/// A segment that was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// The number of its first record.
    pub first: u64,
    /// The number of its last record, or one that none after it has.
    pub last: u64,
    /// Its size.
    pub bytes: u64,
    /// How many records it held; `None` where that is not known, because it was damaged.
    pub records: Option<u64>,
    /// Time of its oldest record in milliseconds since 1970.
    pub oldest_ms: i64,
    /// Time of its youngest record.
    pub newest_ms: i64,
}

/// What decides which segments go.
pub(super) struct Bounds {
    pub(super) keep: Keep,
    /// All up to here was read by whom it was for.
    pub(super) passed: u64,
    pub(super) now_ms: i64,
    /// The first number of the segment that is written.
    pub(super) written: Option<u64>,
    /// The first number that no segment has.
    pub(super) next: u64,
}

/// Removes what is past its bounds, and tells of each segment once it is gone. Where that fails, the rest stays, and the
/// next time begins there.
pub(super) fn tidy(
    disk: &mut dyn Disk,
    dir: &Path,
    (sealed, numbers): (&mut Vec<Sealed>, &mut Numbers),
    bounds: &Bounds,
    mut tell: impl FnMut(Removed),
) -> Result<(), JournalError> {
    let stored = look(dir, sealed, bounds.next)?;
    let gone = stored.get(..past(&stored, bounds)).unwrap_or_default();
    let Some((_, newest)) = gone.last() else { return Ok(()) };
    let failed = |error| JournalError::io("remove the oldest segments of", dir)(error);
    let mut noted = *numbers;
    noted.kept = noted.kept.max(stored.get(gone.len()).map_or(bounds.next, |(file, _)| file.first));
    if gone.len() == stored.len() {
        // None is left that tells the numbers.
        (noted.newest, noted.below) = (noted.newest.max(newest.first), bounds.next);
    }
    if noted != *numbers {
        noted.store(disk, dir).map_err(failed)?;
        *numbers = noted;
    }
    for (file, removed) in gone {
        disk.remove(&file.path).map_err(failed)?;
        // Of what was promised and is damaged a copy stays, though all else was passed on.
        if removed.last > bounds.passed {
            directory::remove_damage(dir, file.first);
        }
        sealed.retain(|sealed| sealed.first != file.first);
        tell(*removed);
    }
    disk.sync_dir(dir).map_err(failed)
}

/// Returns how many of the oldest segments are past. The first that is not ends it: after a step of the clock a later one
/// may seem older, and what is younger by number stays.
fn past(stored: &[(SegmentFile, Removed)], bounds: &Bounds) -> usize {
    let Bounds { keep, passed, now_ms, written, .. } = bounds;
    let age = keep.age.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    let mut bytes: u64 = stored.iter().map(|(_, segment)| segment.bytes).sum();
    let is_past = |(_, segment): &&(SegmentFile, Removed)| {
        let is_old = age.is_some_and(|age| now_ms.saturating_sub(segment.newest_ms) > age);
        let is_over = keep.bytes.is_some_and(|most| bytes > most);
        bytes = bytes.saturating_sub(segment.bytes);
        *written != Some(segment.first) && (is_old || is_over || segment.last <= *passed)
    };
    stored.iter().take_while(is_past).count()
}

/// Returns the segments that there are. Of one that was not found whole the file's own time counts.
fn look(dir: &Path, sealed: &[Sealed], next: u64) -> Result<Vec<(SegmentFile, Removed)>, JournalError> {
    let known: BTreeMap<u64, &Sealed> = sealed.iter().map(|sealed| (sealed.first, sealed)).collect();
    let segments = directory::list(dir)?.segments;
    let ends = segments.iter().skip(1).map(|after| after.first).chain([next]).collect::<Vec<_>>();
    let looked = segments.into_iter().zip(ends).map(|(file, end)| {
        let found = fs::metadata(&file.path);
        let bytes = found.as_ref().map_or(0, Metadata::len);
        let written = modified(&found);
        let known = known.get(&file.first).filter(|known| known.len == bytes);
        let Times { oldest, newest } =
            known.map_or(Times { oldest: written, newest: written }, |known| known.times);
        let removed = Removed {
            first: file.first,
            last: known.map_or(end.saturating_sub(1), |known| known.last),
            bytes,
            records: known.map(|known| known.last.saturating_sub(known.first).saturating_add(1)),
            oldest_ms: oldest,
            newest_ms: newest,
        };
        (file, removed)
    });
    Ok(looked.collect())
}

/// Returns when a file was written last in milliseconds since 1970; one that tells nothing is young.
fn modified(file: &io::Result<Metadata>) -> i64 {
    let at = file.as_ref().ok().and_then(|file| file.modified().ok());
    let since = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(i64::MAX)
}

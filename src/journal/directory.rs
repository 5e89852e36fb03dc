//! The journal's directory: who owns it, and which files in it are segments.
//!
//! ```text
//! lock                            held by the one process that writes
//! 00000000000000000001.segment    named by the sequence of its first record
//! sealed                          what is known of complete segments
//! numbers                         which numbers were given, and which removed
//! cursor                          up to where the records were passed on
//! damaged-<segment>-<offset>      a copy of bytes that recovery found damaged
//! aside                           documents that no sink takes
//! handled                         what `hookway quarantine` has dealt with
//! ```

use super::JournalError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    ops::Range,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const LOCK: &str = "lock";
const SUFFIX: &str = ".segment";
const DAMAGED: &str = "damaged-";
const PROBE: &str = "probe";
/// What is known of complete segments.
pub(super) const SEALED: &str = "sealed";
/// Which numbers were given, and which removed.
pub(super) const NUMBERS: &str = "numbers";
/// Up to where the records were passed on.
pub(super) const CURSOR: &str = "cursor";
/// The folder of documents that no sink takes.
pub const ASIDE: &str = "aside";
/// What `hookway quarantine` has dealt with.
pub const HANDLED: &str = "handled";
/// Names beside the segments; `probe`, and each note with `.part` behind its name, are there for a moment.
const OTHERS: [&str; 7] = [LOCK, ASIDE, SEALED, NUMBERS, CURSOR, PROBE, HANDLED];
/// As much as a group of events may be.
const PROBE_BYTES: usize = 64 * 1024;
/// Digits of a sequence in a file name: as many as `u64::MAX` has, so that names sort by number.
const DIGITS: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentFile {
    /// The sequence of its first record, by its name.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The segments by sequence.
    pub(super) segments: Vec<SegmentFile>,
    /// Files that are none of the journal's.
    pub(super) foreign: Vec<PathBuf>,
}

/// Creates the directory with mode 0700 where it is missing, and likewise those above it.
pub(super) fn create(dir: &Path) -> Result<(), JournalError> {
    create_all(dir, sync)
}

/// Each new directory is made durable in the one above it, up to one that was there: else a power failure could take a
/// whole branch along, with all that was acknowledged in it.
fn create_all(dir: &Path, mut sync: impl FnMut(&Path) -> io::Result<()>) -> Result<(), JournalError> {
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.is_dir()).collect();
    for new in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(new) {
            // Another process was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && new.is_dir() => Ok(()),
            made => made,
        }
        .and_then(|()| new.parent().map_or(Ok(()), &mut sync))
        .map_err(JournalError::io("create", new))?;
    }
    Ok(())
}

/// Takes the directory for this process, until the returned file is dropped.
pub(super) fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join(LOCK);
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open.map_err(JournalError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { dir: dir.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(JournalError::io("lock", path)(error)),
    }
}

pub(super) fn list(dir: &Path) -> Result<Listing, JournalError> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(dir).map_err(JournalError::io("list", dir))? {
        let path = entry.map_err(JournalError::io("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(first) = first_sequence(name) {
            listing.segments.push(SegmentFile { first, path });
        } else if !OTHERS.contains(&name.trim_end_matches(".part")) && !name.starts_with(DAMAGED) {
            listing.foreign.push(path);
        }
    }
    listing.segments.sort_unstable();
    listing.foreign.sort_unstable();
    Ok(listing)
}

/// Returns the bytes of all segments in a directory, as far as it can be read.
pub fn bytes_in(dir: &Path) -> u64 {
    let segments = list(dir).map(|list| list.segments).unwrap_or_default();
    segments.iter().filter_map(|segment| Some(segment.path.metadata().ok()?.len())).sum()
}

/// Returns the path of the segment that begins with the record `first`.
pub(super) fn segment_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:0DIGITS$}{SUFFIX}"))
}

fn first_sequence(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let all_digits = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { digits.parse().ok() } else { None }
}

/// Makes a directory's entries durable.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    // The parent of a relative path of one part is the empty path.
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir)?.sync_all()
}

/// Creates a file of the journal with mode 0600; fails where it exists.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file of the journal with mode 0600, emptied where it exists.
pub(super) fn replace_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Opens a file of the journal to overwrite parts of it.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// Tries whether the disk takes something, and leaves nothing there.
pub(super) fn probe(dir: &Path) -> io::Result<()> {
    let path = dir.join(PROBE);
    let tried = replace_file(&path)
        .and_then(|mut file| file.write_all(&vec![0; PROBE_BYTES]).and_then(|()| file.sync_all()));
    // What is left of it takes room; it may not be there at all.
    drop(fs::remove_file(&path));
    tried
}

pub(super) fn size(dir: &Path) -> Result<u64, JournalError> {
    let len = |segment: &SegmentFile| fs::metadata(&segment.path).map_or(0, |file| file.len());
    Ok(list(dir)?.segments.iter().map(len).sum())
}

fn damage_path(dir: &Path, first: u64, start: u64) -> PathBuf {
    dir.join(format!("{DAMAGED}{first:0DIGITS$}-{start}"))
}

/// Removes the copies of what was damaged in a segment, which is removed. Best effort: without it a copy stays.
pub(super) fn remove_damage(dir: &Path, first: u64) {
    let of_segment = format!("{DAMAGED}{first:0DIGITS$}-");
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&of_segment) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// Returns how many bytes were cut from a segment that ends at `len` now, by the copy that was kept of them.
pub(super) fn cut_from(dir: &Path, first: u64, len: u64) -> Option<u64> {
    fs::metadata(damage_path(dir, first, len)).ok().map(|copy| copy.len())
}

/// Copies a damaged range of a segment to a durable file beside it and returns that file's path. A copy
/// that stands from an earlier start is left.
pub(super) fn copy_damage(dir: &Path, segment: &SegmentFile, range: &Range<u64>) -> io::Result<PathBuf> {
    let path = damage_path(dir, segment.first, range.start);
    if fs::metadata(&path).is_ok_and(|copy| copy.len() == range.end - range.start) {
        return Ok(path);
    }
    let mut source = File::open(&segment.path)?;
    source.seek(SeekFrom::Start(range.start))?;
    let mut copy = replace_file(&path)?;
    if io::copy(&mut source.take(range.end - range.start), &mut copy)? < range.end - range.start {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    copy.sync_all()?;
    sync(dir)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_directory_is_made_durable_in_the_one_above_it() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/b/c");
        let mut synced = Vec::new();
        let mut made = || {
            create_all(&dir, |above| {
                synced.push(above.strip_prefix(home.path()).unwrap().to_path_buf());
                sync(above)
            })
            .unwrap();
            std::mem::take(&mut synced)
        };
        assert_eq!(made(), ["", "a", "a/b"].map(PathBuf::from));
        assert_eq!(made(), Vec::<PathBuf>::new(), "what was there needs nothing");
        fs::remove_dir(&dir).unwrap();
        assert_eq!(made(), [PathBuf::from("a/b")]);
    }

    #[test]
    fn a_probe_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        probe(home.path()).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        assert!(probe(&home.path().join("missing")).is_err());
    }
}

//! The journal's directory: who owns it, and which files in it are segments.
//!
//! ```text
//! lock                            held by the one process that writes
//! 00000000000000000001.segment    named by the sequence of its first record
//! damaged-<segment>-<offset>      a copy of bytes that recovery found damaged
//! aside                           documents that no sink takes
//! ```

use super::{JournalError, aside::FOLDER};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    ops::Range,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const LOCK: &str = "lock";
const SUFFIX: &str = ".segment";
const DAMAGED: &str = "damaged-";
/// Digits of a sequence in a file name: as many as `u64::MAX` has, so that names sort by number.
const DIGITS: usize = 20;

/// A segment's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentFile {
    /// The sequence of its first record, by its name.
    pub(super) first: u64,
    /// Where it is.
    pub(super) path: PathBuf,
}

/// What stands in a journal's directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The segments by sequence.
    pub(super) segments: Vec<SegmentFile>,
    /// Files that are none of the journal's.
    pub(super) foreign: Vec<PathBuf>,
}

/// Creates the directory with mode 0700 where it is missing.
pub(super) fn create(dir: &Path) -> Result<(), JournalError> {
    if dir.is_dir() {
        return Ok(());
    }
    let created = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    created.and_then(|()| dir.parent().map_or(Ok(()), sync)).map_err(JournalError::io("create", dir))
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

/// Lists what stands in the directory.
pub(super) fn list(dir: &Path) -> Result<Listing, JournalError> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(dir).map_err(JournalError::io("list", dir))? {
        let path = entry.map_err(JournalError::io("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(first) = first_sequence(name) {
            listing.segments.push(SegmentFile { first, path });
        } else if name != LOCK && name != FOLDER && !name.starts_with(DAMAGED) {
            listing.foreign.push(path);
        }
    }
    listing.segments.sort_unstable();
    listing.foreign.sort_unstable();
    Ok(listing)
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

/// Copies a damaged range of a segment to a durable file beside it and returns that file's path. A copy
/// that stands from an earlier start is left.
pub(super) fn copy_damage(dir: &Path, segment: &SegmentFile, range: &Range<u64>) -> io::Result<PathBuf> {
    let path = dir.join(format!("{DAMAGED}{:0DIGITS$}-{}", segment.first, range.start));
    if fs::metadata(&path).is_ok_and(|copy| copy.len() == range.end - range.start) {
        return Ok(path);
    }
    let source = File::open(&segment.path)?;
    let copy = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    let mut chunk = vec![0; 64 * 1024];
    let mut at = range.start;
    while at < range.end {
        let left = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(chunk.len());
        let part = chunk.get_mut(..left).unwrap_or_default();
        source.read_exact_at(part, at)?;
        copy.write_all_at(part, at - range.start)?;
        at += super::format::len64(left);
    }
    copy.sync_all()?;
    sync(dir)?;
    Ok(path)
}

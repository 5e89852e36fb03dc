//! Reads what a verb is given: a file, or standard input for `-`, up to a bound.

use super::exit::Stop;
use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The most that is read, in MiB.
const LARGEST: u64 = 64;

/// Reads all of it.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Stop> {
    let is_standard = file.as_os_str() == "-";
    let name = if is_standard { "standard input".into() } else { file.to_string_lossy() };
    let mut bytes = Vec::new();
    let unreadable = |error: io::Error| Stop::usage(format!("{name} can't be read: {error}"));
    let input: Box<dyn io::Read> =
        if is_standard { Box::new(io::stdin()) } else { Box::new(File::open(file).map_err(unreadable)?) };
    let read = input.take((LARGEST << 20) + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST << 20) {
        return Err(Stop::usage(format!("{name} is larger than {LARGEST} MiB")));
    }
    Ok(bytes)
}

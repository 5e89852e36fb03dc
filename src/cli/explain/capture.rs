//! Reads the file, or standard input, that holds the captured request.

use crate::{cli::exit::Stop, explain::Captured};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The largest capture that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Reads a capture; `-` is standard input. `entry` chooses one of a HAR file's entries, counted from 0.
pub(super) fn read(file: &Path, entry: Option<usize>) -> Result<Captured, Stop> {
    let name = file.display();
    let bytes = bytes(file).map_err(|error| Stop::usage(format!("{name} can't be read: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(Stop::usage(format!("{name} is larger than {} MiB", LARGEST >> 20)));
    }
    Captured::parse(&bytes, entry).map_err(|problem| Stop::usage(format!("{name}: {problem}")))
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().take(LARGEST + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

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
    let name = file.display();
    let mut bytes = Vec::new();
    let input: io::Result<Box<dyn io::Read>> = if file == Path::new("-") {
        Ok(Box::new(io::stdin()))
    } else {
        File::open(file).map(|file| Box::new(file) as _)
    };
    let read = input.and_then(|input| input.take((LARGEST << 20) + 1).read_to_end(&mut bytes));
    let read = read.map_err(|error| Stop::usage(format!("{name} can't be read: {error}")))?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST << 20) {
        return Err(Stop::usage(format!("{name} is larger than {LARGEST} MiB")));
    }
    Ok(bytes)
}

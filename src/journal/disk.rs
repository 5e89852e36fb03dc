//! What the writer does to files. The only implementation that stores anything is [`LocalDisk`]; the seam
//! is there because a disk that fails at a chosen call can't be had in every place where the tests run.

use super::{directory, format};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt as _,
    path::Path,
};

/// The file operations of the writer; each does the real thing unless an implementation says otherwise.
pub(super) trait Disk: Send {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        directory::create_file(path)
    }

    /// Appends all of `bytes`; after an error any part of them may stand in the file.
    fn append(&mut self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Makes what was appended durable.
    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Makes a directory's new entries durable.
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        directory::sync(dir)
    }

    fn cut(&mut self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    /// Writes all of `bytes` from the byte `at` on and makes them durable; after an error any part of them may stand there.
    fn overwrite(&mut self, file: &File, bytes: &[u8], at: usize) -> io::Result<()> {
        file.write_all_at(bytes, format::len64(at))?;
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// The file system of this machine.
#[derive(Debug)]
pub(super) struct LocalDisk;

impl Disk for LocalDisk {}

//! How a journal is opened, in two steps: its directory is taken, which is quick and fails where somebody must act;
//! what stands there is looked at, which may take as long as the disk has to read.

use super::{
    Journal, JournalError, Options, Recovered, directory,
    disk::{Disk, LocalDisk},
    numbers,
    queue::Queue,
    recover,
    writer::Writer,
};
use std::{fs::File, path::Path, sync::Arc, thread};

/// Segments that `keep.bytes` is divided into at least.
const PARTS: u64 = 8;

/// A journal's directory, taken for this process; nothing in it was looked at yet.
#[derive(Debug, Clone)]
pub struct Claim {
    dir: Arc<Path>,
    lock: Arc<File>,
}

impl Claim {
    /// Takes the directory, which is created where it is missing. Fails where another process has it, and where a newer
    /// program wrote there last.
    pub fn take(dir: &Path) -> Result<Self, JournalError> {
        directory::create(dir)?;
        let lock = Arc::new(directory::lock(dir)?);
        recover::refuse_newer(directory::list(dir)?.segments.last().into_iter())?;
        Ok(Self { dir: Arc::from(dir), lock })
    }

    /// Looks at what stands there, before the journal is opened. Blocks for as long as the disk takes.
    pub fn recover(&self) -> Result<Recovered, JournalError> {
        recover::recover(&self.dir)
    }

    /// Opens the journal with what was found.
    pub fn open(&self, recovered: &Recovered, options: Options) -> Result<Journal, JournalError> {
        self.open_on(Box::new(LocalDisk), recovered, options)
    }

    pub(super) fn open_on(
        &self,
        disk: Box<dyn Disk>,
        recovered: &Recovered,
        options: Options,
    ) -> Result<Journal, JournalError> {
        let tag = random_tag();
        let next = recovered.next_sequence;
        let segment_bytes = options.segment_bytes;
        // Enough of them that something can go.
        let segment_bytes = options.keep.bytes.map_or(segment_bytes, |most| segment_bytes.min(most / PARTS));
        let queue = Arc::new(Queue::new(
            Arc::clone(&self.dir),
            options,
            tag,
            (recovered.last_sequence, next),
            recovered.bytes,
        ));
        let writer = Writer {
            queue: Arc::clone(&queue),
            disk,
            dir: Arc::clone(&self.dir),
            segment_bytes,
            tag,
            acknowledged: recovered.last_sequence,
            segment: None,
            sealed: recovered.sealed.clone(),
            numbers: recovered.numbers,
            tidied: None,
            is_stuck: false,
        };
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run());
        let writer = Some(thread.map_err(JournalError::io("start a writer for", &*self.dir))?);
        Ok(Journal { queue, writer, _lock: Arc::clone(&self.lock) })
    }
}

fn random_tag() -> u32 {
    let [a, b, c, d, ..] = numbers::random().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

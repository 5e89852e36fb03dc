//! The one thread that writes: a group is one write and one `fdatasync`, then every append of it hears.
//!
//! A segment whose write or sync failed is never written or synced again: after a failed `fsync` the kernel
//! may have dropped the pages and call them clean, so a second one that succeeds proves nothing. The next
//! group begins a new segment, and the numbers of the failed one stay unused.

use super::{
    Commit, Notice, directory,
    disk::Disk,
    format::{FRAME_LEN, HEADER_LEN, Header, VERSION, len64},
    group::Group,
    numbers::Numbers,
    queue::Queue,
    sealed::{self, Sealed, Times},
};
use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    pub(super) disk: Box<dyn Disk>,
    pub(super) dir: Arc<Path>,
    /// Size in bytes from which on a segment takes no further group.
    pub(super) segment_bytes: u64,
    pub(super) tag: u32,
    /// The last sequence that was acknowledged.
    pub(super) acknowledged: u64,
    /// Where the next group goes; `None` before the first and after a failure.
    pub(super) segment: Option<Segment>,
    /// The segments that are complete and whole.
    pub(super) sealed: Vec<Sealed>,
    pub(super) numbers: Numbers,
    /// When the journal was tidied last.
    pub(super) tidied: Option<Instant>,
    /// True where that failed.
    pub(super) is_stuck: bool,
}

/// The segment that is being written.
pub(super) struct Segment {
    file: File,
    path: PathBuf,
    pub(super) first: u64,
    /// Length in bytes up to which everything is durable; 0 before the first group is.
    durable: u64,
    /// When its records came.
    pub(super) times: Option<Times>,
    /// What was noted before it was begun.
    before: Numbers,
}

impl Segment {
    /// False where somebody removed the file, or another stands under its name: what is written to it would be lost with
    /// it, and acknowledged.
    fn is_in_place(&self) -> bool {
        let place = |file: &Metadata| (file.dev(), file.ino());
        let (named, open) = (fs::metadata(&self.path), self.file.metadata());
        named.is_ok_and(|named| open.is_ok_and(|open| place(&named) == place(&open)))
    }
}

impl Writer {
    /// Serves the queue until it is closed and empty.
    pub(super) fn run(mut self) {
        // However this thread ends, nobody waits for it afterwards.
        let _abandon = AbandonOnDrop(Arc::clone(&self.queue));
        let mut group = Group::default();
        let patience = self.queue.patience();
        while self.queue.take(&mut group, patience) {
            if group.len() > 0 {
                self.serve(&mut group);
            }
            self.tidy(patience);
        }
    }

    fn serve(&mut self, group: &mut Group) {
        let bytes = group.bytes.len();
        let start = now();
        // A bug must cost its group and not all that comes after it.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.commit(group)));
        let outcome = outcome.unwrap_or_else(|_| {
            let error = io::Error::other("the write ended by a bug, which the log tells");
            Err(Failure { error, remains: len64(bytes) })
        });
        let took = now().duration_since(start);
        let (durable, grown) = match &outcome {
            Ok(written) => (true, *written),
            Err(failure) => (false, failure.remains),
        };
        self.queue.notify(Notice::Group(Commit { grown, took, durable }));
        match outcome {
            Ok(written) => {
                self.acknowledged = group.next() - 1;
                self.queue.acknowledge(group, written);
            }
            Err(Failure { error, remains }) => self.queue.refuse(group, error, remains),
        }
    }

    /// Makes a group durable and returns how many bytes the journal grew.
    fn commit(&mut self, group: &Group) -> Result<u64, Failure> {
        // Taken out: only a success puts it back.
        let mut segment = match self.segment.take() {
            Some(segment) if segment.durable < self.segment_bytes && segment.is_in_place() => segment,
            done => {
                if let Some(done) = done {
                    self.seal(&done);
                }
                self.begin(group.first).map_err(|error| Failure { error, remains: 0 })?
            }
        };
        match self.write(&segment, group) {
            Ok(len) => {
                let grown = len - segment.durable;
                segment.durable = len;
                segment.times = group.times.map(|times| times.and(segment.times));
                self.segment = Some(segment);
                Ok(grown)
            }
            Err(error) => Err(Failure { error, remains: self.roll_back(&segment) }),
        }
    }

    /// Notes that a segment is complete, for the next start.
    pub(super) fn seal(&mut self, segment: &Segment) {
        let (first, len, last) = (segment.first, segment.durable, self.acknowledged);
        let Some(times) = segment.times else { return };
        self.sealed.push(Sealed { first, len, tag: self.tag, last, times });
        // Without it the next start takes longer.
        drop(sealed::write(&self.dir, &self.sealed));
    }

    fn begin(&mut self, first: u64) -> io::Result<Segment> {
        // Its numbers must not be given again, though somebody moves it away.
        let most = self.segment_bytes / len64(FRAME_LEN) + len64(self.queue.options.queue_records) + 1;
        let (before, mut numbers) = (self.numbers, self.numbers);
        numbers.learn(first, first.saturating_add(most));
        numbers.store(&mut *self.disk, &self.dir)?;
        self.numbers = numbers;
        let path = directory::segment_path(&self.dir, first);
        let file = match self.disk.create(&path) {
            Ok(file) => file,
            Err(error) => {
                self.never_begun(before);
                return Err(error);
            }
        };
        Ok(Segment { file, path, first, durable: 0, times: None, before })
    }

    /// Notes that the newest segment is not there because it never was: nobody is to miss it. Its numbers stay given.
    fn never_begun(&mut self, before: Numbers) {
        let mut numbers = Numbers { newest: before.newest, ..self.numbers };
        if numbers.store(&mut *self.disk, &self.dir).is_ok() {
            self.numbers = numbers;
        }
    }

    /// Writes and syncs a group, before it the header of a new segment, and returns the segment's length.
    fn write(&mut self, segment: &Segment, group: &Group) -> io::Result<u64> {
        let mut start = segment.durable;
        let is_new = start == 0;
        if is_new {
            let header =
                Header { version: VERSION, tag: self.tag, first: group.first, previous: self.acknowledged };
            self.disk.append(&segment.file, &header.encode())?;
            start = len64(HEADER_LEN);
        }
        self.disk.append(&segment.file, &group.bytes)?;
        self.disk.sync(&segment.file)?;
        if is_new {
            self.disk.sync_dir(&self.dir)?;
        }
        Ok(start + len64(group.bytes.len()))
    }

    /// Takes a failed group off the disk, as well as that can be done; returns how many of its bytes remain.
    /// What remains is harmless: recovery and readers skip it, or hand out records nobody was promised.
    fn roll_back(&mut self, segment: &Segment) -> u64 {
        let undone = if segment.durable == 0 {
            self.disk.remove(&segment.path)
        } else {
            self.disk.cut(&segment.file, segment.durable)
        };
        if undone.is_ok() {
            if segment.durable == 0 {
                self.never_begun(segment.before);
            }
            return 0;
        }
        segment.file.metadata().map_or(0, |file| file.len().saturating_sub(segment.durable))
    }
}

/// A group that could not be made durable.
struct Failure {
    error: io::Error,
    /// Bytes of it that are still on disk.
    remains: u64,
}

struct AbandonOnDrop(Arc<Queue>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures the disk on a thread of its own, where no test pauses time"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

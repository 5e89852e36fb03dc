//! A disk that dies at a chosen step, and what a removal leaves then. The files behind it are real.

use super::{
    retention::{SMALL, append, well},
    *,
};
use std::{fs::File, io};

/// A disk that dies at a chosen step: nothing of what comes after is done.
pub(super) struct MockDyingDisk {
    pub(super) steps: u32,
}

impl MockDyingDisk {
    fn step(&mut self) -> io::Result<()> {
        self.steps = self.steps.checked_sub(1).ok_or_else(|| io::Error::other("mock: dead"))?;
        Ok(())
    }
}

impl Disk for MockDyingDisk {
    fn append(&mut self, file: &File, bytes: &[u8]) -> io::Result<()> {
        LocalDisk.append(file, bytes)
    }

    fn overwrite(&mut self, file: &File, bytes: &[u8], at: usize) -> io::Result<()> {
        let dies = self.step();
        LocalDisk.overwrite(file, if dies.is_err() { &bytes[..20] } else { bytes }, at)?;
        dies
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        LocalDisk.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        LocalDisk.remove(path)
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.step()?;
        LocalDisk.sync_dir(dir)
    }
}

#[tokio::test]
async fn a_death_at_any_step_of_a_removal_tells_nothing_wrong_and_costs_nothing_else() {
    for (passed, steps) in (0..12).map(|steps| (30, steps)).chain((0..12).map(|steps| (12, steps))) {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes: SMALL, ..Options::default() };
        let (journal, _) = open_with(dir.path(), options.clone()).unwrap();
        append(&journal, 1..=30).await;
        drop(journal);
        let before = segments(dir.path()).len();
        let disk = Box::new(MockDyingDisk { steps });
        let (journal, _) = open_on(disk, dir.path(), options.clone()).unwrap();
        journal.queue.pass(passed);
        drop(journal);
        let left = sequences(dir.path());
        let oldest = left.first().copied().unwrap_or(31);
        assert!(oldest <= passed + 1, "{oldest} after {steps} steps");
        assert_eq!(left, (oldest..=30).collect::<Vec<_>>());
        assert!(steps >= 1 || segments(dir.path()).len() == before, "noted before it is removed");
        assert_eq!(well(dir.path()).next_sequence, 31);
        let (journal, _) = open_with(dir.path(), options).unwrap();
        append(&journal, 31..=31).await;
        drop(journal);
        well(dir.path());
        assert_eq!(sequences(dir.path()), (oldest..=31).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn numbers_go_on_though_all_segments_are_moved_away() {
    for known in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 1..=5).await;
        if known {
            well(dir.path());
        }
        for segment in segments(dir.path()) {
            fs::remove_file(segment).unwrap();
        }
        let next = well(dir.path()).next_sequence;
        assert!(if known { next == 6 } else { next > 5 }, "{next}");
        let (journal, _) = open(dir.path());
        assert_eq!(journal.append(&record(next)).await.unwrap(), next);
    }
}

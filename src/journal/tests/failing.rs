//! Appending on a disk that fails. A mock decides when; the files behind it are real. The last test needs
//! no mock: the system itself refuses.

use super::*;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    env,
    fs::File,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    process::Command,
    sync::mpsc,
};

/// What a [`MockFailingDisk`] does at one group.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// `fdatasync` answers EIO.
    Sync,
    /// Half of the group is written, then ENOSPC.
    Space,
}

#[derive(Default)]
struct Script {
    /// What happens at the next groups; then nothing fails.
    faults: VecDeque<Fault>,
    /// True where a failed group can't be taken back either.
    keeps_rest: bool,
    /// Every file that was synced, by inode.
    synced: Vec<u64>,
}

/// A disk that fails as a script says.
#[derive(Clone, Default)]
struct MockFailingDisk(Arc<Mutex<Script>>);

impl MockFailingDisk {
    fn failing(faults: impl IntoIterator<Item = Fault>) -> Self {
        let disk = Self::default();
        disk.0.lock().faults.extend(faults);
        disk
    }
}

impl Disk for MockFailingDisk {
    fn append(&mut self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        let mut script = self.0.lock();
        // A header is not a group.
        if bytes.starts_with(b"HOOKWAY") || script.faults.front() != Some(&Fault::Space) {
            return file.write_all(bytes);
        }
        script.faults.pop_front();
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        let mut script = self.0.lock();
        script.synced.push(file.metadata()?.ino());
        match script.faults.pop_front() {
            Some(Fault::Sync) => Err(io::Error::other("mock: input/output error")),
            _ => file.sync_data(),
        }
    }

    fn cut(&mut self, file: &File, len: u64) -> io::Result<()> {
        if self.0.lock().keeps_rest {
            Err(io::Error::other("mock: read-only"))
        } else {
            LocalDisk.cut(file, len)
        }
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        if self.0.lock().keeps_rest {
            Err(io::Error::other("mock: read-only"))
        } else {
            LocalDisk.remove(path)
        }
    }
}

fn open_failing(dir: &Path, disk: &MockFailingDisk) -> Journal {
    open_on(Box::new(disk.clone()), dir, Options::default()).unwrap().0
}

#[tokio::test]
async fn a_failed_sync_acknowledges_nothing_and_its_file_is_never_synced_again() {
    let dir = tempfile::tempdir().unwrap();
    let disk = MockFailingDisk::failing([Fault::None, Fault::Sync]);
    let journal = open_failing(dir.path(), &disk);
    assert_eq!(journal.append(&record(1)).await.unwrap(), 1);
    let error = journal.append(&record(2)).await.unwrap_err();
    assert!(matches!(error, JournalError::Write { .. }), "{error}");
    assert_eq!(journal.append(&record(3)).await.unwrap(), 3);
    assert_eq!(failures_in_a_row(&journal), 0);
    drop(journal);
    let synced = disk.0.lock().synced.clone();
    assert_eq!(synced[0], synced[1]);
    assert!(synced[2..].iter().all(|file| *file != synced[0]), "synced again after EIO: {synced:?}");
    assert_eq!(sequences(dir.path()), [1, 3]);
    let (_journal, recovered) = open(dir.path());
    assert_eq!((recovered.records, recovered.lost, recovered.damaged.len()), (2, 0, 0));
}

#[tokio::test]
async fn a_disk_that_fills_within_a_record_keeps_all_records_around_it() {
    for keeps_rest in [false, true] {
        for before in 0..3 {
            let dir = tempfile::tempdir().unwrap();
            let disk = MockFailingDisk::failing(vec![Fault::None; before].into_iter().chain([Fault::Space]));
            disk.0.lock().keeps_rest = keeps_rest;
            let journal = open_failing(dir.path(), &disk);
            let failed = u64::try_from(before).unwrap() + 1;
            for number in 1..=5 {
                let outcome = journal.append(&record(number)).await;
                assert_eq!(outcome.ok(), (number != failed).then_some(number));
            }
            let expected: Vec<u64> = (1..=5).filter(|number| *number != failed).collect();
            let size = bytes(&journal);
            drop(journal);
            assert_eq!(sequences(dir.path()), expected);
            let (_journal, recovered) = open(dir.path());
            assert_eq!((recovered.records, recovered.lost, recovered.bytes), (4, 0, size));
            assert_eq!(recovered.damaged.len(), usize::from(keeps_rest), "what remains is reported");
        }
    }
}

#[tokio::test]
async fn a_journal_that_keeps_failing_refuses_what_waits_and_comes_back_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (entered, at_disk) = mpsc::channel();
    let (release, go_on) = mpsc::channel();
    let disk =
        MockStuckDisk { entered, go_on, faults: VecDeque::from([Fault::None, Fault::Sync, Fault::Sync]) };
    let (journal, _) = open_on(Box::new(disk), dir.path(), Options::default()).unwrap();
    let first = journal.append(&record(1));
    at_disk.recv_timeout(PATIENCE).unwrap();
    let second: Vec<_> = (2..=4).map(|number| journal.append(&record(number))).collect();
    release.send(()).unwrap();
    assert_eq!(first.await.unwrap(), 1);
    at_disk.recv_timeout(PATIENCE).unwrap();
    let third = journal.append(&record(5));
    release.send(()).unwrap();
    for append in second {
        assert!(matches!(append.await, Err(JournalError::Write { .. })), "the whole group hears of it");
    }
    assert_eq!(failures_in_a_row(&journal), 1, "one failure is not yet a state");
    at_disk.recv_timeout(PATIENCE).unwrap();
    let waiting = journal.append(&record(6));
    drop(release);
    assert!(matches!(third.await, Err(JournalError::Write { .. })));
    assert!(matches!(waiting.await, Err(JournalError::Failed { .. })), "nothing is tried while it rests");
    assert_eq!(failures_in_a_row(&journal), 2);

    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = journal.append(&record(7)).await {
        assert!(matches!(error, JournalError::Failed { .. }), "{error}");
        assert!(Instant::now() < deadline, "it never came back");
        tokio::task::yield_now().await;
    }
    assert_eq!(journal.append(&record(8)).await.unwrap(), 8, "what was refused took no number");
    assert_eq!(failures_in_a_row(&journal), 0);
    assert_eq!(sequences(dir.path()), [1, 7, 8]);
}

/// A disk whose every sync waits until the test lets it go on.
struct MockStuckDisk {
    entered: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
    faults: VecDeque<Fault>,
}

impl Disk for MockStuckDisk {
    fn sync(&mut self, file: &File) -> io::Result<()> {
        // The test may have ended and taken its ends along.
        self.entered.send(()).ok();
        self.go_on.recv().ok();
        if self.faults.pop_front() == Some(Fault::Sync) {
            Err(io::Error::other("mock: EIO"))
        } else {
            file.sync_data()
        }
    }
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_instead_of_waiting() {
    let limits = [
        Options { queue_records: 2, ..Options::default() },
        Options { queue_bytes: 300, ..Options::default() },
    ];
    for options in limits {
        let dir = tempfile::tempdir().unwrap();
        let (entered, at_disk) = mpsc::channel();
        let (release, go_on) = mpsc::channel();
        let disk = MockStuckDisk { entered, go_on, faults: VecDeque::new() };
        let (journal, _) = open_on(Box::new(disk), dir.path(), options).unwrap();
        let first = journal.append(&record(1));
        at_disk.recv_timeout(PATIENCE).unwrap();
        let (second, third) = (journal.append(&record(2)), journal.append(&record(3)));
        let error = journal.append(&record(4)).await.unwrap_err();
        assert!(matches!(error, JournalError::QueueFull { .. }), "{error}");
        drop(release);
        assert_eq!((first.await.unwrap(), second.await.unwrap(), third.await.unwrap()), (1, 2, 3));
        assert_eq!(journal.append(&record(4)).await.unwrap(), 4);
    }
}

/// A disk whose first sync panics.
struct MockPanickingDisk {
    has_panicked: bool,
}

impl Disk for MockPanickingDisk {
    fn sync(&mut self, file: &File) -> io::Result<()> {
        assert!(std::mem::replace(&mut self.has_panicked, true), "mock: a bug in the writer");
        file.sync_data()
    }
}

#[tokio::test]
async fn a_bug_in_the_writer_costs_its_group_and_nothing_that_comes_after() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Box::new(MockPanickingDisk { has_panicked: false });
    let (journal, _) = open_on(disk, dir.path(), Options::default()).unwrap();
    assert!(matches!(journal.append(&record(1)).await, Err(JournalError::Write { .. })));
    assert!(journal.is_troubled());
    assert_eq!(journal.append(&record(2)).await.unwrap(), 2);
    assert!(!journal.is_troubled());
    drop(journal);
    let (_journal, recovered) = open(dir.path());
    // What the first write left is whole, and nobody was promised it.
    assert_eq!((recovered.records, recovered.lost, recovered.damaged.len()), (2, 0, 0));
}

#[tokio::test]
async fn a_disk_that_failed_is_tried_before_it_is_called_well() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open_failing(dir.path(), &MockFailingDisk::failing([Fault::Sync]));
    journal.append(&record(1)).await.unwrap_err();
    assert!(journal.is_troubled());
    journal.look().unwrap();
    // A directory in the place of the file that is tried with.
    fs::create_dir(dir.path().join("probe")).unwrap();
    assert!(matches!(journal.look(), Err(JournalError::Write { .. })));
    assert_eq!(journal.append(&record(2)).await.unwrap(), 2);
    journal.look().unwrap();
}

/// Runs itself in a process whose files may not grow over a limit, so that a write stops within a record.
#[test]
fn a_real_limit_on_the_size_of_files_costs_only_the_record_that_it_stopped() {
    const DIR: &str = "HOOKWAY_TEST_LIMITED_DIR";
    const NAME: &str =
        "journal::tests::failing::a_real_limit_on_the_size_of_files_costs_only_the_record_that_it_stopped";
    if let Some(dir) = env::var_os(DIR) {
        return append_until_refused(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    // The signal that goes with the limit would end the process; ignored, the write answers EFBIG.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(DIR, dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let refused = fs::read_to_string(dir.path().join("refused")).unwrap().parse::<u64>().unwrap();
    let expected: Vec<u64> = (1..=refused + 5).filter(|number| *number != refused).collect();
    assert_eq!(sequences(dir.path()), expected);
    let (_journal, recovered) = open(dir.path());
    assert_eq!((recovered.lost, recovered.damaged, recovered.cut), (0, vec![], None));
}

/// Appends until the limit stops a record and five more after it; tells which one it was.
fn append_until_refused(dir: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (journal, _) = open(dir);
    let mut refused = None;
    for number in 1.. {
        match runtime.block_on(journal.append(&record(number))) {
            Ok(sequence) => assert_eq!(sequence, number),
            Err(JournalError::Write { source, .. }) if refused.is_none() => {
                assert_eq!(source.kind(), io::ErrorKind::FileTooLarge);
                refused = Some(number);
            }
            Err(error) => panic!("{error}"),
        }
        if refused.is_some_and(|refused| number == refused + 5) {
            break;
        }
    }
    fs::write(dir.join("refused"), refused.unwrap().to_string()).unwrap();
}

#[tokio::test]
async fn what_was_passed_on_goes_though_the_group_behind_it_failed_and_nobody_misses_that() {
    let dir = tempfile::tempdir().unwrap();
    let disk = MockFailingDisk::failing([Fault::None, Fault::Space]);
    let journal = open_failing(dir.path(), &disk);
    journal.append(&record(1)).await.unwrap();
    journal.append(&record(2)).await.unwrap_err();
    let (mut cursor, _) = journal.cursor();
    cursor.advance(1).unwrap();
    journal.hand_back(&cursor);
    eventually("the removal", || segments(dir.path()).is_empty()).await;
    drop(journal);
    // The first group of a new segment fails, and the segment goes with it.
    let journal = open_failing(dir.path(), &MockFailingDisk::failing([Fault::Sync]));
    journal.append(&record(3)).await.unwrap_err();
    drop(journal);
    let (journal, recovered) = open(dir.path());
    assert!(!recovered.is_cut_off && segments(dir.path()).is_empty());
    assert!(journal.append(&record(4)).await.unwrap() > 2, "no number is given twice");
}

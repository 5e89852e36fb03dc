//! Up to where records were passed on: against a model, and at each step of its writing.

use super::{dying::MockDyingDisk, *};
use crate::journal::{Cursor, Doubt};
use proptest::prelude::*;
use std::{fs::File, io};

async fn three(dir: &Path) -> Journal {
    let (journal, _) = open(dir);
    for number in 1..=3 {
        journal.append(&record(number)).await.unwrap();
    }
    journal
}

#[tokio::test]
async fn a_cursor_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let journal = three(dir.path()).await;
    let (mut cursor, doubt) = journal.cursor();
    assert_eq!((cursor.passed(), doubt), (0, Some(Doubt::Missing)));
    cursor.advance(2).unwrap();
    cursor.advance(1).unwrap();
    drop(journal);
    let (journal, _) = open(dir.path());
    let (cursor, doubt) = journal.cursor();
    assert_eq!((cursor.passed(), doubt), (2, None));
}

#[tokio::test]
async fn a_cursor_that_is_damaged_is_the_one_before_or_begins_at_the_oldest_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (mut cursor, _) = three(dir.path()).await.cursor();
    cursor.advance(1).unwrap();
    cursor.advance(2).unwrap();
    let file = dir.path().join("cursor");
    let whole = fs::read(&file).unwrap();
    let newer = whole.len() / 2;
    let read = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let (cursor, doubt) = Cursor::open(dir.path());
        (cursor.passed(), doubt)
    };
    let mut bytes = whole.clone();
    bytes[newer + 20] ^= 1;
    assert_eq!(read(&bytes), (1, None), "what was passed since is passed again");
    assert_eq!(read(&whole[..newer + 20]), (1, None));
    bytes[20] ^= 1;
    assert_eq!(read(&bytes), (0, Some(Doubt::Torn)));
    assert_eq!(read(&[]), (0, Some(Doubt::Torn)));
    assert_eq!(read(&whole), (2, None));
}

#[tokio::test]
async fn a_cursor_of_another_directory_begins_at_the_oldest_and_says_so() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut cursor, _) = three(one.path()).await.cursor();
    cursor.advance(2).unwrap();
    drop(three(other.path()).await);
    fs::copy(one.path().join("cursor"), other.path().join("cursor")).unwrap();
    let (cursor, doubt) = Cursor::open(other.path());
    assert_eq!((cursor.passed(), doubt), (0, Some(Doubt::Foreign)));
}

#[tokio::test]
async fn a_record_never_gets_a_number_that_was_passed_though_the_disk_has_lost_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut cursor, _) = three(dir.path()).await.cursor();
    cursor.advance(3).unwrap();
    File::options().write(true).open(&segments(dir.path())[0]).unwrap().set_len(40).unwrap();
    let (journal, _) = open(dir.path());
    assert!(journal.append(&record(4)).await.unwrap() > 3);
}

#[tokio::test]
async fn a_death_or_a_full_disk_at_any_step_leaves_the_place_before_or_the_new_one() {
    // The first time the file is made, later it is overwritten.
    for (before, step, stands) in
        [(0, 0, 0), (0, 1, 0), (0, 2, 3), (0, 3, 3), (1, 0, 1), (1, 1, 3), (2, 0, 2), (2, 1, 3)]
    {
        let dir = tempfile::tempdir().unwrap();
        let (mut cursor, _) = three(dir.path()).await.cursor();
        for passed in 1..=before {
            cursor.advance(passed).unwrap();
        }
        let moved = cursor.advance_on(&mut MockDyingDisk { steps: step }, 3);
        assert_eq!(moved.is_ok(), step == if before == 0 { 3 } else { 1 });
        assert_eq!(
            cursor.passed(),
            if moved.is_ok() { 3 } else { before },
            "what is not durable is not relied on"
        );
        let (journal, found) = open(dir.path());
        assert_eq!(found.left, []);
        let (mut cursor, doubt) = journal.cursor();
        assert_eq!(
            (cursor.passed(), doubt),
            (stands, (stands == 0).then_some(Doubt::Missing)),
            "{before}, {step}"
        );
        cursor.advance(3).unwrap();
    }
}

/// A disk that is full: what takes room is refused.
struct MockFullDisk;

impl Disk for MockFullDisk {
    fn create(&mut self, _: &Path) -> io::Result<File> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn append(&mut self, _: &File, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn rename(&mut self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[tokio::test]
async fn a_full_disk_takes_the_cursor_and_is_emptied_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 400, ..Options::default() };
    let (journal, _) = open_with(dir.path(), options.clone()).unwrap();
    for number in 1..=30 {
        journal.append(&record(number)).await.unwrap();
    }
    journal.cursor().0.advance(1).unwrap();
    drop(journal);
    let before = segments(dir.path()).len();
    let (journal, _) = open_on(Box::new(MockFullDisk), dir.path(), options).unwrap();
    let (mut cursor, _) = journal.cursor();
    cursor.advance_on(&mut MockFullDisk, 20).unwrap();
    journal.hand_back(&cursor);
    eventually("the removal", || segments(dir.path()).len() < before / 2).await;
    drop(journal);
    assert_eq!(sequences(dir.path()).last(), Some(&30));
}

/// What happens to a journal and to whoever reads it.
#[derive(Debug, Clone)]
enum Step {
    Append(u8),
    /// So many records are read and passed on.
    Read(u8),
    /// The cursor is moved behind them, and what it passed is handed back; with a number, that step is the last.
    Advance(Option<u32>),
    /// The process dies, and the next one opens.
    Kill,
    /// It dies, and the cursor is torn.
    Tear(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..12_u8).prop_map(Step::Append),
        4 => (1..12_u8).prop_map(Step::Read),
        3 => prop_oneof![3 => Just(None), 1 => (0..3_u32).prop_map(Some)].prop_map(Step::Advance),
        2 => Just(Step::Kill),
        1 => any::<prop::sample::Index>().prop_map(Step::Tear),
    ];
    prop::collection::vec(step, 1..20)
}

/// A process that reads a journal and passes its records on.
struct Process {
    journal: Journal,
    cursor: Cursor,
    reader: Reader,
    /// The last number that was read.
    read: u64,
}

impl Process {
    fn start(dir: &Path) -> Self {
        let options = Options { segment_bytes: 400, ..Options::default() };
        let (journal, found) = open_with(dir, options).unwrap();
        assert_eq!((found.lost, found.left), (0, vec![]));
        let (cursor, _) = journal.cursor();
        let read = cursor.passed();
        let reader = Reader::open(dir, read + 1).unwrap();
        Self { journal, cursor, reader, read }
    }

    /// Reads a record; none that nobody has passed on lies before it.
    fn read(&mut self, passed: &mut u64) -> bool {
        let Some(entry) = self.reader.read().unwrap() else { return false };
        assert!(entry.sequence <= *passed + 1, "{} was skipped: {}", *passed + 1, entry.sequence);
        assert_eq!(self.reader.lost(), 0);
        self.read = entry.sequence;
        *passed = (*passed).max(entry.sequence);
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_no_record_is_skipped_that_was_not_passed_on(steps in steps()) {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut given, mut passed) = (0, 0);
        let mut process = Process::start(dir);
        for step in &steps {
            match step {
                Step::Append(count) => for _ in 0..*count {
                    given += 1;
                    assert_eq!(runtime.block_on(process.journal.append(&record(given))).unwrap(), given);
                },
                Step::Read(count) => {
                    let _all = (0..*count).all(|_| process.read(&mut passed));
                }
                Step::Advance(None) => {
                    process.cursor.advance(process.read).unwrap();
                    process.journal.hand_back(&process.cursor);
                }
                Step::Advance(Some(step)) => {
                    let to = process.read;
                    drop(process.cursor.advance_on(&mut MockDyingDisk { steps: *step }, to));
                    process.journal.hand_back(&process.cursor);
                    drop(process);
                    process = Process::start(dir);
                }
                Step::Kill => {
                    drop(process);
                    process = Process::start(dir);
                }
                Step::Tear(at) => {
                    drop(process);
                    if let Ok(cursor) = fs::read(dir.join("cursor")) {
                        fs::write(dir.join("cursor"), &cursor[..at.index(cursor.len())]).unwrap();
                    }
                    process = Process::start(dir);
                }
            }
        }
        while process.read(&mut passed) {}
        prop_assert_eq!(passed, given);
    }
}

//! What of a journal goes, and that its numbers go on.

use super::*;
use crate::journal::{Keep, Notice, Removed};
use jiff::Timestamp;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// Records of one segment, about.
pub(super) const SMALL: u64 = 400;

fn keeping(keep: Keep) -> (Options, Arc<Mutex<Vec<Removed>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&heard);
    let observer = move |notice: Notice| {
        if let Notice::Removed(removed) = notice {
            list.lock().push(removed);
        }
    };
    let options =
        Options { segment_bytes: SMALL, keep, observer: Some(Arc::new(observer)), ..Options::default() };
    (options, heard)
}

pub(super) async fn append(journal: &Journal, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        assert_eq!(journal.append(&record(number)).await.unwrap(), number);
    }
}

/// The findings of a start; nothing wrong is told.
pub(super) fn well(dir: &Path) -> Recovered {
    let found = Claim::take(dir).unwrap().recover().unwrap();
    assert_eq!((found.lost, &found.damaged[..], &found.left[..]), (0, &[][..], &[][..]));
    assert_eq!(found.cut, None);
    found
}

#[tokio::test]
async fn what_is_over_the_size_goes_oldest_first_and_the_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let (options, heard) = keeping(Keep { bytes: Some(4000), ..Keep::default() });
    let (journal, _) = open_with(dir.path(), options.clone()).unwrap();
    append(&journal, 1..=200).await;
    assert!(bytes(&journal) < 5000);
    drop(journal);
    let left = sequences(dir.path());
    assert_eq!(left.last(), Some(&200));
    assert!((5..60).contains(&left.len()), "{left:?}");
    let removed = heard.lock().clone();
    assert_eq!(removed[0].first, 1);
    assert!(removed.windows(2).all(|two| two[0].last + 1 == two[1].first), "{removed:?}");
    assert_eq!(removed.last().unwrap().last + 1, left[0]);
    assert_eq!(removed.iter().map(|one| one.records.unwrap()).sum::<u64>(), left[0] - 1);
    assert!(removed.iter().all(|one| one.oldest_ms == 1_700_000_000_000 && one.newest_ms == one.oldest_ms));
    let found = well(dir.path());
    assert_eq!(found.next_sequence, 201);
    let (journal, _) = open_with(dir.path(), options).unwrap();
    append(&journal, 201..=210).await;
}

#[tokio::test]
async fn without_a_word_nothing_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (options, heard) = keeping(Keep::default());
    let (journal, _) = open_with(dir.path(), options).unwrap();
    append(&journal, 1..=100).await;
    drop(journal);
    assert_eq!(sequences(dir.path()).len(), 100);
    assert_eq!(*heard.lock(), []);
}

static NOW: AtomicI64 = AtomicI64::new(0);

fn mock_clock() -> Timestamp {
    Timestamp::from_millisecond(NOW.load(Ordering::SeqCst)).unwrap()
}

/// One test of all that the clock does, for there is one clock.
#[tokio::test]
async fn what_is_too_old_goes_and_a_step_of_the_clock_takes_nothing_younger() {
    const DAY: i64 = 24 * 3600 * 1000;
    let start = 1_700_000_000_000;
    let dir = tempfile::tempdir().unwrap();
    let (mut options, heard) = keeping(Keep { age: Some(Duration::from_hours(24 * 10)), ..Keep::default() });
    options.clock = mock_clock;
    let at = |number, day: i64| Record { timestamp_ms: start + day * DAY, ..record(number) };
    let put = async |day: i64, numbers: std::ops::RangeInclusive<u64>| {
        NOW.store(start + day * DAY, Ordering::SeqCst);
        let (journal, _) = open_with(dir.path(), options.clone()).unwrap();
        for number in numbers {
            assert_eq!(journal.append(&at(number, day)).await.unwrap(), number);
        }
    };
    let numbers = || {
        let mut reader = Reader::open(dir.path(), 0).unwrap();
        let mut found = Vec::new();
        while let Some(entry) = reader.read().unwrap() {
            found.push(entry.sequence);
        }
        found
    };
    put(0, 1..=1).await;
    put(9, 2..=2).await;
    put(11, 3..=3).await;
    assert_eq!(numbers(), [2, 3], "the first is older than ten days");
    // The clock steps back: what comes now seems older than what stands there.
    put(1, 4..=4).await;
    put(13, 5..=5).await;
    assert_eq!(numbers(), [2, 3, 4, 5], "the fourth seems old, and younger ones stand before it");
    put(20, 6..=6).await;
    assert_eq!(numbers(), [3, 4, 5, 6]);
    // After a long rest all is past, and nothing tells the numbers but the note.
    NOW.store(start + 100 * DAY, Ordering::SeqCst);
    eventually("the last segment's end", || {
        drop(open_with(dir.path(), options.clone()).unwrap());
        segments(dir.path()).is_empty()
    })
    .await;
    assert_eq!(heard.lock().last().unwrap().last, 6);
    assert_eq!(well(dir.path()).next_sequence, 7);
    put(100, 7..=8).await;
    assert_eq!(numbers(), [7, 8]);
    well(dir.path());
}

#[tokio::test]
async fn a_segment_that_fills_slowly_ends_by_age() {
    static LATER: AtomicI64 = AtomicI64::new(1_700_000_000_000);
    let dir = tempfile::tempdir().unwrap();
    let (mut options, _) = keeping(Keep { age: Some(Duration::from_mins(80)), ..Keep::default() });
    options.clock = || Timestamp::from_millisecond(LATER.load(Ordering::SeqCst)).unwrap();
    options.segment_bytes = 1 << 20;
    let (journal, _) = open_with(dir.path(), options).unwrap();
    append(&journal, 1..=2).await;
    assert_eq!(segments(dir.path()).len(), 1);
    LATER.fetch_add(11 * 60_000, Ordering::SeqCst);
    journal.queue.pass(0);
    append(&journal, 3..=4).await;
    eventually("a second segment", || segments(dir.path()).len() == 2).await;
}

#[tokio::test]
async fn a_journal_that_is_full_makes_room_by_what_is_past() {
    static LATER: AtomicI64 = AtomicI64::new(1_700_000_000_000);
    let dir = tempfile::tempdir().unwrap();
    let (mut options, heard) = keeping(Keep { age: Some(Duration::from_hours(1)), ..Keep::default() });
    options.clock = || Timestamp::from_millisecond(LATER.load(Ordering::SeqCst)).unwrap();
    options.max_bytes = Some(3000);
    let (journal, _) = open_with(dir.path(), options).unwrap();
    let mut next = 1;
    while journal.append(&record(next)).await.is_ok() {
        next += 1;
    }
    assert!(next > 10 && heard.lock().is_empty(), "what is not past stays, and what comes is refused");
    LATER.fetch_add(2 * 3_600_000, Ordering::SeqCst);
    eventually("room", || journal.look().is_ok()).await;
    append(&journal, next..=next + 3).await;
    assert!(!heard.lock().is_empty());
}

#[tokio::test]
async fn a_segment_that_is_missing_behind_what_was_removed_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let (options, heard) = keeping(Keep { bytes: Some(4000), ..Keep::default() });
    let (journal, _) = open_with(dir.path(), options).unwrap();
    append(&journal, 1..=100).await;
    drop(journal);
    let oldest = heard.lock().last().unwrap().last + 1;
    fs::remove_file(&segments(dir.path())[0]).unwrap();
    let next = sequences(dir.path())[0];
    let found = Claim::take(dir.path()).unwrap().recover().unwrap();
    assert_eq!(found.lost, next - oldest);
}

#[tokio::test]
async fn a_reader_that_stands_where_all_was_removed_is_told_and_goes_on_at_the_oldest() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: SMALL, ..Options::default() };
    let (journal, _) = open_with(dir.path(), options).unwrap();
    append(&journal, 1..=30).await;
    let mut standing = Reader::open(dir.path(), 0).unwrap();
    assert_eq!(standing.read().unwrap().unwrap().sequence, 1);
    let (mut cursor, _) = journal.cursor();
    cursor.advance(20).unwrap();
    let first = segments(dir.path())[0].clone();
    journal.hand_back(&cursor);
    eventually("the removal", || !first.exists()).await;
    drop(journal);
    let left = sequences(dir.path());
    let mut read = vec![1];
    while let Some(entry) = standing.read().unwrap() {
        read.push(entry.sequence);
    }
    // What was open when it was removed is still read to its end.
    let skipped = left[0] - 1 - u64::try_from(read.iter().filter(|one| **one < left[0]).count()).unwrap();
    assert!(read.ends_with(&left) && skipped > 0, "{read:?}");
    assert_eq!((standing.removed(), standing.lost()), (skipped, 0));
    let mut late = Reader::open(dir.path(), 3).unwrap();
    assert_eq!(late.read().unwrap().unwrap().sequence, left[0]);
    assert_eq!((late.removed(), late.lost()), (left[0] - 3, 0));
}

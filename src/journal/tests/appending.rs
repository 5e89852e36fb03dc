//! Appending on a disk that works.

use super::*;
use crate::journal::{Commit, Notice};
use futures_util::future::join_all;
use parking_lot::Mutex;

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_appends_are_all_acknowledged_in_one_sequence() {
    const TASKS: u64 = 16;
    const EACH: u64 = 50;
    let dir = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(dir.path()).0);
    let tasks = (0..TASKS).map(|task| {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0..EACH {
                let record = record(task * EACH + number);
                acknowledged.push((journal.append(&record).await.unwrap(), record));
            }
            assert!(acknowledged.is_sorted_by_key(|(sequence, _)| *sequence));
            acknowledged
        })
    });
    let mut acknowledged: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    acknowledged.sort_by_key(|(sequence, _)| *sequence);
    let mut reader = Reader::open(dir.path(), 1).unwrap();
    for (expected, (sequence, record)) in (1..).zip(acknowledged) {
        let entry = reader.read().unwrap().unwrap();
        assert_eq!((entry.sequence, sequence), (expected, expected));
        assert_eq!(entry.record, record);
    }
    assert_eq!(reader.read().unwrap(), None);
}

#[tokio::test]
async fn what_waits_shares_one_commit_and_the_observer_hears_of_it() {
    const COUNT: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let commits = Arc::new(Mutex::new(Vec::<Commit>::new()));
    let heard = Arc::clone(&commits);
    let hear = move |notice| {
        if let Notice::Group(commit) = notice {
            heard.lock().push(commit);
        }
    };
    let options = Options { observer: Some(Arc::new(hear)), ..Options::default() };
    let (journal, _) = open_with(dir.path(), options).unwrap();
    let appends: Vec<_> = (1..=COUNT).map(|number| journal.append(&record(number))).collect();
    for (expected, outcome) in (1..).zip(join_all(appends).await) {
        assert_eq!(outcome.unwrap(), expected, "the order is that of the calls");
    }
    let commits = commits.lock();
    assert!(commits.iter().all(|commit| commit.durable));
    assert!(commits.len() < 200, "no group held two records");
    let stored: u64 = segments(dir.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(bytes(&journal), stored);
    assert_eq!(commits.iter().map(|commit| commit.grown).sum::<u64>(), stored);
}

#[tokio::test]
async fn a_full_journal_refuses_and_drops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options { max_bytes: Some(4000), segment_bytes: 1000, ..Options::default() };
    let (journal, _) = open_with(dir.path(), options()).unwrap();
    let mut stored = Vec::new();
    let error = loop {
        match journal.append(&record(u64::try_from(stored.len()).unwrap() + 1)).await {
            Ok(sequence) => stored.push(sequence),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Full { max_bytes: 4000, .. }), "{error}");
    assert!(stored.len() > 10, "only {} records fit", stored.len());
    assert!(bytes(&journal) <= 4000);
    drop(journal);
    let (journal, recovered) = open_with(dir.path(), options()).unwrap();
    assert!(matches!(journal.append(&record(1)).await, Err(JournalError::Full { .. })));
    assert_eq!(recovered.bytes, bytes(&journal));
    assert_eq!(sequences(dir.path()), stored);
}

#[tokio::test]
async fn a_full_journal_says_so_until_somebody_has_made_room() {
    let dir = tempfile::tempdir().unwrap();
    let refused = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&refused);
    let hear = move |notice| *counted.lock() += u64::from(matches!(notice, Notice::Full));
    let options = Options {
        max_bytes: Some(4000),
        segment_bytes: 1000,
        observer: Some(Arc::new(hear)),
        ..Options::default()
    };
    let (journal, _) = open_with(dir.path(), options).unwrap();
    assert!(!journal.is_troubled());
    let mut number = 0;
    while journal.append(&record(number + 1)).await.is_ok() {
        number += 1;
    }
    assert!(journal.is_troubled());
    assert!(matches!(journal.look(), Err(JournalError::Full { .. })), "nothing has changed");
    assert_eq!(*refused.lock(), 1);
    fs::remove_file(&segments(dir.path())[0]).unwrap();
    journal.look().unwrap();
    assert!(!journal.is_troubled());
    assert_eq!(journal.append(&record(number + 1)).await.unwrap(), number + 1);
    let stored: u64 = segments(dir.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(bytes(&journal), stored);
}

#[tokio::test]
async fn an_append_that_nobody_waits_for_is_written_before_the_journal_closes() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for number in 1..=20 {
        drop(journal.append(&record(number)));
    }
    drop(journal);
    assert_eq!(sequences(dir.path()), (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_record_over_the_limit_is_refused_before_it_is_queued() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let large = Record { value: Bytes::from(vec![0; 64 * 1024 * 1024]), ..record(1) };
    assert!(matches!(journal.append(&large).await, Err(JournalError::TooLarge { .. })));
    assert_eq!(journal.append(&record(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_start_without_an_append_leaves_no_segment() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        open(dir.path());
    }
    assert_eq!(segments(dir.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_comes_after_a_segment_was_removed_stands_in_another() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    assert_eq!(journal.append(&record(1)).await.unwrap(), 1);
    fs::remove_file(&segments(dir.path())[0]).unwrap();
    assert_eq!(journal.append(&record(2)).await.unwrap(), 2);
    assert_eq!(sequences(dir.path()), [2]);
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(journal.append(&record(3)).await.is_err(), "there is no place to write to");
}

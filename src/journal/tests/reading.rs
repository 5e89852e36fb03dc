//! Reading, beside a writer and alone.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_follows_a_live_writer_over_many_segments() {
    const COUNT: u64 = 400;
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 2048, ..Options::default() };
    let (journal, _) = open_with(dir.path(), options).unwrap();
    let mut reader = Reader::open(dir.path(), 1).unwrap();
    assert_eq!(reader.read().unwrap(), None, "nothing is there yet");
    let writer = tokio::spawn(async move {
        for number in 1..=COUNT {
            journal.append(&record(number)).await.unwrap();
        }
    });
    let mut next = 1;
    eventually("the last record", || {
        while let Some(entry) = reader.read().unwrap() {
            assert_eq!((entry.sequence, entry.record), (next, record(next)));
            next += 1;
        }
        next > COUNT
    })
    .await;
    writer.await.unwrap();
    assert_eq!(reader.read().unwrap(), None);
    assert_eq!(reader.lost(), 0);
    assert!(segments(dir.path()).len() > 10, "the writer was to begin many segments");
}

#[tokio::test]
async fn a_reader_begins_where_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 1..=3).await;
    write(dir.path(), 4..=6).await;
    for from in 0..=7 {
        let mut reader = Reader::open(dir.path(), from).unwrap();
        let first = reader.read().unwrap().map(|entry| entry.sequence);
        assert_eq!(first, (from <= 6).then_some(from.max(1)), "from {from}");
    }
}

#[tokio::test]
async fn a_reader_sees_what_comes_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 1..=1).await;
    let mut reader = Reader::open(dir.path(), 1).unwrap();
    assert_eq!(reader.read().unwrap().unwrap().sequence, 1);
    assert_eq!(reader.read().unwrap(), None);
    write(dir.path(), 2..=2).await;
    assert_eq!(reader.read().unwrap().unwrap().sequence, 2);
    assert_eq!(reader.read().unwrap(), None);
}

#[tokio::test]
async fn a_record_larger_than_the_read_buffer_comes_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let large = Record { value: Bytes::from(vec![0xF7; 3_000_000]), ..record(2) };
    let (journal, _) = open(dir.path());
    journal.append(&record(1)).await.unwrap();
    journal.append(&large).await.unwrap();
    journal.append(&record(3)).await.unwrap();
    let mut reader = Reader::open(dir.path(), 2).unwrap();
    assert_eq!(reader.read().unwrap().unwrap().record, large);
    assert_eq!(reader.read().unwrap().unwrap().record, record(3));
}

#[test]
fn a_directory_that_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("nowhere");
    let error = Reader::open(&missing, 1).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

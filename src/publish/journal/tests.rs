//! The journal as a sink: opened by its check, and honest about what it can't take.

use super::*;
use bytes::Bytes;
use std::{path::Path, sync::mpsc};

fn record(bytes: usize) -> Record {
    Record {
        destination: "".into(),
        key: None,
        headers: Vec::new(),
        value: Bytes::from(vec![b'x'; bytes]),
        timestamp_ms: 0,
        in_turn: false,
        message_id: String::new(),
    }
}

fn opening(dir: &Path, max_bytes: Option<u64>, finder: Finder) -> JournalSink {
    let options = Options { max_bytes, ..Options::default() };
    JournalSink::opening(Claim::take(dir).unwrap(), options, finder, dir.display().to_string())
}

async fn publish(sink: &Arc<JournalSink>, record: Record) -> Result<Ack, PublishError> {
    Arc::clone(sink).publish(record).await
}

#[tokio::test]
async fn nothing_is_taken_before_what_stands_there_was_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let (found, heard) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let finder = move |recovered: &Recovered| {
        found.send(recovered.records).unwrap();
        wait.recv().unwrap();
    };
    let sink = Arc::new(opening(dir.path(), None, Box::new(finder)));
    let preparing = Arc::clone(&sink);
    let prepared = tokio::spawn(async move { preparing.prepare().await });
    tokio::task::yield_now().await;
    // The runtime has one thread, and it is free while the journal is looked at.
    assert!(matches!(publish(&sink, record(1)).await, Err(PublishError::Unprepared(_))));
    go_on.send(()).unwrap();
    prepared.await.unwrap().unwrap();
    assert_eq!(heard.try_recv(), Ok(0));
    assert_eq!(publish(&sink, record(1)).await, Ok(Ack::Journal { sequence: 1 }));
    sink.prepare().await.unwrap();
    assert!(heard.try_recv().is_err(), "it is opened once");
}

#[tokio::test]
async fn a_directory_that_is_taken_or_newer_fails_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let _sink = opening(dir.path(), None, Box::new(|_| {}));
    assert!(matches!(Claim::take(dir.path()), Err(JournalError::Locked { .. })));
}

#[tokio::test]
async fn a_full_journal_fails_its_check_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let sink = Arc::new(opening(dir.path(), Some(2000), Box::new(|_| {})));
    sink.prepare().await.unwrap();
    publish(&sink, record(1000)).await.unwrap();
    let refused = publish(&sink, record(1000)).await.unwrap_err();
    assert_eq!(refused.reason(), "full", "{refused}");
    assert_eq!(sink.prepare().await.unwrap_err().reason(), "full");
    publish(&sink, record(10)).await.unwrap();
    sink.prepare().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_takes_nothing_fails_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let sink = Arc::new(opening(dir.path(), None, Box::new(|_| {})));
    sink.prepare().await.unwrap();
    std::fs::remove_dir_all(dir.path()).unwrap();
    assert_eq!(publish(&sink, record(1)).await.unwrap_err().reason(), "io");
    assert_eq!(sink.prepare().await.unwrap_err().reason(), "io");
    std::fs::create_dir(dir.path()).unwrap();
    sink.prepare().await.unwrap();
    publish(&sink, record(1)).await.unwrap();
}

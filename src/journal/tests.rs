//! Tests of the whole journal on real files, and what they share.

mod appending;
mod cursor;
mod dying;
mod failing;
mod model;
mod reading;
mod recovery;
mod retention;
mod sealed;

use super::{
    Claim, Journal, JournalError, Options, Reader, Recovered,
    disk::{Disk, LocalDisk},
};
use crate::record::Record;
use bytes::Bytes;
use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How long a condition may take; far beyond what any test needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A record that can be told from the others by `number`.
fn record(number: u64) -> Record {
    Record {
        destination: Arc::from("hotel.reservations"),
        key: Some(format!("RESERVATION/{number}")),
        headers: vec![(Cow::Borrowed("content-type"), "application/json".into())],
        value: Bytes::from(format!("{{\"number\":{number}}}")),
        timestamp_ms: 1_700_000_000_000,
        in_turn: false,
        message_id: format!("id-{number}"),
    }
}

fn open(dir: &Path) -> (Journal, Recovered) {
    open_with(dir, Options::default()).unwrap()
}

fn open_with(dir: &Path, options: Options) -> Result<(Journal, Recovered), JournalError> {
    open_on(Box::new(LocalDisk), dir, options)
}

fn open_on(disk: Box<dyn Disk>, dir: &Path, options: Options) -> Result<(Journal, Recovered), JournalError> {
    let claim = Claim::take(dir)?;
    let recovered = claim.recover()?;
    Ok((claim.open_on(disk, &recovered, options)?, recovered))
}

/// What the journal believes to take on disk.
fn bytes(journal: &Journal) -> u64 {
    journal.queue.state.lock().bytes
}

fn failures_in_a_row(journal: &Journal) -> u32 {
    journal.queue.state.lock().failures_in_a_row
}

/// Opens, appends `record(n)` for each number, closes.
async fn write(dir: &Path, numbers: impl IntoIterator<Item = u64>) {
    let (journal, _) = open(dir);
    for number in numbers {
        assert_eq!(journal.append(&record(number)).await.unwrap(), number);
    }
}

/// Reads all that is there; every record must be whole, in order and the one that its sequence names.
fn sequences(dir: &Path) -> Vec<u64> {
    let mut reader = Reader::open(dir, 1).unwrap();
    let mut found: Vec<u64> = Vec::new();
    while let Some(entry) = reader.read().unwrap() {
        assert_eq!(entry.record, record(entry.sequence));
        assert!(found.last().is_none_or(|last| *last < entry.sequence), "out of order: {found:?}");
        found.push(entry.sequence);
    }
    found
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        names.filter(|path| path.extension().is_some_and(|kind| kind == "segment")).collect();
    paths.sort();
    paths
}

/// Waits for a condition, and fails when it takes too long.
async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen within {PATIENCE:?}");
        tokio::task::yield_now().await;
    }
}

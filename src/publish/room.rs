//! How much one sink may hold that it has not answered yet, so that one that is dead starves no other.
//!
//! What a sink takes its time over outlives the request that brought it, for a minute at most. From the answer on its
//! place no longer counts against its source, and so it is bounded here: in bytes always, and in number once the sink
//! is silent for longer than a sender waits. Then new events are refused at once and keep no place of their source.

use crate::record::Record;
use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// Bytes that a sink holds at most, with what waits beside each record.
pub const MOST_BYTES: u64 = 64 << 20;

/// What waits beside a record: its event, its request's head, the work on it.
const BESIDE: u64 = 8192;

/// Records that a silent sink holds at most.
const MOST_SILENT: usize = 256;

/// From here on a sink is silent: by then senders hear 503 for what it holds.
const SILENCE: Duration = Duration::from_secs(4);

/// What one sink holds.
#[derive(Debug)]
pub(super) struct Room {
    since: Instant,
    records: AtomicUsize,
    bytes: AtomicU64,
    /// When the sink answered last, or took its first record after a time without any; in milliseconds of `since`.
    heard: AtomicU64,
}

/// A record's part of the room.
pub(super) struct Held<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    pub(super) fn new() -> Self {
        let (records, bytes, heard) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { since: Instant::now(), records, bytes, heard }
    }

    /// Takes room for a record, or `None` where there is none.
    pub(super) fn take(&self, record: &Record, now: Instant) -> Option<Held<'_>> {
        let bytes = u64::try_from(record.size()).unwrap_or(u64::MAX).saturating_add(BESIDE);
        let records = self.records.fetch_add(1, Ordering::Relaxed);
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let held = Held { room: self, bytes };
        if records == 0 {
            self.hear(now);
        }
        // One record always fits, however large it is.
        let is_full = records > 0 && before.saturating_add(bytes) > MOST_BYTES;
        let is_silent = records >= MOST_SILENT && self.silence(now) >= SILENCE;
        (!is_full && !is_silent).then_some(held)
    }

    fn hear(&self, now: Instant) {
        let at = u64::try_from(now.duration_since(self.since).as_millis()).unwrap_or(u64::MAX);
        self.heard.store(at, Ordering::Relaxed);
    }

    fn silence(&self, now: Instant) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        now.duration_since(self.since).saturating_sub(heard)
    }
}

impl Held<'_> {
    /// Notes that the sink has answered, whatever it said.
    pub(super) fn heard(&self, now: Instant) {
        self.room.hear(now);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.room.records.fetch_sub(1, Ordering::Relaxed);
        self.room.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(bytes: usize) -> Record {
        Record {
            destination: "a".into(),
            key: None,
            headers: Vec::new(),
            value: vec![0; bytes].into(),
            timestamp_ms: 0,
            in_turn: false,
            message_id: String::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_sink_takes_few_records_and_one_that_answers_takes_many() {
        let (room, small) = (Room::new(), record(10));
        tokio::time::advance(SILENCE * 10).await;
        let mut held = Vec::new();
        let take = |n: usize| (0..n).filter_map(|_| room.take(&small, Instant::now())).collect::<Vec<_>>();
        held.extend(take(4 * MOST_SILENT));
        assert_eq!(held.len(), 4 * MOST_SILENT, "an idle time is no silence");
        tokio::time::advance(SILENCE).await;
        assert!(take(1).is_empty(), "now it is silent");
        held.truncate(MOST_SILENT - 1);
        assert_eq!(take(2).len(), 1, "what it gives up leaves room for as much");
        held.extend(take(1));
        held[0].heard(Instant::now());
        assert_eq!(take(1).len(), 1, "it answers");
        drop(held);
        assert_eq!((room.records.load(Ordering::Relaxed), room.bytes.load(Ordering::Relaxed)), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_holds_so_many_bytes_and_always_one_record() {
        let room = Room::new();
        let huge = record(100 << 20);
        let held = room.take(&huge, Instant::now());
        assert!(held.is_some());
        assert!(room.take(&record(1), Instant::now()).is_none());
        drop(held);
        let large = record(1 << 20);
        let held: Vec<_> = (0..100).map_while(|_| room.take(&large, Instant::now())).collect();
        assert_eq!(held.len(), 63, "64 MiB with what waits beside each");
    }
}

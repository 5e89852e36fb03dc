//! How much one sink may hold that it has not answered yet, so that one that is dead starves no other.
//!
//! What a sink takes its time over outlives the request that brought it, for a minute at most. From the answer on its
//! place no longer counts against its source, and so it is bounded here.

use crate::record::Record;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that a sink holds at most, with what waits beside each record.
pub const MOST_BYTES: u64 = 64 << 20;

/// What waits beside a record: its event, its request's head, the work on it.
const BESIDE: u64 = 8192;

/// What one sink holds.
#[derive(Debug, Default)]
pub(super) struct Room {
    bytes: AtomicU64,
}

/// A record's part of the room.
pub(super) struct Share<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    /// Takes room for a record, or `None` where there is none.
    pub(super) fn take(&self, record: &Record) -> Option<Share<'_>> {
        let bytes = u64::try_from(record.size()).unwrap_or(u64::MAX).saturating_add(BESIDE);
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let share = Share { room: self, bytes };
        // One record always fits, however large it is.
        (before == 0 || before.saturating_add(bytes) <= MOST_BYTES).then_some(share)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
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

    #[test]
    fn a_sink_holds_so_many_bytes_and_always_one_record() {
        let room = Room::default();
        let share = room.take(&record(100 << 20));
        assert!(share.is_some());
        assert!(room.take(&record(1)).is_none());
        drop(share);
        let large = record(1 << 20);
        let shares: Vec<_> = (0..100).map_while(|_| room.take(&large)).collect();
        assert_eq!(shares.len(), 63, "64 MiB with what waits beside each");
        drop(shares);
        assert_eq!(room.bytes.load(Ordering::Relaxed), 0);
    }
}

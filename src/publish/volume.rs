//! How much may wait on disk for all destinations together.

use crate::journal::JournalError;
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// The bytes of all backlogs together.
#[derive(Debug, Default)]
pub(super) struct Volume {
    used: AtomicU64,
    most: Option<u64>,
}

impl Volume {
    pub(super) fn new(most: Option<u64>) -> Self {
        Self { used: AtomicU64::new(0), most }
    }

    /// Tells whether so many bytes have room.
    pub(super) fn admit(&self, bytes: usize, dir: &Path) -> Result<(), JournalError> {
        let Some(max_bytes) = self.most else { return Ok(()) };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let is_over = self.used.load(Ordering::Relaxed).saturating_add(bytes) > max_bytes;
        if is_over { Err(JournalError::Full { dir: dir.to_path_buf(), max_bytes }) } else { Ok(()) }
    }

    pub(super) fn grow(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn shrink(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // It never fails: every number has one that is less.
        let _before = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

//! The log's word on ids that events share: one line a minute for each source, however many there are.

use super::rarely::Rarely;
use parking_lot::Mutex;
use std::time::Duration;

/// How long one line stands for all.
const PAUSE: Duration = Duration::from_mins(1);

/// Writes the lines of one source.
#[derive(Debug, Default)]
pub struct ConflictLog(Mutex<Rarely>);

impl ConflictLog {
    /// Writes the line about an event whose id is another's too, unless there was one just now.
    pub fn note(&self, source: &str, id: &str) {
        let Some(left_out) = self.0.lock().admit(PAUSE) else { return };
        let left_out = (left_out > 0).then_some(left_out);
        tracing::warn!(
            source,
            id,
            left_out,
            "two events have one id: both are published, and the later one is marked `hookwayidconflict`; an id that \
             tells them apart belongs into `event.id`"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_source_that_shares_ids_writes_one_line_a_minute() {
        let log = ConflictLog::default();
        let admit = || log.0.lock().admit(PAUSE);
        assert_eq!(admit(), Some(0));
        assert!((0..40).all(|_| admit().is_none()));
        tokio::time::advance(PAUSE).await;
        assert_eq!((admit(), admit()), (Some(40), None));
    }
}

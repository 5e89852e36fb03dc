//! The log's word on ids that events share: one line a minute for each source, however many there are.

use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// How long one line stands for all.
const PAUSE: Duration = Duration::from_mins(1);

/// Writes the lines of one source.
#[derive(Debug, Default)]
pub struct ConflictLog(Mutex<Option<Turn>>);

/// The last line, and how many were left out since.
#[derive(Debug)]
struct Turn {
    at: Instant,
    left_out: u64,
}

impl ConflictLog {
    /// Writes the line about an event whose id is another's too, unless there was one just now.
    pub fn note(&self, source: &str, id: &str) {
        let Some(left_out) = self.admit() else { return };
        let left_out = (left_out > 0).then_some(left_out);
        tracing::warn!(
            source,
            id,
            left_out,
            "two events have one id: both are published, and the later one is marked `hookwayidconflict`; an id that \
             tells them apart belongs into `event.id`"
        );
    }

    /// Returns how many lines were left out before this one, or `None` when this one is left out too.
    fn admit(&self) -> Option<u64> {
        let now = Instant::now();
        let mut turn = self.0.lock();
        match &mut *turn {
            Some(turn) if now.duration_since(turn.at) < PAUSE => {
                turn.left_out += 1;
                None
            }
            turn => {
                let left_out = turn.as_ref().map_or(0, |turn| turn.left_out);
                *turn = Some(Turn { at: now, left_out: 0 });
                Some(left_out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_source_that_shares_ids_writes_one_line_a_minute() {
        let log = ConflictLog::default();
        assert_eq!(log.admit(), Some(0));
        assert!((0..40).all(|_| log.admit().is_none()));
        tokio::time::advance(PAUSE).await;
        assert_eq!((log.admit(), log.admit()), (Some(40), None));
    }
}

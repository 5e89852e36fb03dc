//! What a broker's client complains of, gathered into lines of ours with the broker's address: one when something goes
//! wrong, one a minute while it stays so, one when it is over. On their own the clients write a dozen a second while a
//! broker is away, and leave out which.

use crate::observe::rarely::Rarely;
use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Pause between two lines while the trouble lasts.
const PAUSE: Duration = Duration::from_mins(1);

/// The trouble is over once the broker answers and nothing was complained of for so long.
const QUIET: Duration = Duration::from_secs(5);

/// What the clients of one sink have complained of.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// Whom they speak to, in words: `kafka at 127.0.0.1:9092`.
    broker: String,
    trouble: Mutex<Option<Trouble>>,
}

/// A time in which a client complains.
#[derive(Debug)]
struct Trouble {
    since: Instant,
    last: Instant,
    lines: Rarely,
}

impl Complaints {
    /// Begins without any, about a broker at these addresses.
    pub(super) fn about(kind: &str, addresses: &str) -> Self {
        Self { broker: format!("{kind} at {addresses}"), trouble: Mutex::default() }
    }

    /// Takes a complaint.
    pub(super) fn add(&self, message: &str) {
        if let Some(left_out) = self.note() {
            tracing::warn!(left_out, "{}: {message}", self.broker);
        }
    }

    /// Notes that the broker answers.
    pub(super) fn answers(&self) {
        if let Some(trouble) = self.over(Instant::now()) {
            let (seconds, left_out) = (trouble.since.elapsed().as_secs(), trouble.lines.left_out);
            tracing::info!(seconds, left_out, "{} answers again", self.broker);
        }
    }

    fn note(&self) -> Option<u64> {
        let now = Instant::now();
        let mut trouble = self.trouble.lock();
        let begun = Trouble { since: now, last: now, lines: Rarely::default() };
        let known = trouble.get_or_insert(begun);
        known.last = now;
        known.lines.admit(PAUSE)
    }

    fn over(&self, now: Instant) -> Option<Trouble> {
        let mut trouble = self.trouble.lock();
        let is_over = trouble.as_ref().is_some_and(|known| now.duration_since(known.last) >= QUIET);
        is_over.then(|| trouble.take()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_one_line_then_one_a_minute_then_one() {
        let talk = Complaints::default();
        let begun = Instant::now();
        let mut written = Vec::new();
        for _ in 0..12 * 150 {
            if let Some(left_out) = talk.note() {
                written.push((begun.elapsed().as_secs(), left_out));
            }
            tokio::time::advance(Duration::from_secs(1) / 12).await;
        }
        let lines: Vec<u64> = written.iter().map(|(_, left_out)| *left_out).collect();
        assert_eq!(written.len(), 3, "{written:?}");
        assert!(
            lines[0] == 0 && (700..=720).contains(&lines[1]) && (700..=720).contains(&lines[2]),
            "{lines:?}"
        );
        assert!(
            talk.over(Instant::now()).is_none(),
            "as long as one of the clients complains, it is not over"
        );
        tokio::time::advance(QUIET).await;
        assert!(talk.over(Instant::now()).is_some_and(|trouble| trouble.lines.left_out > 300));
        assert!(talk.over(Instant::now()).is_none(), "said once");
        assert_eq!(talk.note(), Some(0), "the next outage is told at once");
    }
}

//! What librdkafka says of a cluster, gathered: one line when something goes wrong, one a minute while it stays so,
//! one when it is over. On its own it writes a dozen a second while a broker is away.

use parking_lot::Mutex;
use rdkafka::{
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
};
use std::time::Duration;
use tokio::time::Instant;

/// Pause between two lines while the trouble lasts.
const PAUSE: Duration = Duration::from_mins(1);

/// The trouble is over once the cluster answers and nothing was complained of for so long.
const QUIET: Duration = Duration::from_secs(5);

/// How long a refusal to let us in counts as the present state.
const FRESH: Duration = Duration::from_secs(15);

/// What the clients of one sink have complained of.
#[derive(Debug, Default)]
pub(super) struct Talk {
    trouble: Mutex<Option<Trouble>>,
    /// Why the brokers do not let us in, and when they said so last.
    refused: Mutex<Option<(Instant, String)>>,
}

/// A time in which librdkafka complains.
#[derive(Debug)]
struct Trouble {
    since: Instant,
    last: Instant,
    written: Instant,
    left_out: u64,
}

/// What is to be done with a line.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Written { left_out: u64 },
    LeftOut,
}

impl Talk {
    /// Takes a line of librdkafka's log.
    pub(super) fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            // A setting that is odd is told once, when the client starts, and is no trouble of the cluster's.
            _ if facility == "CONFWARN" => tracing::warn!(target: "rdkafka", facility, "{message}"),
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => self.complain(facility, message),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: "rdkafka", facility, "{message}");
            }
        }
    }

    /// Takes an error of a client as a whole.
    pub(super) fn error(&self, error: &KafkaError, reason: &str) {
        if matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::SSL
                    | RDKafkaErrorCode::Authentication
                    | RDKafkaErrorCode::SaslAuthenticationFailed
            )
        ) {
            *self.refused.lock() = Some((Instant::now(), reason.to_owned()));
        }
        self.complain(&error.to_string(), reason);
    }

    /// Returns why the brokers do not let us in, if that is what hinders us at present.
    pub(super) fn refused(&self) -> Option<String> {
        let refused = self.refused.lock();
        refused.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, reason)| reason.clone())
    }

    /// Notes that the cluster answers.
    pub(super) fn answers(&self) {
        if let Some(trouble) = self.over(Instant::now()) {
            let (seconds, left_out) = (trouble.since.elapsed().as_secs(), trouble.left_out);
            tracing::info!(target: "rdkafka", seconds, left_out, "kafka answers again");
        }
    }

    fn complain(&self, about: &str, message: &str) {
        match self.note(Instant::now()) {
            Line::LeftOut => {}
            Line::Written { left_out } => {
                tracing::warn!(target: "rdkafka", about, left_out, "kafka client: {message}");
            }
        }
    }

    fn note(&self, now: Instant) -> Line {
        let mut trouble = self.trouble.lock();
        let Some(known) = &mut *trouble else {
            *trouble = Some(Trouble { since: now, last: now, written: now, left_out: 0 });
            return Line::Written { left_out: 0 };
        };
        known.last = now;
        if now.duration_since(known.written) < PAUSE {
            known.left_out += 1;
            return Line::LeftOut;
        }
        known.written = now;
        Line::Written { left_out: std::mem::take(&mut known.left_out) }
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
        let talk = Talk::default();
        let begun = Instant::now();
        let mut written = Vec::new();
        for _ in 0..12 * 150 {
            if let Line::Written { left_out } = talk.note(Instant::now()) {
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
        assert!(talk.over(Instant::now()).is_some_and(|trouble| trouble.left_out > 300));
        assert!(talk.over(Instant::now()).is_none(), "said once");
        assert_eq!(
            talk.note(Instant::now()),
            Line::Written { left_out: 0 },
            "the next outage is told at once"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_to_let_us_in_is_known_for_a_while() {
        let talk = Talk::default();
        talk.error(&KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), "no answer");
        assert_eq!(talk.refused(), None);
        talk.error(&KafkaError::Global(RDKafkaErrorCode::Authentication), "wrong password");
        assert_eq!(talk.refused().as_deref(), Some("wrong password"));
        tokio::time::advance(FRESH).await;
        assert_eq!(talk.refused(), None);
    }
}

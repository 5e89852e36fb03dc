//! What librdkafka says of a cluster: complaints for the log, and why it can't be used at present.

use super::super::{PublishError, complaints::Complaints};
use parking_lot::Mutex;
use rdkafka::{
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode as Code},
};
use std::time::Duration;
use tokio::time::Instant;

/// How long what a client said last counts as the present state.
const FRESH: Duration = Duration::from_secs(15);

/// What the clients of one sink have said.
#[derive(Debug, Default)]
pub(super) struct Talk {
    complaints: Complaints,
    /// What hinders them, and when they said so last.
    hindrance: Mutex<Option<(Instant, PublishError)>>,
}

impl Talk {
    /// Begins with nothing said of the cluster at these addresses.
    pub(super) fn about(brokers: &str) -> Self {
        Self { complaints: Complaints::about("kafka", brokers), hindrance: Mutex::default() }
    }

    /// Takes a line of librdkafka's log.
    pub(super) fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            // A setting that is odd is told once, when the client starts, and is no trouble of the cluster's.
            _ if facility == "CONFWARN" => tracing::warn!(target: "rdkafka", facility, "{message}"),
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => self.complaints.add(plain(message)),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: "rdkafka", facility, "{message}");
            }
        }
    }

    /// Takes an error of a client as a whole.
    pub(super) fn error(&self, error: &KafkaError, reason: &str) {
        let reason = plain(reason);
        let why = match error.rdkafka_error_code() {
            Some(Code::SSL | Code::Authentication | Code::SaslAuthenticationFailed) => {
                Some(PublishError::Refused(reason.to_owned()))
            }
            // Why they are down was said of each.
            Some(Code::AllBrokersDown) => None,
            Some(_) | None => Some(PublishError::Unavailable(reason.to_owned())),
        };
        let mut hindrance = self.hindrance.lock();
        let is_refused = matches!(*hindrance, Some((at, PublishError::Refused(_))) if at.elapsed() < FRESH);
        if let Some(why) = why.filter(|why| !is_refused || matches!(why, PublishError::Refused(_))) {
            *hindrance = Some((Instant::now(), why));
        }
        drop(hindrance);
        self.complaints.add(reason);
    }

    /// Returns what stands behind an error: brokers that refuse us close the connection, which looks as if they were away,
    /// and of one that is away only the client says which it is and why.
    pub(super) fn cause(&self, error: PublishError) -> PublishError {
        let hindrance = self.hindrance.lock();
        match (&error, &*hindrance) {
            (PublishError::Unavailable(_), Some((at, why))) if at.elapsed() < FRESH => why.clone(),
            _ => error,
        }
    }

    /// Whether it was said just now what hinders us.
    pub(super) fn is_hindered(&self) -> bool {
        matches!(*self.hindrance.lock(), Some((at, _)) if at.elapsed() < FRESH)
    }

    /// Notes that the cluster answers.
    pub(super) fn answers(&self) {
        self.complaints.answers();
    }
}

/// Returns a message without its thread, and without how often and how long, which make each one another.
fn plain(message: &str) -> &str {
    let message = message
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
        .map_or(message, |(_, said)| said);
    message.split(" (after ").next().unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_same_each_time() {
        let said = "a:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused";
        let long = format!(
            "[thrd:a:1/bootstrap]: {said} (after 0ms in state CONNECT, 30 identical error(s) suppressed)"
        );
        assert_eq!((plain(&long), plain(said)), (said, said));
    }

    #[tokio::test(start_paused = true)]
    async fn what_hinders_us_is_known_for_a_while_and_a_refusal_before_an_absence() {
        let talk = Talk::default();
        let away = || PublishError::Unavailable("no answer".to_owned());
        let full = PublishError::Full("no room".to_owned());
        assert_eq!(talk.cause(away()), away());
        talk.error(&KafkaError::Global(Code::Resolve), "kafka-0:9092: Failed to resolve");
        talk.error(&KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
        assert!(talk.is_hindered());
        let unknown = PublishError::Unavailable("kafka-0:9092: Failed to resolve".to_owned());
        assert_eq!(talk.cause(away()), unknown);
        assert_eq!(talk.cause(full.clone()), full, "it has a cause of its own");
        talk.error(&KafkaError::Global(Code::Authentication), "wrong password");
        talk.error(&KafkaError::Global(Code::BrokerTransportFailure), "closed");
        assert_eq!(talk.cause(away()), PublishError::Refused("wrong password".to_owned()));
        tokio::time::advance(FRESH).await;
        assert_eq!(talk.cause(away()), away());
    }
}

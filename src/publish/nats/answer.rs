//! What an answer of JetStream is worth. A publish is a request, and whoever subscribes to its subject may answer it:
//! only what names our stream and a place in it is an acknowledgement. Errors are told apart by the server's own codes
//! (nats-server `server/errors.json`), never by their wording.

use super::super::PublishError;
use crate::record::Ack;
use async_nats::jetstream::{
    self, ErrorCode,
    context::{PublishError as ClientError, PublishErrorKind},
    publish::PublishAck,
};
use std::error::Error as _;

/// How much of a stranger's text is told.
const TOLD: usize = 100;

/// Takes an answer for what it says, if it says that `stream` holds the message.
pub(super) fn acknowledged(answer: PublishAck, stream: &str) -> Result<Ack, PublishError> {
    if answer.stream == stream && answer.sequence > 0 {
        return Ok(Ack::Nats {
            stream: answer.stream,
            sequence: answer.sequence,
            duplicate: answer.duplicate,
        });
    }
    let named: String = answer.stream.chars().take(TOLD).collect();
    Err(PublishError::Misconfigured(format!(
        "an answer that is no acknowledgement of stream {stream}: it names stream {named:?} and sequence {}; \
         find out who else answers on this subject",
        answer.sequence
    )))
}

/// Tells what the client's error means for the record.
pub(super) fn classify(error: &ClientError) -> PublishError {
    let text = error.to_string();
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => PublishError::TooLarge(text),
        PublishErrorKind::MaxAckPending => PublishError::Saturated,
        PublishErrorKind::StreamNotFound => PublishError::Misconfigured(
            "nobody takes this subject: the stream is missing, has no leader, or lacks the subject"
                .to_owned(),
        ),
        PublishErrorKind::Other => match source(error) {
            Some(answer) => refused(answer),
            None => PublishError::Unavailable(text),
        },
        PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence => PublishError::Unavailable(text),
    }
}

/// True where nobody took the message, or another stream than ours would have.
pub(super) fn has_no_place(error: &ClientError) -> bool {
    error.kind() == PublishErrorKind::StreamNotFound
        || source(error).is_some_and(|answer| answer.error_code() == ErrorCode::STREAM_NOT_MATCH)
}

/// Returns the server's own error, where there is one behind the client's.
fn source(error: &ClientError) -> Option<&jetstream::Error> {
    error.source()?.downcast_ref()
}

/// Tells what the server's error means for the record. An unknown code may go well the next time: better a retry too
/// many than an event put aside that had a place.
fn refused(answer: &jetstream::Error) -> PublishError {
    let text = answer.to_string();
    match answer.error_code() {
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM => {
            PublishError::TooLarge(text)
        }
        // The stream's limits (with `discard: new`), the account's, or the server's disk.
        ErrorCode::STREAM_STORE_FAILED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED => PublishError::Full(text),
        ErrorCode::STREAM_NOT_MATCH
        | ErrorCode::STREAM_MISMATCH
        | ErrorCode::STREAM_NOT_FOUND => PublishError::Misconfigured(text),
        ErrorCode::STREAM_SEALED
        | ErrorCode::JETSTREAM_NOT_ENABLED
        | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        | ErrorCode::NO_ACCOUNT
        // A stream of counters takes nothing but counts.
        | ErrorCode::MESSAGE_INCR_MISSING => PublishError::Refused(text),
        ErrorCode::STREAM_TOO_MANY_REQUESTS => PublishError::Saturated,
        // Of the others, one is common: a copy of a message that is still being stored, of which a retry finds out
        // (STREAM_DUPLICATE_MESSAGE_CONFLICT).
        _ => PublishError::Unavailable(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(stream: &str, sequence: u64) -> Result<Ack, PublishError> {
        let text = serde_json::json!({ "stream": stream, "seq": sequence });
        acknowledged(serde_json::from_value(text).unwrap(), "EVENTS")
    }

    #[test]
    fn only_our_stream_and_a_place_in_it_are_an_acknowledgement() {
        assert_eq!(
            answer("EVENTS", 7),
            Ok(Ack::Nats { stream: "EVENTS".to_owned(), sequence: 7, duplicate: false })
        );
        for (stream, sequence) in [("OTHER", 1), ("", 1), ("EVENTS", 0), ("events", 1)] {
            let error = answer(stream, sequence).unwrap_err();
            assert!(matches!(error, PublishError::Misconfigured(_)), "{error}");
            assert!(error.to_string().contains(&format!("{stream:?} and sequence {sequence}")), "{error}");
        }
        let long = answer(&"\u{1b}x".repeat(4000), 1).unwrap_err().to_string();
        assert!(long.len() < 1000 && !long.contains('\u{1b}'), "{long}");
    }

    #[test]
    fn the_server_s_code_decides_whatever_its_words() {
        let reason = |code: u64| {
            let text = serde_json::json!({ "code": 400, "err_code": code, "description": "reworded" });
            let error = serde_json::from_value::<jetstream::Error>(text).unwrap();
            classify(&ClientError::with_source(PublishErrorKind::Other, error)).reason()
        };
        for (codes, expected) in [
            (&[10054, 10097][..], "too_large"),
            (&[10077, 10002, 10023, 10028, 10047], "full"),
            (&[10060, 10056, 10059], "unknown_destination"),
            (&[10109, 10076, 10039, 10035, 10169], "refused"),
            (&[10167], "queue_full"),
            (&[10158, 10008, 10009, 10118, 0, 99_999], "connection"),
        ] {
            for code in codes {
                assert_eq!(reason(*code), expected, "{code}");
            }
        }
        let words = ClientError::with_source(PublishErrorKind::Other, "message size exceeds maximum allowed");
        assert_eq!(classify(&words).reason(), "connection", "words decide nothing");
    }
}

//! What comes of a fixture's request.

use serde_json::Value;
use std::fmt;

/// What came of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Its events, as envelopes without data, and the number of the key that proved it.
    Accepted { key: usize, events: Vec<Value> },
    /// A handshake, and what the sender hears.
    Answered { status: u16, headers: Value, body: Value, effect: Option<String> },
    /// A handshake that is not answered, and why.
    Unanswered(String),
    /// Why it was not believed: the metric's label, and the reason in words.
    Refused { class: &'static str, detail: String },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { key, events } => {
                write!(f, "key {key} proved it: {}", Value::from(events.clone()))
            }
            Self::Answered { status, headers, body, effect } => {
                write!(f, "an answer {status} {headers} {body} {effect:?}")
            }
            Self::Unanswered(why) => write!(f, "no answer: {why}"),
            Self::Refused { class, detail } => write!(f, "{class}: {detail}"),
        }
    }
}

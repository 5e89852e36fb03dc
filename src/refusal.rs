//! Why a delivery got no receipt. Knows whose fault it is and whether a retry can help; knows nothing of HTTP,
//! which `receive::reply` adds.
//!
//! The rule behind it: a sender is told that it must change something only when it must. What is wrong on our
//! side, the operator's or the broker's is always an invitation to try again.

use crate::{record::PublishError, verify::VerifyError};
use serde::Serialize;
use std::borrow::Cow;

/// Why a delivery got no receipt.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// The path names no configured source.
    #[error("no source is configured under this name")]
    UnknownSource,
    /// Webhooks are posted, and this source's handshakes use other methods.
    #[error("the method is none of {allowed}")]
    MethodNotAllowed {
        /// The methods that the source takes, between commas.
        allowed: String,
    },
    /// A handshake's method, but no handshake of this source: a wrong token, as a rule.
    #[error("the request is no handshake that this source answers")]
    Unanswered,
    /// A handshake that waits for the operator.
    #[error("the handshake waits for the operator: {0}")]
    Unready(String),
    /// The request's head is not what HTTP asks for.
    #[error("the request is malformed: {0}")]
    Malformed(Cow<'static, str>),
    /// The request's head is larger than any is taken.
    #[error("the request's head is too large")]
    HeadTooLarge,
    /// A request that may have a body and does not say how long it is.
    #[error("the request says nothing of its body's length")]
    Unsized,
    /// The body is larger than the source takes.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The source's limit in bytes.
        limit: u64,
    },
    /// The body is compressed, and signatures cover raw bytes.
    #[error("the content encoding is not identity")]
    Encoded,
    /// The body did not arrive in time, or broke off.
    #[error("the body did not arrive whole and in time")]
    Stalled,
    /// The origin was not proven; with the mistake behind it, where it was looked for and found.
    #[error("not verified: {0}")]
    Unverified(VerifyError, Option<Box<Cause>>),
    /// The source has no usable secret, so nobody could prove anything.
    #[error("the source has no usable secret; set it and send again")]
    Unkeyed,
    /// A key that the sender publishes could not be fetched.
    #[error("the sender's key at {0} could not be fetched")]
    KeyUnavailable(String),
    /// As many requests as the source or the process takes are on their way.
    #[error("too much is on its way: {0}")]
    Overloaded(&'static str),
    /// The first copy of this event failed while this one waited for it.
    #[error("the first copy of this event failed")]
    InFlight,
    /// A required sink does not hold the event.
    #[error("sink {sink}: {error}")]
    Unpublished {
        /// The sink's name.
        sink: String,
        /// Its answer.
        error: PublishError,
    },
    /// No outcome within the source's deadline; the event may still get to its place.
    #[error("no outcome within the deadline")]
    Deadline,
    /// A bug: a panic that was caught.
    #[error("the work on this request ended by a bug")]
    Internal,
}

/// Why a request was refused, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// A stable name of the mistake.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub what: String,
    /// How to mend it.
    pub mend: String,
    /// True where the request verifies once the mistake is undone; false for a mere hint.
    pub proven: bool,
}

impl Cause {
    /// States a mistake that the request verifies without.
    pub(crate) fn proven(code: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { code, what: what.into(), mend: mend.into(), proven: true }
    }

    /// States what may be the mistake.
    pub(crate) fn hint(code: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { code, what: what.into(), mend: mend.into(), proven: false }
    }
}

/// Who has to change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The sender.
    Sender,
    /// The operator of this process, or of the broker.
    Operator,
    /// This process; it may be over in a moment.
    Service,
}

impl Refusal {
    /// Every public code, for metrics that must exist before the first refusal.
    pub const CODES: [&str; 18] = [
        "source_unknown",
        "method_not_allowed",
        "handshake_refused",
        "handshake_unready",
        "request_malformed",
        "head_too_large",
        "length_required",
        "body_too_large",
        "encoding_unsupported",
        "body_stalled",
        "signature_invalid",
        "secret_unset",
        "key_unavailable",
        "overloaded",
        "in_flight",
        "sink_unavailable",
        "deadline",
        "internal",
    ];

    /// Returns whose fault it is.
    pub fn fault(&self) -> Fault {
        self.known_as().1
    }

    /// Returns the stable public code: the same for every way in which a signature can fail.
    pub fn code(&self) -> &'static str {
        self.known_as().0
    }

    fn known_as(&self) -> (&'static str, Fault) {
        match self {
            Self::UnknownSource => ("source_unknown", Fault::Sender),
            Self::MethodNotAllowed { .. } => ("method_not_allowed", Fault::Sender),
            Self::Unanswered => ("handshake_refused", Fault::Sender),
            Self::Unready(_) => ("handshake_unready", Fault::Operator),
            Self::Malformed(_) => ("request_malformed", Fault::Sender),
            Self::HeadTooLarge => ("head_too_large", Fault::Sender),
            Self::Unsized => ("length_required", Fault::Sender),
            Self::TooLarge { .. } => ("body_too_large", Fault::Sender),
            Self::Encoded => ("encoding_unsupported", Fault::Sender),
            Self::Stalled => ("body_stalled", Fault::Sender),
            Self::Unverified(..) => ("signature_invalid", Fault::Sender),
            Self::Unkeyed => ("secret_unset", Fault::Operator),
            Self::KeyUnavailable(_) => ("key_unavailable", Fault::Operator),
            Self::Overloaded(_) => ("overloaded", Fault::Service),
            Self::InFlight => ("in_flight", Fault::Service),
            Self::Unpublished { .. } => ("sink_unavailable", Fault::Operator),
            Self::Deadline => ("deadline", Fault::Service),
            Self::Internal => ("internal", Fault::Service),
        }
    }

    /// Returns the finer reason, for logs and metrics only.
    pub fn reason(&self) -> &'static str {
        if let Self::Unverified(error, _) = self {
            error.reason()
        } else if let Self::Unpublished { error, .. } = self {
            error.reason()
        } else {
            self.code()
        }
    }

    /// Returns the mistake behind a failed check, where it was looked for and found.
    pub fn cause(&self) -> Option<&Cause> {
        if let Self::Unverified(_, cause) = self { cause.as_deref() } else { None }
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Unkeyed => Self::Unkeyed,
            VerifyError::KeyUnavailable(address) => Self::KeyUnavailable(address),
            VerifyError::Missing(_)
            | VerifyError::Repeated(_)
            | VerifyError::Malformed(_)
            | VerifyError::NotAllowed(_)
            | VerifyError::Mismatch
            | VerifyError::Expired { .. } => Self::Unverified(error, None),
        }
    }
}

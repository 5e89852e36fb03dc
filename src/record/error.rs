//! Why a sink does not hold a record: what a sink answers instead of an ack, and what the metrics count.

use crate::event::Reason;

/// Why a sink does not hold a record, or may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The destination was not found good since the start.
    #[error("the sink is not ready: {0}")]
    Unprepared(String),
    /// The broker can't be reached or does not answer; the record may be there all the same.
    #[error("the broker does not answer: {0}")]
    Unavailable(String),
    /// The destination was not heard from for some time, and another event finds out when it answers.
    #[error("the destination has not answered for {seconds} s; one event at a time finds out when it does")]
    Down {
        /// Since when nothing was heard from it.
        seconds: u64,
    },
    /// Too much is waiting for this broker already.
    #[error("the sink's queue is full")]
    Saturated,
    /// The destination does not exist, or is not what the configuration says.
    #[error("the destination is not as configured: {0}")]
    Misconfigured(String),
    /// The destination or its server is there and takes nothing from us: no permission, a wrong password, a sealed stream.
    #[error("the destination refuses us: {0}")]
    Refused(String),
    /// No retry helps: the record is larger than the destination takes.
    #[error("the record is too large for its destination: {0}")]
    TooLarge(String),
    /// The destination has reached a limit, or its server's disk has; room must be made.
    #[error("the destination is full: {0}")]
    Full(String),
    /// No retry helps: the broker refuses this record and would take others.
    #[error("the broker refuses the record: {0}")]
    Rejected(String),
    /// No retry helps: the destination's name holds the sender's text, and there is no such destination.
    #[error("there is no such destination: {0}")]
    Unroutable(String),
    /// The journal's disk is full or fails.
    #[error("the journal can't be written: {0}")]
    Disk(String),
}

impl PublishError {
    /// Every label of [`Self::reason`].
    pub const REASONS: [&str; 11] = [
        "unprepared",
        "connection",
        "down",
        "queue_full",
        "unknown_destination",
        "refused",
        "too_large",
        "full",
        "rejected",
        "unroutable",
        "io",
    ];

    /// Returns the stable name of the error for metrics and logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unprepared(_) => "unprepared",
            Self::Unavailable(_) => "connection",
            Self::Down { .. } => "down",
            Self::Saturated => "queue_full",
            Self::Misconfigured(_) => "unknown_destination",
            Self::Refused(_) => "refused",
            Self::TooLarge(_) => "too_large",
            Self::Full(_) => "full",
            Self::Rejected(_) => "rejected",
            Self::Unroutable(_) => "unroutable",
            Self::Disk(_) => "io",
        }
    }

    /// Tells whether no retry helps, since the record itself is what the destination does not take.
    pub fn is_hopeless(&self) -> bool {
        self.quarantined_as().is_some()
    }

    /// Returns the reason under which the quarantine keeps an event whose record is hopeless.
    pub fn quarantined_as(&self) -> Option<Reason> {
        match self {
            Self::TooLarge(_) => Some(Reason::TooLarge),
            Self::Rejected(_) => Some(Reason::Rejected),
            Self::Unroutable(_) => Some(Reason::Unroutable),
            Self::Unprepared(_)
            | Self::Unavailable(_)
            | Self::Down { .. }
            | Self::Saturated
            | Self::Misconfigured(_)
            | Self::Refused(_)
            | Self::Full(_)
            | Self::Disk(_) => None,
        }
    }
}

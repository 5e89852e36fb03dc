//! Why a sink does not hold a record: what `publish` tells the path, and what the metrics count.

/// Why a sink does not hold a record, or may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The destination was not found good since the start.
    #[error("the sink is not ready: {0}")]
    Unprepared(String),
    /// The broker can't be reached or does not answer; the record may be there all the same.
    #[error("the broker does not answer: {0}")]
    Unavailable(String),
    /// Too much is waiting for this broker already.
    #[error("the sink's queue is full")]
    Saturated,
    /// The destination does not exist, or we may not write to it.
    #[error("the destination refuses us: {0}")]
    Misconfigured(String),
    /// No retry helps: the record is larger than the destination takes.
    #[error("the record is too large for its destination: {0}")]
    TooLarge(String),
    /// The destination has reached a limit, or its server's disk has; room must be made.
    #[error("the destination is full: {0}")]
    Full(String),
    /// The journal's disk is full or fails.
    #[error("the journal can't be written: {0}")]
    Disk(String),
}

impl PublishError {
    /// Every label of [`Self::reason`].
    pub const REASONS: [&str; 7] =
        ["unprepared", "connection", "queue_full", "unknown_destination", "too_large", "full", "io"];

    /// Returns the stable name of the error for metrics and logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unprepared(_) => "unprepared",
            Self::Unavailable(_) => "connection",
            Self::Saturated => "queue_full",
            Self::Misconfigured(_) => "unknown_destination",
            Self::TooLarge(_) => "too_large",
            Self::Full(_) => "full",
            Self::Disk(_) => "io",
        }
    }
}

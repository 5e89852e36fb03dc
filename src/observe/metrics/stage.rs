//! The stages of the path as their histogram's label.

/// A stage whose duration is measured.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Reading the body.
    Receive,
    /// Checking the signature.
    Verify,
    /// Finding the events.
    Normalize,
    /// Claiming the id and choosing the destination.
    Route,
    /// Waiting for every sink.
    Publish,
}

impl Stage {
    /// Every label.
    pub(super) const NAMES: [&str; 5] = ["receive", "verify", "normalize", "route", "publish"];
}

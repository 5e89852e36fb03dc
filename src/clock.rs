//! The only reader of the wall clock, and how times are read and written. Stages get the time as an argument, so that a
//! test can choose it; deadlines and windows use tokio's monotonic clock instead.

mod written;

pub use written::{EventTime, read};

use jiff::Timestamp;
use uuid::Uuid;

/// Returns the time of day, as accurate as the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Returns a fresh id, which begins with the time.
pub fn uuid() -> Uuid {
    Uuid::now_v7()
}

/// Returns `at` as RFC 3339 in UTC with microseconds, the form of every timestamp that Hookway writes.
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.6}")
}

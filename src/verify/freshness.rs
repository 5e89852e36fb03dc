//! The signed time of a request: read strictly, and judged against the moment the request was received.

use super::{VerifyError, single, spec::TimeUnit};
use axum::http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};

/// Where the signed time stands and how far it may be off.
pub(super) struct Freshness {
    pub(super) header: HeaderName,
    pub(super) unit: TimeUnit,
    /// In either direction: a sender's clock may be ahead of ours.
    pub(super) tolerance: SignedDuration,
}

impl Freshness {
    /// Reads the signed time.
    pub(super) fn read(&self, headers: &HeaderMap) -> Result<Timestamp, VerifyError> {
        let bytes = single(headers, &self.header)?;
        std::str::from_utf8(bytes).ok().and_then(|text| parse(text, self.unit)).ok_or_else(|| {
            VerifyError::Malformed(format!("header `{}` does not hold a time as configured", self.header))
        })
    }

    /// Refuses a time that is further away than the tolerance.
    pub(super) fn judge(&self, signed: Timestamp, received: Timestamp) -> Result<(), VerifyError> {
        let off = received.duration_since(signed);
        if off.unsigned_abs() <= self.tolerance.unsigned_abs() {
            Ok(())
        } else {
            Err(VerifyError::Expired { off_by_seconds: off.as_secs() })
        }
    }

    /// Writes a time as the sender would.
    pub(super) fn write(&self, at: Timestamp) -> String {
        match self.unit {
            TimeUnit::Seconds => at.as_second().to_string(),
            TimeUnit::Milliseconds => at.as_millisecond().to_string(),
            TimeUnit::Rfc3339 => at.to_string(),
        }
    }
}

fn parse(text: &str, unit: TimeUnit) -> Option<Timestamp> {
    match unit {
        TimeUnit::Seconds => Timestamp::from_second(digits(text)?).ok(),
        TimeUnit::Milliseconds => Timestamp::from_millisecond(digits(text)?).ok(),
        TimeUnit::Rfc3339 => text.parse().ok(),
    }
}

/// Reads a whole number without sign or blanks, which `str::parse` would let pass.
fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

//! The signed time of a request: read strictly, and judged against the moment the request was received.

use super::{
    VerifyError,
    spec::TimeUnit,
    value::{OneOf, Subject},
};
use crate::clock;
use jiff::{SignedDuration, Timestamp};

/// Where the signed time stands and how far it may be off.
pub(super) struct Freshness {
    pub(super) at: OneOf,
    pub(super) unit: TimeUnit,
    /// In either direction: a sender's clock may be ahead of ours. `None`: the time is not looked at.
    pub(super) tolerance: Option<SignedDuration>,
    pub(super) is_optional: bool,
    /// The header whose end is only where the time begins.
    pub(super) ended: Option<OneOf>,
}

impl Freshness {
    /// Reads the signed time; `None` where it is not to be judged.
    pub(super) fn read(&self, subject: Subject<'_>) -> Result<Option<Timestamp>, VerifyError> {
        if let Some(ended) = &self.ended
            && has_date(ended.demand(subject)?.as_bytes())
        {
            return Err(VerifyError::Malformed(format!("`{ended}` holds what ends it, a time")));
        }
        if self.tolerance.is_none() && self.ended.is_none() {
            return Ok(None);
        }
        let Some(text) = self.at.read(subject)? else {
            return if self.is_optional { Ok(None) } else { Err(VerifyError::Missing(self.at.to_string())) };
        };
        parse(&text, self.unit).map(Some).ok_or_else(|| {
            VerifyError::Malformed(format!("`{}` does not hold a time as configured", self.at))
        })
    }

    /// Refuses a time that is further away than the tolerance.
    pub(super) fn judge(&self, signed: Timestamp, received: Timestamp) -> Result<(), VerifyError> {
        let off = received.duration_since(signed);
        match self.tolerance {
            Some(tolerance) if off.unsigned_abs() > tolerance.unsigned_abs() => {
                Err(VerifyError::Expired { off_by_seconds: off.as_secs() })
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn write(&self, at: Timestamp) -> String {
        match self.unit {
            TimeUnit::Seconds => at.as_second().to_string(),
            TimeUnit::Milliseconds => at.as_millisecond().to_string(),
            TimeUnit::Rfc3339 => at.to_string(),
            TimeUnit::HttpDate => at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        }
    }
}

fn parse(text: &str, unit: TimeUnit) -> Option<Timestamp> {
    match unit {
        TimeUnit::Seconds => Timestamp::from_second(digits(text)?).ok(),
        TimeUnit::Milliseconds => Timestamp::from_millisecond(digits(text)?).ok(),
        TimeUnit::Rfc3339 => is_in_full(text.as_bytes()).then(|| date(text)).flatten(),
        TimeUnit::HttpDate => http_date(text),
    }
}

/// How a date and a time begin that are written in full (RFC 3339): `0` for a digit.
const IN_FULL: &[u8] = b"0000-00-00T00:00:00";

/// True for a date and a time in full, from the first digit to the zone: beside other text it could be cut nowhere else.
fn is_in_full(text: &[u8]) -> bool {
    let Some((date, rest)) = text.split_at_checked(IN_FULL.len()) else { return false };
    let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fraction = rest.strip_prefix(b".").map_or(0, |rest| 1 + digits(rest));
    let is_zone = match rest.get(fraction..).unwrap_or_default() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hours @ .., b':', _, _] => digits(hours) == 2 && hours.len() == 2,
        _ => false,
    };
    has_date(date) && is_zone
}

/// True where a date and a time in full begin anywhere in a text.
fn has_date(text: &[u8]) -> bool {
    text.windows(IN_FULL.len()).any(|window| {
        window.iter().zip(IN_FULL).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'T' => b"Tt ".contains(byte),
            _ => byte == form,
        })
    })
}

/// Reads a whole number without sign or blanks, which `str::parse` would let pass.
fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Reads a text date. The day's name and the zone must stand there: glued to a body, the date must have an end.
fn http_date(text: &str) -> Option<Timestamp> {
    let (day, rest) = text.split_once(' ')?;
    let day = day.strip_suffix(',').unwrap_or(day);
    let is_whole = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&day)
        && [" GMT", " UTC"].iter().any(|zone| rest.ends_with(zone));
    is_whole.then(|| date(rest)).flatten()
}

/// Reads a date; a number alone is none.
fn date(text: &str) -> Option<Timestamp> {
    Some(text).filter(|text| text.contains(':')).and_then(clock::read).map(|time| time.at)
}

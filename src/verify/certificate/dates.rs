//! The dates between which a certificate counts (RFC 5280, 4.1.2.5).

use crate::verify::der::{Der, tag};
use jiff::{Timestamp, fmt::strtime, tz::TimeZone};

/// From when to when a certificate counts.
#[derive(Clone)]
pub(super) struct Validity {
    from: Timestamp,
    to: Timestamp,
}

impl Validity {
    /// Reads the two dates; `None` where they are not written as prescribed.
    pub(super) fn read(mut dates: Der<'_>) -> Option<Self> {
        Some(Self { from: date(dates.next()?)?, to: date(dates.next()?)? })
    }

    pub(super) fn contains(&self, now: Timestamp) -> bool {
        (self.from..=self.to).contains(&now)
    }
}

fn date((kind, content): (u8, &[u8])) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?;
    let text = match kind {
        // Two digits of the year: 50 to 99 are in the last century.
        tag::UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? >= 50 { "19" } else { "20" };
            format!("{century}{text}")
        }
        tag::GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let parts = strtime::parse("%Y%m%d%H%M%SZ", &text).ok()?;
    parts.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

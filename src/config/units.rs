//! Sizes and durations as people write them: `8GiB`, `5s`.

use bytesize::ByteSize;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use std::time::Duration;

/// How a duration is written, for the fix of an error.
pub(super) const DURATION_FIX: &str =
    "write a number and a unit, as 500ms, 5s, 10m, 1h or 3d; ten years at most";

/// How a size is written, for the fix of an error.
pub(super) const SIZE_FIX: &str = "write a number and a unit, as 512KiB, 128MiB or 8GiB";

/// The longest duration: what is added to a point in time must not leave what a clock can tell.
const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);

/// Returns how an address is mended that is wrong by its port alone.
pub(super) fn port_fix(address: &str) -> Option<&'static str> {
    let (_, port) = address.rsplit_once(':')?;
    let is_number = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
    (is_number && !is_port).then_some("write a port from 1 to 65535 behind the host")
}

/// Reads a duration such as `5s`, `1h 30m`, `250ms` or `3d` (of 24 hours); `None` for anything else, also a negative one,
/// and one of more than ten years.
pub fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let duration: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok().filter(|duration| *duration <= LONGEST)
}

/// Reads a size in bytes such as `512KiB` (1024) or `8GB` (1000); `None` for anything else.
pub fn size(text: &str) -> Option<u64> {
    text.trim().parse::<ByteSize>().ok().map(|size| size.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_are_never_negative() {
        assert_eq!(duration("4s"), Some(Duration::from_secs(4)));
        assert_eq!(duration("1h 30m"), Some(Duration::from_mins(90)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        assert_eq!(duration("1d 12h"), Some(Duration::from_hours(36)));
        for wrong in ["", "4", "-4s", "four seconds", "4 parsecs", "1mo", "1y", "9e9h", "900000h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_know_binary_and_decimal_units() {
        assert_eq!(size("512KiB"), Some(512 << 10));
        assert_eq!(size("8GiB"), Some(8 << 30));
        assert_eq!(size("1MB"), Some(1_000_000));
        for wrong in ["", "much", "-1MiB", "1QiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}

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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_duration_is_the_sum_of_its_parts(
            days in 0..30_u64, hours in 0..24_u64, minutes in 0..60_u64, seconds in 0..60_u64, milliseconds in 0..1000_u64,
            glue in prop::sample::select(vec!["", " "]),
        ) {
            let parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"), (milliseconds, "ms")];
            let named: Vec<String> =
                parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
            prop_assume!(!named.is_empty());
            let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
            let whole = Duration::from_secs(seconds) + Duration::from_millis(milliseconds);
            prop_assert_eq!(duration(&named.join(glue)), Some(whole), "{}", named.join(glue));
            prop_assert_eq!(duration(&format!(" {} ", named.join(glue))), Some(whole));
            prop_assert_eq!(duration(&format!("-{}", named.join(glue))), None, "nothing is over before it begins");
        }

        #[test]
        fn a_size_is_its_number_times_its_unit(
            count in 0..100_000_u64,
            (unit, bytes) in prop::sample::select(vec![
                ("B", 1), ("KB", 1000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20), ("GB", 1_000_000_000), ("GiB", 1 << 30),
            ]),
            glue in prop::sample::select(vec!["", " "]),
        ) {
            prop_assert_eq!(size(&format!("{count}{glue}{unit}")), Some(count * bytes));
            prop_assert_eq!(size(&format!("-{count}{unit}")), None);
        }

        #[test]
        fn no_text_is_a_time_that_a_clock_can_not_tell(text in "[0-9a-zA-Z.+ -]{0,24}|[0-9]{1,20}(ns|us|ms|s|m|h|d|w)") {
            if let Some(read) = duration(&text) {
                prop_assert!(read <= LONGEST && text.contains(|c: char| c.is_ascii_alphabetic()), "{text:?} is {read:?}");
            }
            // Whatever is read as a size, it is read without a panic.
            let _size = size(&text);
        }
    }

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

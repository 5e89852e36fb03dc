//! The only reader of the wall clock, and how times are read and written. Stages get the time as an argument, so that a
//! test can choose it; deadlines and windows use tokio's monotonic clock instead. Whatever time a request holds is read here:
//! an event's own (`normalize`), and one that is signed (`verify`).

use jiff::{SignedDuration, Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};
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

/// Longest text that may be a time.
const MAX_LENGTH: usize = 64;

/// The time of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTime {
    /// RFC 3339 in UTC, with as many digits of a second as the sender gave.
    pub text: String,
    /// The same instant, for comparison.
    pub at: Timestamp,
}

/// Whole seconds in UTC, and the digits behind them.
type Moment = (DateTime, String);

/// Returns the time that `text` names, or `None` when it names none: RFC 3339 and what is often made of it, the date of
/// RFC 2822 and HTTP, or a number of seconds, milliseconds, micro- or nanoseconds since 1970.
pub fn read(text: &str) -> Option<EventTime> {
    let text = text.trim_ascii();
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (second, digits) = number(text).or_else(|| calendar(text)).or_else(|| mail(text))?;
    // Year 0 is none to many readers, and RFC 3339 has no others.
    (1..=9999).contains(&second.year()).then_some(())?;
    let dot = if digits.is_empty() { "" } else { "." };
    let nanoseconds: String = digits.chars().chain("000000000".chars()).take(9).collect();
    let exact = second.checked_add(SignedDuration::new(0, nanoseconds.parse().ok()?)).ok()?;
    // The last day of the year 9999 is beyond what an instant can be, and later than all else.
    let at = exact.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp());
    Some(EventTime { text: format!("{second}{dot}{digits}Z"), at })
}

/// Reads a number, whose length says what it counts: eleven digits of seconds reach to the year 5138.
fn number(text: &str) -> Option<Moment> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    (!whole.is_empty() && is_digits(whole) && is_digits(fraction) && !is_date(whole)).then_some(())?;
    let places = match whole.len() {
        ..=11 => 0,
        12..=14 => 3,
        15..=17 => 6,
        18..=19 => 9,
        _ => return None,
    };
    let (seconds, digits) = whole.split_at_checked(whole.len() - places)?;
    let second = Timestamp::from_second(seconds.parse().ok()?).ok()?;
    Some((second.to_zoned(TimeZone::UTC).datetime(), [digits, fraction].concat()))
}

/// Tells whether digits are a date without its marks, as `20261127080809123`: it names no zone, and counted it would be an
/// instant far away. No clock of these decades counts to such lengths.
fn is_date(digits: &str) -> bool {
    let parts = || {
        matches!(digits.len(), 8 | 12 | 14 | 17).then_some(())?;
        let (date, clock) = digits.split_at_checked(8)?;
        let clock = clock.get(..6.min(clock.len()))?;
        format!("{date}T{clock:0<6}").parse::<DateTime>().ok()
    };
    parts().is_some_and(|local| (1900..2200).contains(&local.year()))
}

/// Reads `2026-11-27T08:08:09.25Z` and its like: a blank for the `T`, a comma for the dot, ` UTC`, ` +0200`. A time without
/// a zone names no instant.
fn calendar(text: &str) -> Option<Moment> {
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let (clock, zone) =
        clock.split_at_checked(clock.find(|c: char| !c.is_ascii_digit() && !":.,".contains(c))?)?;
    let (clock, digits) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    // Digits behind a minute are parts of a minute.
    (is_digits(digits) && (digits.is_empty() || matches!(clock.len(), 6 | 8))).then_some(())?;
    let local: DateTime = [date, "T", clock].concat().parse().ok()?;
    let second = local.checked_sub(SignedDuration::from_secs(offset(zone)?)).ok()?;
    Some((second, digits.to_owned()))
}

/// Returns the seconds that a zone is ahead of UTC; no zone is ahead by a day.
fn offset(zone: &str) -> Option<i64> {
    let zone = zone.trim_ascii();
    if ["Z", "UTC", "GMT"].iter().any(|utc| zone.eq_ignore_ascii_case(utc)) {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match (digits.len(), digits.split_once(':')) {
        (5, Some(parts)) => parts,
        (4, None) => digits.split_at_checked(2)?,
        (2, None) => (digits, "00"),
        _ => return None,
    };
    let below = |text: &str, limit| {
        (text.len() == 2 && is_digits(text))
            .then(|| text.parse::<i64>().ok())
            .flatten()
            .filter(|number| *number < limit)
    };
    Some(sign * (below(hours, 24)? * 3600 + below(minutes, 60)? * 60))
}

/// Reads `Fri, 27 Nov 2026 08:08:09 +0000`.
fn mail(text: &str) -> Option<Moment> {
    // Comments, which that RFC allows, could hide where a date ends.
    let (date, zone) = text.rsplit_once(' ').filter(|_| !text.contains('('))?;
    let ahead = offset(zone)?;
    // The name of the day says nothing more, and some write it without its comma.
    let is_day = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let day = date.split_once(' ').filter(|(word, _)| is_day(word.strip_suffix(',').unwrap_or(word)));
    let date = day.map_or(date, |(_, rest)| rest);
    // Whether the zone is one, we say ourselves.
    let local = rfc2822::parse(&[date, " +0000"].concat()).ok()?.datetime();
    Some((local.checked_sub(SignedDuration::from_secs(ahead)).ok()?, String::new()))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(of: &str) -> String {
        read(of).unwrap_or_else(|| panic!("{of:?} is a time")).text
    }

    #[test]
    fn a_time_is_written_in_utc_with_the_digits_that_it_had() {
        for same in [
            "2025-11-03T14:02:11Z",
            "2025-11-03T14:02:11.482913Z",
            "2025-11-03T14:02:11.500Z",
            "2025-11-03T14:02:11.1234567890Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.9999999999Z",
        ] {
            assert_eq!(text(same), same);
        }
        assert_eq!(text("2025-11-03T14:02:11.123456789+01:00"), "2025-11-03T13:02:11.123456789Z");
        assert_eq!(text("2025-01-01T00:30:00.50+01:00"), "2024-12-31T23:30:00.50Z");
        assert!(read("9999-12-31T23:59:59Z").unwrap().at > read("9998-12-31T23:59:59Z").unwrap().at);
    }

    #[test]
    fn the_forms_that_senders_write_are_read() {
        for sent in [
            "2026-11-27 08:08:09 UTC",
            "2026-11-27 08:08:09Z",
            "2026-11-27t08:08:09z",
            "20261127T080809Z",
            "2026-11-27 10:08:09 +0200",
            "2026-11-27T10:08:09+02",
            "2026-11-27 02:38:09 -05:30",
            "Fri, 27 Nov 2026 08:08:09 +0000",
            "Fri, 27 Nov 2026 08:08:09 GMT",
            "Fri, 27 Nov 2026 08:08:09 UTC",
            "Fri 27 Nov 2026 08:08:09 UTC",
            "Fri, 27 Nov 2026 04:08:09 -04:00",
            "27 Nov 2026 10:08:09 +0200",
            " 1795766889 ",
        ] {
            assert_eq!(text(sent), "2026-11-27T08:08:09Z", "{sent}");
        }
        assert_eq!(text("2026-11-27T08:08:09,123Z"), "2026-11-27T08:08:09.123Z");
        assert_eq!(text("2026-11-27T08:08Z"), "2026-11-27T08:08:00Z");
    }

    #[test]
    fn a_number_counts_what_its_length_says() {
        assert_eq!(text("0"), "1970-01-01T00:00:00Z");
        assert_eq!(text("1700000000"), "2023-11-14T22:13:20Z");
        assert_eq!(text("1700000000.25"), "2023-11-14T22:13:20.25Z");
        assert_eq!(text("1700000000000"), "2023-11-14T22:13:20.000Z");
        assert_eq!(text("1700000000250.5"), "2023-11-14T22:13:20.2505Z");
        assert_eq!(text("1700000000250123"), "2023-11-14T22:13:20.250123Z");
        assert_eq!(text("1700000000250123456"), "2023-11-14T22:13:20.250123456Z");
        for (no_date, year) in [
            ("20261327080809", "2612"),
            ("20261127250809123", "2612"),
            ("978307200000", "2001"),
            ("30000000", "1970"),
        ] {
            assert!(text(no_date).starts_with(year), "{no_date}");
        }
        assert_eq!(text("99999999999"), "5138-11-16T09:46:39Z");
    }

    #[test]
    fn what_names_no_instant_is_no_time() {
        for none in [
            "",
            "yesterday",
            "2025-11-03",
            "2025-11-03T14:02:11",
            "2025-11-03T14:02:11[Europe/Berlin]",
            "2025-11-03T14:02:11+02:00[Europe/Berlin]",
            "2025-11-03T14:02:11 CET",
            "2025-11-03T14:02.5Z",
            "2025-11-03T14:02:11.1.2Z",
            "2025-11-03T24:00:00Z",
            "2025-02-29T14:02:11Z",
            "2025-11-03T14:02:11+24:00",
            "2025-11-03T14:02:11-25:00",
            "2025-11-03T14:02:11+02:60",
            "2025-11-03T14:02:11+2:000",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "-000001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-00:01",
            "Fri, 27 Nov 2026 08:08:09 +2400",
            "1.2.3",
            "-1",
            "Fri, (a) 27 Nov 2026 08:08:09 GMT",
            "99999999999999999999",
            "20261127080809123",
            "20261127080809",
            "20261127080809.123",
            "202611270808",
            "20261127",
            "99999999999999999999999999999999999999",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(read(&format!("2025-11-03T14:02:11.{}Z", "1".repeat(60))), None);
    }

    #[test]
    fn a_second_60_never_reaches_a_consumer() {
        assert_eq!(text("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59Z");
    }

    /// Tells whether a text is RFC 3339 in UTC, by its form alone.
    fn is_rfc3339(text: &str) -> bool {
        let (second, rest) = text.split_at(19);
        let form = "dddd-dd-ddTdd:dd:dd".chars().zip(second.chars());
        let digits = rest.strip_suffix('Z').unwrap();
        form.into_iter().all(|(wanted, c)| if wanted == 'd' { c.is_ascii_digit() } else { c == wanted })
            && !second.ends_with("60")
            && digits
                .strip_prefix('.')
                .map_or(digits.is_empty(), |digits| !digits.is_empty() && is_digits(digits))
    }

    proptest! {
        #[test]
        fn nothing_but_rfc_3339_is_ever_written(sent in "[0-9TZtz:.,+ -]{0,40}|\\PC{0,70}|[0-9]{1,20}(\\.[0-9]{0,9})?") {
            if let Some(time) = read(&sent) {
                prop_assert!(is_rfc3339(&time.text), "{:?} became {:?}", sent, time.text);
                prop_assert_eq!(read(&time.text), Some(time));
            }
        }

        #[test]
        fn each_form_of_an_instant_is_the_same_instant(
            second in -62_135_000_000_i64..253_402_000_000, hours in -23_i8..24, minutes in 0_i8..60, digits in "[0-9]{0,12}",
        ) {
            let at = Timestamp::from_second(second).unwrap();
            let minutes = if hours < 0 { -minutes } else { minutes };
            let ahead = jiff::tz::Offset::from_seconds(i32::from(hours) * 3600 + i32::from(minutes) * 60).unwrap();
            let local = ahead.to_datetime(at);
            prop_assume!((1..=9999).contains(&local.year()));
            let sign = if ahead.seconds() < 0 { '-' } else { '+' };
            let (hours, minutes) = (hours.unsigned_abs(), minutes.unsigned_abs());
            let dot = if digits.is_empty() { "" } else { "." };
            let wanted = format!("{at}").replace('Z', &format!("{dot}{digits}Z"));
            for zone in [format!("{sign}{hours:02}:{minutes:02}"), format!(" {sign}{hours:02}{minutes:02}")] {
                let sent = format!("{local}{dot}{digits}{zone}");
                prop_assert_eq!(text(&sent), wanted.clone(), "{}", sent);
                prop_assert_eq!(text(&sent.replace('T', " ").replace('.', ",")), wanted.clone());
            }
            if digits.is_empty() && (1900..9999).contains(&local.year()) {
                let sent = format!("{} {sign}{hours:02}{minutes:02}", local.strftime("%a, %d %b %Y %H:%M:%S"));
                prop_assert_eq!(text(&sent), wanted, "{}", sent);
            }
        }
    }
}

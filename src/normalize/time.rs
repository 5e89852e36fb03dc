//! Reads the times that senders write: RFC 3339 with up to nine digits of a second, or a number.

use crate::event::EventTime;
use jiff::{SignedDuration, Timestamp};

/// Numbers from here on are milliseconds; as seconds they would name the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Returns the time that `text` names, or `None` when it names none.
pub(super) fn parse(text: &str) -> Option<EventTime> {
    if text.bytes().next().is_some_and(|first| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let at = number(text)?;
        return Some(EventTime { text: at.to_string(), at });
    }
    let at: Timestamp = text.parse().ok()?;
    // What the sender wrote is kept to the letter where it is RFC 3339; other ISO 8601 forms are rewritten.
    let text = if is_rfc3339(text) { text.to_owned() } else { at.to_string() };
    Some(EventTime { text, at })
}

fn number(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    if whole >= MILLISECONDS_FROM {
        return Timestamp::from_millisecond(whole).ok();
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: i32 = digits.parse().ok()?;
    Timestamp::from_second(whole).ok()?.checked_add(SignedDuration::new(0, nanoseconds)).ok()
}

/// Tells whether `text`, already known to be ISO 8601, has the exact form of RFC 3339.
fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied();
    let (date, clock) =
        (at(4) == Some(b'-') && at(7) == Some(b'-'), at(13) == Some(b':') && at(16) == Some(b':'));
    let zone = text.ends_with('Z') || bytes.len().checked_sub(3).and_then(at) == Some(b':');
    date && at(10) == Some(b'T') && clock && zone && !text.contains('[')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_is_kept_to_the_letter() {
        for text in
            ["2025-11-03T14:02:11Z", "2025-11-03T14:02:11.482913Z", "2025-11-03T14:02:11.123456789+01:00"]
        {
            assert_eq!(parse(text).unwrap().text, text);
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds_since_1970() {
        assert_eq!(parse("1700000000").unwrap().text, "2023-11-14T22:13:20Z");
        assert_eq!(parse("1700000000.25").unwrap().text, "2023-11-14T22:13:20.25Z");
        assert_eq!(parse("1700000000250").unwrap().text, "2023-11-14T22:13:20.25Z");
    }

    #[test]
    fn what_names_no_instant_is_no_time() {
        for text in ["", "yesterday", "2025-11-03", "2025-11-03T14:02:11", "1.2.3", "99999999999999999999"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn other_iso_forms_are_rewritten() {
        assert_eq!(parse("2025-11-03 14:02:11Z").unwrap().text, "2025-11-03T14:02:11Z");
    }
}

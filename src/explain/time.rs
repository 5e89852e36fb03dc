//! The signed time: outside the window, or read in the wrong unit.

use super::{Cause, Lab, stated::stated};
use crate::verify::{TimeUnit, VerifyError, VerifySpec};

/// How far a clock on local time can be off, in seconds: 14 hours, and a minute for the way.
const FARTHEST_ZONE: u64 = 14 * 3600 + 60;

/// Looks at the time once the signature is right, and at its unit where it can't be read.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    let timestamp = lab.case.spec.timestamp.as_ref()?;
    let off = if let VerifyError::Expired { off_by_seconds } = error { Some(*off_by_seconds) } else { None };
    (off.is_some() || matches!(error, VerifyError::Malformed(_))).then_some(())?;
    let unit = timestamp.unit.unwrap_or(TimeUnit::Seconds);
    let others = [TimeUnit::Seconds, TimeUnit::Milliseconds, TimeUnit::Rfc3339, TimeUnit::HttpDate];
    let right = others.into_iter().filter(|other| *other != unit).find(|other| in_unit(lab, *other));
    if let Some(right) = right {
        let (written, read) = (name(right), name(unit));
        let what = format!("the signed time is written in {written}, and the scheme reads it as {read}");
        let mend = format!("set `verify.timestamp.unit` to {}", stated(right));
        return Some(Cause::proven("time_unit", what, mend));
    }
    off.map(stale)
}

/// True where the request verifies, its time within the window, with the time read in another unit.
fn in_unit(lab: &Lab<'_>, unit: TimeUnit) -> bool {
    let mut spec: VerifySpec = lab.case.spec.clone();
    if let Some(timestamp) = &mut spec.timestamp {
        timestamp.unit = Some(unit);
    }
    lab.verifies_now(&spec)
}

fn stale(off: i64) -> Cause {
    let (side, span) = (if off > 0 { "in the past" } else { "in the future" }, span(off.unsigned_abs()));
    let what =
        format!("the signature is right, and its time is outside the window: {off} s off, {span} {side}");
    let mend = if (900..=FARTHEST_ZONE).contains(&off.unsigned_abs()) && off.unsigned_abs() % 900 < 60 {
        "a whole number of quarters of an hour: somebody's clock runs on local time instead of UTC; or the request \
         is an old one: give `--now` the time at which it came"
    } else if off > 0 {
        "an old request that is sent again, or one that waited on its way; for a capture, give `--now` the time at \
         which it came; else compare both clocks"
    } else {
        "compare both clocks: the sender's is ahead, or ours is behind"
    };
    Cause::proven("stale", what, mend)
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Returns a unit's name for people.
fn name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Seconds => "seconds",
        TimeUnit::Milliseconds => "milliseconds",
        TimeUnit::Rfc3339 => "RFC 3339",
        TimeUnit::HttpDate => "a text date",
    }
}

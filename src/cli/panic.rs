//! What happens with our own bugs: one line on standard error, and exit code 70 when a verb can't go on.
//!
//! `run` catches a panic of a single delivery itself and goes on serving, so the hook only reports.

use super::out;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

/// Makes every panic of the process one line: in the log where there is one, else on standard error.
pub(super) fn report_in_one_line() {
    panic::set_hook(Box::new(|info| {
        let line = line(info);
        if tracing::dispatcher::has_been_set() {
            tracing::error!(bug = true, "{line}");
        } else {
            out::complain_line(&format!("hookway: {line}"));
        }
    }));
}

/// Runs `work`; `None` when it panicked, which the hook has reported.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

fn line(info: &PanicHookInfo<'_>) -> String {
    let text = info.payload_as_str().unwrap_or("no message").replace('\n', " ");
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!("this is a bug in hookway: {text} (at {place}); please report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_in_no_result() {
        assert_eq!(caught(|| 1), Some(1));
        assert_eq!(caught(|| panic!("expected by the test")), None::<()>);
    }
}

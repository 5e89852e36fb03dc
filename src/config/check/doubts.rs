//! What is legal, field by field, and can't do what it was written for. Each rule has a name, a fixture of that name in
//! `tests/fixtures/config/doubts`, and warns only of what it can prove from the file: no right configuration is warned
//! of, so that `check --deny-warnings` can stand in a pipeline.

mod glob;
mod routes;
mod secrets;
mod sinks;
mod sources;
#[cfg(test)]
mod tests;

use super::Facts;
use crate::config::problem::Report;
use wildmatch::WildMatch;

/// Warns of one kind of mistake.
type Rule = fn(&Facts<'_>, &mut Report<'_>);

/// Every rule, by the name of its fixture.
const RULES: [(&str, Rule); 15] = [
    ("source-without-route", routes::every_source_has_a_route),
    ("type-never-occurs", routes::types_occur),
    ("pattern-is-no-regex", routes::patterns_are_globs),
    ("target-twice", routes::targets_differ),
    ("subject-outside-stream", routes::streams_hold_their_subjects),
    ("quarantine-of-many-places", routes::the_quarantine_has_a_fixed_place),
    ("secret-twice", secrets::references_differ),
    ("secret-of-two-senders", secrets::senders_have_their_own),
    ("secret-with-blank", secrets::have_no_blanks),
    ("secret-without-prefix", secrets::begin_as_the_sender_s),
    ("deadline-too-late", sources::deadlines_end_before_senders_leave),
    ("window-too-short", sources::windows_last_as_long_as_retries),
    ("login-unused", sinks::logins_are_used),
    ("sink-smaller-than-bodies", sinks::bodies_fit),
    ("connections-too-few", sources::each_source_has_a_connection),
];

pub(super) fn check(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (_, rule) in RULES {
        rule(facts, report);
    }
}

impl Facts<'_> {
    /// Returns the sources that a pattern takes; without one all.
    fn taken(&self, pattern: Option<&str>) -> impl Iterator<Item = &str> {
        let glob = pattern.map(WildMatch::new);
        let names = self.config.sources.keys().map(String::as_str);
        names.filter(move |name| glob.as_ref().is_none_or(|glob| glob.matches(name)))
    }
}

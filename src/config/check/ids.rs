//! Rules of what an event is known by: ids that tell a repeat from a new event, and texts that are the same for every one.

use super::{Facts, Source};
use crate::{
    config::{keypath::KeyPath, params, problem::Report},
    senders::doubts,
};

/// Runs the rules. What keeps a source from being built is said where it is built.
pub(super) fn check(facts: &Facts<'_>, report: &mut Report<'_>) {
    for Source { name, at, sender, .. } in facts.sources() {
        let unique = sender.dedup.as_ref().and_then(|dedup| dedup.unique.as_ref());
        if unique.is_some_and(|said_by| said_by.trim().is_empty()) {
            let message = "expected who says that ids are unique, found an empty text";
            let fix = "write the page that says it, or take the line out";
            report.error(&at.key("dedup").key("unique"), message, fix);
        }
        for doubt in doubts(sender, name, &params(sender).values) {
            report.warning(&at.join(&KeyPath::parse(&doubt.field)), doubt.problem, doubt.fix);
        }
    }
}

//! Raises the number of files that the process may have open: connections are files, and where the system lets a process
//! have more than it gives it at first, asking is all that is needed.

use crate::config::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are neither connections of senders nor bounded by their number: sinks, segments, the admin listener.
const OTHERS: u64 = 256;

/// Raises the soft limit to the hard one, and says what came of it.
pub(super) fn raise_limit(limits: &Limits) {
    let before = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    let now = getrlimit(Resource::Nofile).current;
    match raised {
        Ok(()) => tracing::info!(before = before.current, now, "limit of open files"),
        Err(error) => tracing::warn!(%error, now, "the limit of open files can't be raised"),
    }
    let wanted = u64::try_from(limits.connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    if now.is_some_and(|now| now < wanted) {
        let connections = limits.connections;
        tracing::warn!(
            now,
            connections,
            "fewer files may be open than `limits.connections` needs; raise `ulimit -n`"
        );
    }
}

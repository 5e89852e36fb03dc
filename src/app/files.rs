//! Raises the number of files that the process may have open: connections are files, and where the system lets a process
//! have more than it gives it at first, asking is all that is needed.

use crate::config::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are neither connections of senders nor bounded by their number: sinks, segments, the admin listener.
const OTHERS: u64 = 256;

/// Files of one worker's runtime: what it waits with, what wakes it, and what tells it of signals.
const WORKER: u64 = 4;

/// Raises the soft limit to the hard one, and says what came of it.
pub(super) fn raise_limit(limits: &Limits, workers: usize) {
    let before = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    let now = getrlimit(Resource::Nofile).current;
    match raised {
        Ok(()) => tracing::info!(before = before.current, now, "limit of open files"),
        Err(error) => tracing::warn!(%error, now, "the limit of open files can't be raised"),
    }
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let others = WORKER.saturating_mul(count(workers)).saturating_add(OTHERS);
    let wanted = count(limits.connections).saturating_add(others);
    if now.is_some_and(|now| now < wanted) {
        let connections = limits.connections;
        tracing::warn!(
            now,
            connections,
            "fewer files may be open than `limits.connections` needs; raise `ulimit -n`"
        );
    }
}

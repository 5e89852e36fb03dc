//! Live, ready, started: what a supervisor asks.
//!
//! Liveness asks only whether the process is stuck; it never depends on a broker. Ready means *send webhooks
//! here*: every sink was found good once, and the process is not draining. A later outage changes nothing, since
//! a 503 with `Retry-After` tells a sender more than a refused connection does.

use parking_lot::RwLock;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

/// The state that the health endpoints show.
#[derive(Debug, Default)]
pub struct Health {
    draining: AtomicBool,
    /// What must be good once: `None` is good, else the reason why not yet.
    checks: RwLock<BTreeMap<String, Option<String>>>,
    /// What an operator should know and readiness does not depend on.
    notes: RwLock<BTreeMap<String, String>>,
}

/// The answer to one question.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether all is well.
    pub ok: bool,
    /// One line a check, in the form that Kubernetes' own API server uses.
    pub lines: Vec<String>,
}

impl Health {
    /// Names a check that is not good yet.
    pub fn expect(&self, check: &str) {
        self.checks.write().insert(check.to_owned(), Some("not checked yet".to_owned()));
    }

    /// Notes the result of a check. Once good, it stays good.
    pub fn report(&self, check: &str, result: Result<(), String>) {
        let mut checks = self.checks.write();
        if checks.get(check) != Some(&None) {
            checks.insert(check.to_owned(), result.err());
        }
    }

    /// Notes something an operator should know; `None` takes it back.
    pub fn note(&self, about: &str, text: Option<String>) {
        let mut notes = self.notes.write();
        match text {
            Some(text) => notes.insert(about.to_owned(), text),
            None => notes.remove(about),
        };
    }

    /// Begins the end: not ready from here on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Answers `/readyz`.
    pub fn ready(&self) -> Verdict {
        let mut verdict = self.started();
        if self.draining.load(Ordering::Relaxed) {
            verdict.ok = false;
            verdict.lines.push("[-]draining failed: the process is ending".to_owned());
        }
        verdict.lines.extend(self.notes.read().iter().map(|(about, text)| format!("[!]{about} {text}")));
        verdict
    }

    /// Answers `/startupz`: each check was good once.
    pub fn started(&self) -> Verdict {
        let checks = self.checks.read();
        let lines = checks.iter().map(|(check, state)| match state {
            None => format!("[+]{check} ok"),
            Some(reason) => format!("[-]{check} failed: {reason}"),
        });
        Verdict { ok: checks.values().all(Option::is_none), lines: lines.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_that_was_good_once_stays_good() {
        let health = Health::default();
        health.expect("sink.bus");
        assert!(!health.ready().ok);
        health.report("sink.bus", Err("no answer".to_owned()));
        assert_eq!(health.ready().lines, ["[-]sink.bus failed: no answer"]);
        health.report("sink.bus", Ok(()));
        health.report("sink.bus", Err("gone".to_owned()));
        assert!(health.ready().ok);
    }

    #[test]
    fn a_draining_process_is_not_ready_and_still_started() {
        let health = Health::default();
        health.drain();
        assert!(!health.ready().ok);
        assert!(health.started().ok);
    }

    #[test]
    fn notes_are_shown_and_change_nothing() {
        let health = Health::default();
        health.note("source.hotel", Some("has no usable secret".to_owned()));
        assert_eq!(
            health.ready(),
            Verdict { ok: true, lines: vec!["[!]source.hotel has no usable secret".to_owned()] }
        );
        health.note("source.hotel", None);
        assert!(health.ready().lines.is_empty());
    }
}

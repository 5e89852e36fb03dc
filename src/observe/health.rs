//! Live, ready, started: what a supervisor asks.
//!
//! Liveness and the start ask only for the process and never for a broker. Ready means *send webhooks here*: no
//! sink refuses what the configuration says, and the process is not draining. A sink that can't be reached changes
//! nothing, since a 503 with `Retry-After` tells a sender more than a refused connection does; and once a sink was
//! good, nothing that it does later changes readiness.

use parking_lot::RwLock;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

/// The state that the health endpoints show.
#[derive(Debug, Default)]
pub struct Health {
    started: AtomicBool,
    draining: AtomicBool,
    checks: RwLock<BTreeMap<String, Check>>,
    /// What an operator should know and readiness does not depend on.
    notes: RwLock<BTreeMap<String, String>>,
}

/// What is known of one part that must be good once.
#[derive(Debug)]
struct Check {
    was_good: bool,
    now: Result<(), Trouble>,
}

/// Why a part is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody has looked yet.
    Unknown,
    /// It can't be reached; that may be over in a moment.
    Away(String),
    /// It was reached and refuses, so that somebody must change something.
    Refused(String),
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
    /// Names a check that nobody has made yet.
    pub fn expect(&self, check: &str) {
        let unknown = Check { was_good: false, now: Err(Trouble::Unknown) };
        self.checks.write().insert(check.to_owned(), unknown);
    }

    /// Notes the result of a check.
    pub fn report(&self, check: &str, result: Result<(), Trouble>) {
        let mut checks = self.checks.write();
        let was_good = result.is_ok() || checks.get(check).is_some_and(|known| known.was_good);
        checks.insert(check.to_owned(), Check { was_good, now: result });
    }

    /// Notes something an operator should know; `None` takes it back.
    pub fn note(&self, about: &str, text: Option<String>) {
        let mut notes = self.notes.write();
        match text {
            Some(text) => notes.insert(about.to_owned(), text),
            None => notes.remove(about),
        };
    }

    /// Notes that the configuration is in use and webhooks are listened for.
    pub fn begin(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Begins the end: not ready from here on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Answers `/readyz`.
    pub fn ready(&self) -> Verdict {
        let checks = self.checks.read();
        let mut verdict = Verdict { ok: checks.values().all(Check::allows), lines: Vec::new() };
        verdict.lines.extend(checks.iter().map(|(name, check)| check.line(name)));
        if self.draining.load(Ordering::Relaxed) {
            verdict.ok = false;
            verdict.lines.push("[-]draining failed: the process is ending".to_owned());
        }
        verdict.lines.extend(self.notes.read().iter().map(|(about, text)| format!("[!]{about} {text}")));
        verdict
    }

    /// Answers `/startupz`.
    pub fn started(&self) -> Verdict {
        let ok = self.started.load(Ordering::Relaxed);
        let line = if ok { "[+]start ok" } else { "[-]start failed: webhooks are not listened for yet" };
        Verdict { ok, lines: vec![line.to_owned()] }
    }
}

impl Check {
    /// Returns whether readiness is not withheld for it.
    fn allows(&self) -> bool {
        self.was_good || !matches!(self.now, Err(Trouble::Unknown | Trouble::Refused(_)))
    }

    fn line(&self, name: &str) -> String {
        let mark = if self.allows() { "[!]" } else { "[-]" };
        match &self.now {
            Ok(()) => format!("[+]{name} ok"),
            Err(Trouble::Unknown) => format!("{mark}{name} failed: not checked yet"),
            Err(Trouble::Away(why) | Trouble::Refused(why)) => format!("{mark}{name} failed: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Result<(), Trouble> {
        Err(Trouble::Away("no answer".to_owned()))
    }

    fn refused() -> Result<(), Trouble> {
        Err(Trouble::Refused("no such topic".to_owned()))
    }

    #[test]
    fn a_sink_that_refuses_withholds_readiness_until_it_was_good_once() {
        let health = Health::default();
        health.expect("sink.bus");
        assert!(!health.ready().ok, "nobody has looked yet");
        health.report("sink.bus", refused());
        assert!(!health.ready().ok);
        assert_eq!(health.ready().lines, ["[-]sink.bus failed: no such topic"]);
        health.report("sink.bus", Ok(()));
        assert!(health.ready().ok);
        health.report("sink.bus", refused());
        let shown = Verdict { ok: true, lines: vec!["[!]sink.bus failed: no such topic".to_owned()] };
        assert_eq!(health.ready(), shown, "the truth is shown, and changes nothing any more");
    }

    #[test]
    fn a_sink_that_cannot_be_reached_does_not_change_readiness() {
        let health = Health::default();
        health.expect("sink.bus");
        health.report("sink.bus", away());
        let shown = Verdict { ok: true, lines: vec!["[!]sink.bus failed: no answer".to_owned()] };
        assert_eq!(health.ready(), shown);
        health.report("sink.bus", refused());
        assert!(!health.ready().ok, "reached for the first time, it refuses");
    }

    #[test]
    fn a_start_waits_for_the_listeners_and_for_no_sink() {
        let health = Health::default();
        assert!(!health.started().ok);
        health.expect("sink.bus");
        health.begin();
        assert!(health.started().ok);
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

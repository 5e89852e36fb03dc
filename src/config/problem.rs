//! What is wrong with a configuration, where, and how to mend it.
//!
//! The loader and every rule write into one [`Report`], so that all problems of a file come out at once, each
//! with the line of the value it is about.

use super::{document::Places, keypath::KeyPath, shown::without_credentials};
use serde::Serialize;
use std::{fmt, path::Path};

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Hookway does not start with it.
    Error,
    /// Hookway starts, but not as its operator may think.
    Warning,
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The place in the document, as `sources.hotel.verify.algorithm`; empty for the document itself.
    pub path: String,
    /// The file as its name was given.
    pub file: String,
    /// The line, from 1; `None` where there is no text to point at.
    pub line: Option<u64>,
    /// The column in characters, from 1.
    pub column: Option<u64>,
    /// What was expected and what was found; never a secret.
    pub message: String,
    /// How to mend it.
    pub fix: String,
}

/// Why there is no configuration: at least one error, and the warnings beside it.
#[derive(Debug, thiserror::Error)]
#[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct LoadError {
    /// All problems in the order of the file.
    pub problems: Vec<Problem>,
}

impl From<Problem> for LoadError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl Problem {
    /// Returns true where Hookway cannot start with it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Returns file, line and column, as far as they are known: `hookway.yaml:41:11`.
    pub(crate) fn place(&self) -> String {
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", self.file),
            _ => self.file.clone(),
        }
    }

    /// Takes passwords out of all its texts, whichever rule wrote them.
    fn without_credentials(mut self) -> Self {
        for text in [&mut self.path, &mut self.file, &mut self.message, &mut self.fix] {
            if text.contains('@') {
                *text = without_credentials(text).into_owned();
            }
        }
        self
    }

    /// States a problem of a whole file.
    pub(super) fn of_file(file: &Path, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            path: String::new(),
            file: file.display().to_string(),
            line: None,
            column: None,
            message: message.into(),
            fix: fix.into(),
        }
        .without_credentials()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_error() { "error" } else { "warning" };
        let place = match self.path.as_str() {
            "" => self.place(),
            path => format!("{path} ({})", self.place()),
        };
        write!(f, "{severity} {place}: {}\n    fix: {}", self.message, self.fix)
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub(super) struct Report<'a> {
    file: &'a Path,
    places: &'a Places,
    problems: Vec<Problem>,
    /// Places whose value could not be read; rules keep silent about them, one mistake is told once.
    unread: Vec<KeyPath>,
}

impl<'a> Report<'a> {
    /// Starts the report of a file whose values stand at `places`.
    pub(super) fn new(file: &'a Path, places: &'a Places) -> Self {
        Self { file, places, problems: Vec::new(), unread: Vec::new() }
    }

    /// Adds an error of a rule.
    pub(super) fn error(&mut self, at: &KeyPath, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Error, at, message.into(), fix.into());
    }

    /// Adds a warning of a rule.
    pub(super) fn warning(&mut self, at: &KeyPath, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Warning, at, message.into(), fix.into());
    }

    /// Adds the error of a value that cannot be read.
    pub(super) fn unreadable(&mut self, at: &KeyPath, message: impl Into<String>, fix: impl Into<String>) {
        self.error(at, message, fix);
        self.unread.push(at.clone());
    }

    /// Takes `at` as unreadable too, because a problem that was told already stands for it.
    pub(super) fn silence(&mut self, at: KeyPath) {
        self.unread.push(at);
    }

    /// Returns true where the value at `at`, or what it stands in, could not be read.
    pub(super) fn is_unread(&self, at: &KeyPath) -> bool {
        self.unread.iter().any(|unread| at.is_within(unread))
    }

    /// Returns true where something directly in the value at `at` could not be read.
    pub(super) fn has_unread(&self, at: &KeyPath) -> bool {
        self.unread.iter().any(|unread| unread.parent().as_ref() == Some(at))
    }

    /// Adds a problem of another file.
    pub(super) fn adopt(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems);
    }

    /// Returns all problems in the order of the file, the errors of one place before its warnings.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by(|left, right| {
            let rank = |problem: &Problem| (problem.line, problem.column, !problem.is_error());
            rank(left).cmp(&rank(right)).then_with(|| left.path.cmp(&right.path))
        });
        self.problems.dedup();
        self.problems
    }

    fn add(&mut self, severity: Severity, at: &KeyPath, message: String, fix: String) {
        if self.is_unread(at) {
            return;
        }
        let spot = self.places.find(at);
        let (line, column) = (spot.map(|spot| spot.line()), spot.map(|spot| spot.column()));
        let problem = Problem::of_file(self.file, message, fix);
        let problem = Problem { severity, path: at.to_string(), line, column, ..problem };
        self.problems.push(problem.without_credentials());
    }
}

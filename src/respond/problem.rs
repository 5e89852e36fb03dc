//! What is wrong with the `respond` part of a document, and how to mend it.

/// One thing that keeps a document's handshakes from being compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecProblem {
    /// Its place in the document, as `respond[0].when`.
    pub field: String,
    /// What was expected and what was found.
    pub problem: String,
    /// How to mend it.
    pub fix: String,
}

impl SpecProblem {
    /// States a problem.
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), fix: fix.into() }
    }
}

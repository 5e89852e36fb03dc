//! What can be wrong with a sender's document, told to the person who writes it; no text of a secret is ever part of it.

use std::borrow::Cow;

/// One thing that is wrong with a document, or should be known of it, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecProblem {
    /// The field's path in the document, as `respond[0].when`; or below its `verify`, as `any_of.1.message`.
    pub field: Cow<'static, str>,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub fix: String,
}

impl SpecProblem {
    pub(crate) fn new(
        field: impl Into<Cow<'static, str>>,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), problem: problem.into(), fix: fix.into() }
    }
}

//! What a suite found: every subject's figures of every round, under every load.

use crate::{figure::Sample, memory::Footprint, scene::Scene, suite::Kind};
use std::collections::BTreeMap;

/// What a suite found.
pub(crate) struct Findings {
    pub(crate) kind: Kind,
    pub(crate) scene: Scene,
    /// By connections; the subjects in the order in which they ran.
    pub(crate) rows: BTreeMap<usize, Vec<Row>>,
    /// Hookway's memory, where it was measured.
    pub(crate) footprint: Option<Footprint>,
    /// What went wrong; a suite with problems proves nothing.
    pub(crate) problems: Vec<String>,
}

/// One subject under one load.
pub(crate) struct Row {
    pub(crate) subject: &'static str,
    /// By round; empty where a measurement failed.
    pub(crate) rounds: Vec<Sample>,
}

impl Findings {
    /// Returns a subject's figures under a load.
    pub(crate) fn get(&self, connections: usize, subject: &str) -> Option<&[Sample]> {
        let row = self.rows.get(&connections)?.iter().find(|row| row.subject == subject)?;
        Some(&row.rounds)
    }

    /// Says what was measured here: the sink, and what else was special.
    pub(crate) fn place(&self) -> String {
        format!("{}{}", self.kind, self.scene)
    }
}

//! From a file's name to a configuration that can be built, or to all that is wrong with it.
//!
//! Parse, hold to the grammar, read into types, lay each source over its preset, then the rules between
//! fields. No step stops at the first problem; only a file that is not YAML ends after the first step.

use super::{
    Config, Limits, Problem, SourceSettings,
    check::{self, Facts},
    document::{Document, Places},
    grammar::Grammar,
    keypath::KeyPath,
    presets::Presets,
    problem::{LoadError, Report},
    reading::{open, read, report_repeated},
    schema,
};
use crate::{senders::SenderSpec, verify::SpecProblem};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A configuration without errors.
#[derive(Debug)]
pub struct Loaded {
    /// What was written, with the embedded journals where no sinks are given.
    pub config: Config,
    /// Each source's effective sender document: the preset with the source's own fields over it.
    pub senders: BTreeMap<String, SenderSpec>,
    /// Each source's bounds and habits, defaults resolved.
    pub sources: BTreeMap<String, SourceSettings>,
    /// The bounds of the process, defaults resolved.
    pub limits: Limits,
    /// The warnings.
    pub problems: Vec<Problem>,
    file: PathBuf,
    places: Places,
}

impl Loaded {
    /// States an error that was found only while a source was built, as a scheme that lacks its header. `field`
    /// is its place below the source, as `verify.header`.
    pub fn source_problem(&self, source: &str, field: &str, message: &str, fix: &str) -> Problem {
        self.problem_at(&KeyPath::of(["sources", source]).join(&KeyPath::parse(field)), message, fix)
    }

    /// States what keeps a source's document from being compiled.
    pub fn document_problems(&self, source: &str, found: Vec<SpecProblem>) -> Vec<Problem> {
        let place = |SpecProblem { field, problem, fix }: SpecProblem| {
            self.source_problem(source, &field, &problem, &fix)
        };
        found.into_iter().map(place).collect()
    }

    /// States an error that was found only while a sink was built. `field` is its place below the sink, as
    /// `nats.tls.ca`.
    pub fn sink_problem(&self, sink: &str, field: &str, message: &str, fix: &str) -> Problem {
        self.problem_at(&KeyPath::of(["sinks", sink]).join(&KeyPath::parse(field)), message, fix)
    }

    /// States an error that was found only while something was built. `place` is as `routes[0].to`.
    pub fn problem(&self, place: &str, message: &str, fix: &str) -> Problem {
        self.problem_at(&KeyPath::parse(place), message, fix)
    }

    fn problem_at(&self, at: &KeyPath, message: &str, fix: &str) -> Problem {
        let mut report = Report::new(&self.file, &self.places);
        report.error(at, message, fix);
        report.finish().pop().unwrap_or_else(|| Problem::of_file(&self.file, message, fix))
    }
}

/// Reads a configuration file. The secrets it refers to are looked for, and a missing one is a warning.
pub fn load(file: &Path) -> Result<Loaded, LoadError> {
    if matches!(file.try_exists(), Ok(false)) {
        let fix = "name it with --config, or write a first one with `hookway init`";
        return Err(Problem::of_file(file, "expected a readable file, and there is none", fix).into());
    }
    load_document(file, open(file)?)
}

/// Takes a parsed document through the steps behind the first.
pub(super) fn load_document(file: &Path, document: Document) -> Result<Loaded, LoadError> {
    if document.tree.is_null() {
        let fix = "name at least one source, as `sources: { hotel: { preset: likemagic, secrets: [ env:HOTEL ] } }`";
        return Err(Problem::of_file(file, "the file is empty", fix).into());
    }
    let mut report = Report::new(file, &document.places);
    report_repeated(&document, &mut report);
    let mut tree = document.tree.clone();
    let root = KeyPath::default();
    Grammar::new(schema()).hold(&mut tree, &root, &mut report);
    let config: Config = read(tree, &root, &mut report).unwrap_or_default();
    let (senders, presets) = Presets::beside(file).senders(&config, &document.tree, &mut report);
    check::all(&Facts { config: &config, senders: &senders, presets: &presets }, &mut report);

    let problems = report.finish();
    if problems.iter().any(Problem::is_error) {
        return Err(LoadError { problems });
    }
    Ok(Loaded {
        limits: Limits::from(&config.limits),
        sources: senders.iter().map(|(name, sender)| (name.clone(), sender.into())).collect(),
        config: config.with_default_sinks(),
        senders,
        problems,
        file: file.to_owned(),
        places: document.places,
    })
}

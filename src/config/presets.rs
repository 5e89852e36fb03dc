//! Lays each source over its preset and reads the result: the effective sender document.

use super::{
    Config, Problem,
    document::{Document, Places},
    grammar::Grammar,
    keypath::KeyPath,
    load::{open, parse, read, report_repeated},
    nearest::{nearest, one_of},
    problem::Report,
    sender_schema,
};
use crate::senders::{self, SenderSpec};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Finds presets: embedded ones by their name, others by a path relative to the configuration.
#[derive(Debug)]
pub(super) struct Presets {
    dir: PathBuf,
    grammar: Grammar,
}

impl Presets {
    /// Looks for preset files where `file` is.
    pub(super) fn beside(file: &Path) -> Self {
        let dir = file.parent().map(Path::to_owned).unwrap_or_default();
        Self { dir, grammar: Grammar::new(sender_schema()) }
    }

    /// Returns the effective sender document of every source. `tree` is the document as it was written, where a
    /// key without a value still stands: it takes the preset's value away.
    pub(super) fn senders(
        &self,
        config: &Config,
        tree: &Value,
        report: &mut Report<'_>,
    ) -> BTreeMap<String, SenderSpec> {
        let mut senders = BTreeMap::new();
        for (name, source) in &config.sources {
            let at = KeyPath::of(["sources", name]);
            let Some(base) = self.base(source.preset.as_deref(), &at.key("preset"), report) else { continue };
            let own = tree.get("sources").and_then(|sources| sources.get(name)).cloned().unwrap_or_default();
            if let Some(sender) = self.read(base, own, &at, report) {
                senders.insert(name.clone(), sender);
            }
        }
        senders
    }

    fn read(
        &self,
        mut base: Value,
        mut own: Value,
        at: &KeyPath,
        report: &mut Report<'_>,
    ) -> Option<SenderSpec> {
        if let Some(own) = own.as_object_mut() {
            own.remove("preset");
            own.remove("secrets");
        }
        senders::overlay(&mut base, own);
        // Both halves were held to the grammar, each in its own file: nothing new can be wrong with the whole.
        let places = Places::default();
        self.grammar.hold(&mut base, at, &mut Report::new(Path::new(""), &places));
        read(base, at, report)
    }

    /// Returns the preset's tree, an empty one without preset; `None` where it cannot be read.
    fn base(&self, preset: Option<&str>, at: &KeyPath, report: &mut Report<'_>) -> Option<Value> {
        let Some(preset) = preset else { return (!report.is_unread(at)).then(Value::default) };
        let is_file = preset.contains('/') || Path::new(preset).extension().is_some_and(|end| end == "yaml");
        let (file, document) = if is_file {
            let file = self.dir.join(preset);
            let document = open(&file);
            (file, document)
        } else if let Some(text) = senders::preset(preset) {
            let file = PathBuf::from(format!("preset {preset}"));
            let document = parse(&file, text);
            (file, document)
        } else {
            report_unknown(preset, at, report);
            return None;
        };
        match document {
            Ok(document) => self.held(&file, document, report),
            Err(error) => {
                for problem in error.problems {
                    report.unreadable(at, format!("{}: {}", problem.place(), problem.message), problem.fix);
                }
                None
            }
        }
    }

    fn held(&self, file: &Path, mut document: Document, report: &mut Report<'_>) -> Option<Value> {
        let mut own = Report::new(file, &document.places);
        report_repeated(&document, &mut own);
        self.grammar.hold(&mut document.tree, &KeyPath::default(), &mut own);
        let problems = own.finish();
        let sound = !problems.iter().any(Problem::is_error);
        report.adopt(problems);
        sound.then_some(document.tree)
    }
}

fn report_unknown(preset: &str, at: &KeyPath, report: &mut Report<'_>) {
    let meant =
        nearest(preset, senders::names()).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    let known = one_of(senders::names());
    report.unreadable(
        at,
        format!("there is no preset \"{}\"", preset.escape_debug()),
        format!("{meant}the presets are {known}; a file's name holds a `/` or ends in `.yaml`"),
    );
}

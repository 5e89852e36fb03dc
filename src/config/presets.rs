//! Lays each source over its preset and reads the result: the effective sender document.

use super::{
    Config, Problem,
    document::{Document, Places},
    grammar::Grammar,
    keypath::KeyPath,
    nearest::nearest,
    problem::{LoadError, Report},
    reading::{open, parse, read, report_repeated},
    sender_schema,
};
use crate::senders::{self, SenderSpec};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The keys of a source that are no part of its sender's document.
const OF_THE_OPERATOR: [&str; 4] = ["preset", "secrets", "confirm", "capture"];

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

    /// Returns the effective sender document of every source, and what its preset says by itself. `tree` is the document
    /// as it was written, where a key without a value still stands: it takes the preset's value away.
    pub(super) fn senders(
        &self,
        config: &Config,
        tree: &Value,
        report: &mut Report<'_>,
    ) -> (BTreeMap<String, SenderSpec>, BTreeMap<String, SenderSpec>) {
        let (mut senders, mut presets) = (BTreeMap::new(), BTreeMap::new());
        for (name, source) in &config.sources {
            let at = KeyPath::of(["sources", name]);
            let Some(base) = self.base(source.preset.as_deref(), &at.key("preset"), report) else { continue };
            let own = tree.get("sources").and_then(|sources| sources.get(name)).cloned().unwrap_or_default();
            let mut preset = base.clone();
            self.settle(&mut preset, &at);
            presets.extend(serde_json::from_value(preset).ok().map(|preset| (name.clone(), preset)));
            if let Some(sender) = self.read(base, own, &at, report) {
                senders.insert(name.clone(), sender);
            }
        }
        (senders, presets)
    }

    fn read(
        &self,
        mut base: Value,
        mut own: Value,
        at: &KeyPath,
        report: &mut Report<'_>,
    ) -> Option<SenderSpec> {
        if let Some(own) = own.as_object_mut() {
            for key in OF_THE_OPERATOR {
                own.remove(key);
            }
        }
        senders::overlay(&mut base, own);
        self.settle(&mut base, at);
        read(base, at, report)
    }

    /// Takes out the keys without a value, once all layers lie over one another. Each layer was held to the grammar
    /// in its own file: nothing new can be wrong with the whole.
    fn settle(&self, tree: &mut Value, at: &KeyPath) {
        let places = Places::default();
        self.grammar.hold(tree, at, &mut Report::new(Path::new(""), &places));
    }

    /// Returns the preset's tree, an empty one without preset; `None` where it cannot be read.
    fn base(&self, preset: Option<&str>, at: &KeyPath, report: &mut Report<'_>) -> Option<Value> {
        let Some(preset) = preset else { return (!report.is_unread(at)).then(Value::default) };
        let is_file = preset.contains('/') || Path::new(preset).extension().is_some_and(|end| end == "yaml");
        let (file, document, variant) = if is_file {
            let file = self.dir.join(preset);
            let document = open(&file);
            (file, document, None)
        } else if let Some(found) = senders::find(preset) {
            let file = PathBuf::from(format!("preset {}", found.document));
            let document = parse(&file, found.text);
            (file, document, found.variant)
        } else {
            report_unknown(preset, at, report);
            return None;
        };
        match document {
            Ok(document) => self.held(&file, document, variant, report),
            Err(error) => {
                for problem in error.problems {
                    report.unreadable(at, format!("{}: {}", problem.place(), problem.message), problem.fix);
                }
                None
            }
        }
    }

    /// Holds a document to the grammar and returns its tree with the variant's fields over it. Keys without a value
    /// still stand in it: they take away what a layer below them says.
    fn held(
        &self,
        file: &Path,
        document: Document,
        variant: Option<&str>,
        report: &mut Report<'_>,
    ) -> Option<Value> {
        let mut own = Report::new(file, &document.places);
        report_repeated(&document, &mut own);
        self.grammar.hold(&mut document.tree.clone(), &KeyPath::default(), &mut own);
        let problems = own.finish();
        let sound = !problems.iter().any(Problem::is_error);
        report.adopt(problems);
        let mut tree = document.tree;
        let mut variants = tree.as_object_mut().and_then(|tree| tree.remove("variants")).unwrap_or_default();
        if let Some(over) = variant.and_then(|variant| variants.get_mut(variant)) {
            senders::overlay(&mut tree, over.take());
        }
        sound.then_some(tree)
    }
}

/// Returns the effective document of a preset by its name, by that of a variant, or by the path of a file: what a
/// source has that states nothing else.
pub fn preset_document(preset: &str) -> Result<Value, LoadError> {
    let presets = Presets::beside(Path::new(""));
    let places = Places::default();
    let mut report = Report::new(Path::new(preset), &places);
    let tree = presets.base(Some(preset), &KeyPath::default(), &mut report);
    let problems = report.finish();
    match tree {
        Some(mut tree) => {
            presets.settle(&mut tree, &KeyPath::default());
            Ok(tree)
        }
        None => Err(LoadError { problems }),
    }
}

fn report_unknown(preset: &str, at: &KeyPath, report: &mut Report<'_>) {
    let message = format!("there is no preset \"{}\"", preset.escape_debug());
    report.unreadable(at, message, unknown_preset_fix(preset));
}

/// Says which preset may have been meant.
pub(crate) fn unknown_preset_fix(preset: &str) -> String {
    let meant = nearest(preset, senders::all_names());
    let meant = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    format!("{meant}`hookway senders` lists the presets; a file's name holds a `/` or ends in `.yaml`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DOCUMENT: &str = "
sender: acme
deadline: 2s
verify: { algorithm: hmac-sha256, header: x-a, timestamp: { header: x-t, unit: ms } }
variants:
  acme-old:
    verify: { algorithm: hmac-sha1, timestamp: { unit: } }
    deadline:
  acme-eu: {}
";

    fn held(variant: Option<&str>, own: Value) -> Value {
        let presets = Presets::beside(Path::new(""));
        let places = Places::default();
        let mut report = Report::new(Path::new("acme"), &places);
        let document = parse(Path::new("acme"), DOCUMENT).unwrap();
        let mut tree = presets.held(Path::new("acme"), document, variant, &mut report).unwrap();
        senders::overlay(&mut tree, own);
        presets.settle(&mut tree, &KeyPath::default());
        assert!(report.finish().is_empty());
        tree
    }

    #[test]
    fn a_variant_lies_between_its_document_and_the_source() {
        let plain = held(None, json!({}));
        assert_eq!(plain["verify"]["timestamp"], json!({ "header": "x-t", "unit": "ms" }));
        assert_eq!(plain.get("variants"), None);
        assert_eq!(held(Some("acme-eu"), json!({})), plain);

        let old = held(Some("acme-old"), json!({ "verify": { "header": "x-b" } }));
        let verify = json!({ "algorithm": "hmac-sha1", "header": "x-b", "timestamp": { "header": "x-t" } });
        assert_eq!(old, json!({ "sender": "acme", "verify": verify }), "keys without a value take away");
        assert_eq!(held(Some("acme-old"), json!({ "deadline": "1s" }))["deadline"], "1s");
        assert_eq!(held(None, json!({ "verify": { "timestamp": null } }))["verify"].get("timestamp"), None);
    }

    #[test]
    fn a_preset_that_nobody_knows_is_told_the_nearest() {
        let error = preset_document("likemagik").unwrap_err();
        assert!(error.to_string().contains("did you mean `likemagic`?"), "{error}");
        assert_eq!(preset_document("likemagic").unwrap()["sender"], "likemagic");
    }
}

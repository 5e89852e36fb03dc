//! Senders are data: one YAML document per sender says how it signs, shakes hands, names its events, finds their
//! key and id, and how patient it is. The documents beside this file are embedded in the binary; a source pulls one
//! in by `preset: NAME` and may override any field, and a custom sender is the same document written by the user.
//!
//! A document may hold `variants`: other names under which it differs in some fields. The effective document is
//! the document, under its variant, under the source's own fields.

mod compiled;
mod embedded;
mod spec;

pub use compiled::{Compiled, doubts};
pub use spec::{DedupSpec, ReplySpec, RetrySpec, SampleSpec, SenderSpec};

use embedded::DOCUMENTS;
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

/// What a preset's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// The document's name.
    pub document: &'static str,
    /// The document's YAML.
    pub text: &'static str,
    /// The variant of it that is meant.
    pub variant: Option<&'static str>,
}

/// A document's name and its text.
type Document = (&'static str, &'static str);

/// Each variant's name, with its document.
static VARIANTS: LazyLock<BTreeMap<String, &Document>> = LazyLock::new(|| {
    let of =
        |document: &'static Document| variants_of(document.1).into_keys().map(move |name| (name, document));
    DOCUMENTS.iter().flat_map(of).collect()
});

/// Returns the names of all documents, in the order of the alphabet.
pub fn names() -> impl Iterator<Item = &'static str> {
    DOCUMENTS.iter().map(|(name, _)| *name)
}

/// Returns every name that `preset:` takes: those of the documents, then those of their variants.
pub fn all_names() -> impl Iterator<Item = &'static str> {
    names().chain(VARIANTS.keys().map(String::as_str))
}

/// Returns the names of a document's variants, in the order of the alphabet.
pub fn variants(document: &str) -> impl Iterator<Item = &'static str> {
    VARIANTS.iter().filter(move |(_, (of, _))| *of == document).map(|(variant, _)| variant.as_str())
}

/// Returns the YAML text of a document.
pub fn preset(name: &str) -> Option<&'static str> {
    DOCUMENTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Finds a preset by the name of its document or of a variant.
pub fn find(name: &str) -> Option<Preset> {
    if let Some((document, text)) = DOCUMENTS.iter().find(|(known, _)| *known == name) {
        return Some(Preset { document, text, variant: None });
    }
    let (variant, (document, text)) = VARIANTS.get_key_value(name)?;
    Some(Preset { document, text, variant: Some(variant) })
}

/// Lays a document over another: maps are joined key by key, anything else replaces what stood there.
pub fn overlay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                overlay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// Returns the variants of a document by name; none where it can't be read, which a test rules out.
fn variants_of(text: &str) -> BTreeMap<String, Value> {
    #[derive(Deserialize)]
    struct Document {
        variants: Option<BTreeMap<String, Value>>,
    }
    serde_saphyr::from_str::<Document>(text).ok().and_then(|document| document.variants).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::{collections::BTreeSet, fs};

    #[test]
    fn maps_are_joined_and_lists_are_replaced() {
        let mut base =
            json!({ "verify": { "header": "x-a", "encoding": "hex" }, "retries": { "after": ["1s", "2s"] } });
        overlay(
            &mut base,
            json!({ "verify": { "header": "x-b" }, "retries": { "after": ["5s"] }, "deadline": "1s" }),
        );
        let joined = json!({
            "verify": { "header": "x-b", "encoding": "hex" }, "retries": { "after": ["5s"] }, "deadline": "1s",
        });
        assert_eq!(base, joined);
    }

    #[test]
    fn every_name_has_its_document() {
        for name in names() {
            assert!(preset(name).is_some_and(|text| !text.trim().is_empty()), "{name}");
        }
        assert_eq!(preset("nobody"), None);
        assert_eq!(find("nobody"), None);
    }

    #[test]
    fn every_document_beside_the_code_is_embedded_in_the_order_of_the_alphabet() {
        let files = fs::read_dir("src/senders").unwrap().map(|entry| entry.unwrap().path());
        let files: BTreeSet<String> = files
            .filter(|file| file.extension().is_some_and(|end| end == "yaml"))
            .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert!(names().eq(files.iter().map(String::as_str)), "write them into src/senders/embedded.rs");
    }

    #[test]
    fn no_two_presets_have_one_name() {
        let mut seen = BTreeSet::new();
        for (name, text) in DOCUMENTS {
            assert!(serde_saphyr::from_str::<SenderSpec>(text).is_ok(), "{name} can't be read");
            for named in variants_of(text).into_keys().chain([(*name).to_owned()]) {
                assert!(seen.insert(named.clone()), "{named} stands for two presets");
            }
        }
        assert_eq!(all_names().count(), seen.len());
    }

    #[test]
    fn a_variant_leads_to_its_document() {
        for variant in names().flat_map(variants) {
            let found = find(variant).unwrap();
            assert_eq!(found.variant, Some(variant));
            assert!(variants(found.document).any(|known| known == variant));
        }
        assert!(variants("nobody").next().is_none());
    }
}

//! From a file's text to a document, and from a tree to its type: the steps that configuration and presets share.

use super::{
    Problem,
    document::{self, Document, SyntaxError},
    keypath::KeyPath,
    problem::{LoadError, Report},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{fs, io, path::Path};

pub(super) fn open(file: &Path) -> Result<Document, LoadError> {
    let text = fs::read_to_string(file).map_err(|cause| {
        let is_text = cause.kind() != io::ErrorKind::InvalidData;
        let fix = if is_text { "name a file that this user may read" } else { "store it as UTF-8 text" };
        Problem::of_file(file, format!("expected a readable file: {cause}"), fix)
    })?;
    parse(file, &text)
}

pub(super) fn parse(file: &Path, text: &str) -> Result<Document, LoadError> {
    document::parse(text).map_err(|SyntaxError { spot, message }| {
        let line = spot.and_then(|spot| usize::try_from(spot.line()).ok()).unwrap_or(0);
        let mut near = text.lines().skip(line.saturating_sub(2)).take(2);
        let fix = if near.any(|line| line.trim_start_matches(' ').starts_with('\t')) {
            "indent with blanks: YAML takes no tab there"
        } else {
            "mend the YAML here or just above; the rest is checked after that"
        };
        let problem = Problem::of_file(file, message, fix);
        Problem { line: spot.map(|spot| spot.line()), column: spot.map(|spot| spot.column()), ..problem }
            .into()
    })
}

/// Reports the keys that stand twice; the first value is the one that was checked.
pub(super) fn report_repeated(document: &Document, report: &mut Report<'_>) {
    for (at, line) in &document.repeated {
        report.error(at, format!("this key stands twice, first in line {line}"), "keep one of the two");
    }
}

/// Reads a tree that fits its grammar into its type.
pub(super) fn read<T: DeserializeOwned>(tree: Value, at: &KeyPath, report: &mut Report<'_>) -> Option<T> {
    let read = serde_json::from_value(tree).ok();
    if read.is_none() {
        // serde's own words may quote the value, so they are left out.
        report.unreadable(at, "this cannot be read", "compare it with `hookway schema`");
    }
    read
}

//! Runs the Python programs beside this file: readers and a checker that share no code with Hookway.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::process;

/// Time a program gets beyond the deadline it was told, to start and to report.
const SLACK: Duration = Duration::from_secs(20);

/// Returns the path of something that `make setup-test` provides; panics with that advice if it is missing.
pub(crate) fn provided(below_cache: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache").join(below_cache);
    assert!(path.exists(), "missing .cache/{below_cache}: run `make setup-test` first");
    path
}

/// Runs one of the programs of `tests/support` and returns its lines, each parsed; panics if it fails.
pub(crate) fn lines<T: for<'a> Deserialize<'a>>(program: &str, words: &[&str], limit: Duration) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(program);
    let mut command = Command::new(provided("venv/bin/python"));
    command.arg(path).args(words).arg(limit.as_secs().to_string());
    let finished = process::run(&command, b"", limit + SLACK);
    assert!(finished.status.success(), "{program} {words:?} failed:\n{}", finished.errors);
    parsed(&finished.output)
}

/// An event as the official Python SDK of `CloudEvents` understood it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Understood {
    /// Its attributes; times as RFC 3339.
    pub(crate) attributes: serde_json::Map<String, Value>,
    /// Its data: a JSON value, a text, or `{"base64": …}`.
    pub(crate) data: Value,
}

/// Has the official Python SDK parse messages, each as `validate.py` describes; panics naming the bad one.
pub(crate) fn validated(messages: &[Value]) -> Vec<Understood> {
    validate(messages).unwrap_or_else(|problem| panic!("not a valid CloudEvent: {problem}"))
}

/// Has the official Python SDK parse messages.
///
/// # Errors
/// Returns what the SDK found wrong with the first bad one, and which that is.
pub(crate) fn validate(messages: &[Value]) -> Result<Vec<Understood>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/validate.py");
    let mut command = Command::new(provided("venv/bin/python"));
    command.arg(path);
    let input: String = messages.iter().flat_map(|message| [message.to_string(), "\n".to_owned()]).collect();
    let finished = process::run(&command, input.as_bytes(), SLACK);
    if finished.status.success() { Ok(parsed(&finished.output)) } else { Err(finished.errors) }
}

/// Parses JSON lines.
fn parsed<T: for<'a> Deserialize<'a>>(output: &str) -> Vec<T> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}"));
    output.lines().map(parse).collect()
}

//! Where results go and where failures are said: into a full disk, into a pipe that nobody reads, as JSON.

use crate::{binary, eventually::PATIENCE, process, samples::event};
use serde_json::Value;
use std::{
    fs::{self, OpenOptions},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// One source with a secret, at addresses where nobody listens.
const CONFIG: &str = "
listen: 127.0.0.1:1
admin: 127.0.0.1:2
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
";

fn command(home: &TempDir, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
    command.args(arguments.split_whitespace()).current_dir(home.path());
    command
}

/// Runs a verb whose results go to `output`.
fn into(home: &TempDir, arguments: &str, output: impl Into<Stdio>) -> (Option<i32>, String) {
    let mut command = command(home, arguments);
    let ended = command.stdin(Stdio::null()).stdout(output).stderr(Stdio::piped()).output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

/// Verbs that print and end, whatever their answer is.
const PRINTING: [&str; 12] = [
    "--help",
    "--version",
    "check",
    "check --json",
    "check --memory",
    "senders",
    "senders --json",
    "senders show github",
    "schema",
    "schema envelope",
    "trigger --all",
    "explain --source hotel right.http",
];

#[test]
fn results_that_can_not_be_written_are_74_and_a_reader_that_left_is_0() {
    let home = binary::home(CONFIG);
    fs::write(home.path().join("right.http"), event("1")).unwrap();
    for arguments in PRINTING {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, errors) = into(&home, arguments, full);
        assert_eq!(code, Some(74), "hookway {arguments} > /dev/full: {errors}");
        assert!(errors.contains("can't be written"), "{arguments}: {errors}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(into(&home, arguments, writer), (Some(0), String::new()), "hookway {arguments} | true");
    }
}

#[test]
fn with_json_each_failure_is_one_object_that_holds_its_exit_code() {
    let home = binary::home(CONFIG);
    for (arguments, code) in [
        ("tail --json", 69),
        ("capture hotel --json", 69),
        ("capture nobody --json", 64),
        ("senders show nobody --json", 64),
        ("init --json", 64),
        ("-c nowhere/x.yaml init --json", 74),
        ("-c nowhere.yaml run --json", 78),
        ("-c nowhere.yaml trigger --json", 78),
    ] {
        let finished = process::run(&command(&home, arguments), b"", PATIENCE);
        assert_eq!(finished.status.code(), Some(code), "{arguments}: {}", finished.errors);
        let said: Value = serde_json::from_str(&finished.errors)
            .unwrap_or_else(|error| panic!("hookway {arguments}: {error}: {}", finished.errors));
        assert_eq!(said["exit"], code, "{said}");
        assert!(said["error"].as_str().is_some_and(|text| !text.is_empty()), "{said}");
        assert_eq!(finished.output, "", "{arguments}");
    }
}

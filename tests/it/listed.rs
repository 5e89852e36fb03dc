//! `hookway senders` as an operator types it.

use crate::{
    eventually::PATIENCE,
    process::{self, Finished},
};
use serde_json::Value;
use std::{collections::BTreeSet, process::Command};

fn senders(arguments: &[&str]) -> Finished {
    let home = process::home("it");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
    command.arg("senders").args(arguments).current_dir(home.path());
    process::run(&command, b"", PATIENCE)
}

#[test]
fn every_sender_has_one_line_and_one_object() {
    let listed = senders(&["--json"]);
    assert_eq!(listed.status.code(), Some(0), "{}", listed.errors);
    let rows: Vec<Value> = serde_json::from_str(&listed.output).unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"likemagic"), "{names:?}");
    for row in &rows {
        assert!(
            row["keys"].is_array() && row["handshakes"].is_array() && row["variants"].is_array(),
            "{row}"
        );
    }
    let scheme = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap()["scheme"].clone();
    assert_eq!((scheme("github"), scheme("syncaroo")), ("hmac-sha256".into(), Value::Null));

    let table = senders(&[]);
    let lines = table.output.lines().filter(|line| !line.starts_with(' '));
    let first: Vec<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(first[1..], names, "{}", table.output);
    assert!(!table.output.contains('\x1b'), "no colours in a pipe");
}

#[test]
fn a_shown_document_is_one_that_a_source_can_take() {
    let shown = senders(&["show", "likemagic"]);
    assert_eq!(shown.status.code(), Some(0), "{}", shown.errors);
    let home =
        crate::binary::home("sources: { hotel: { preset: ./acme.yaml, secrets: [ file:$home/secret ] } }\n");
    std::fs::write(home.path().join("acme.yaml"), &shown.output).unwrap();
    let checked = process::run(&crate::binary::command(&home, "check"), b"", PATIENCE);
    assert_eq!(checked.status.code(), Some(0), "{}{}", checked.output, checked.errors);
}

#[test]
fn variants_are_shown_as_the_documents_that_they_make() {
    let rows: Vec<Value> = serde_json::from_str(&senders(&["--json"]).output).unwrap();
    let variants: BTreeSet<&str> =
        rows.iter().flat_map(|row| row["variants"].as_array().unwrap()).filter_map(Value::as_str).collect();
    for variant in variants {
        let shown = senders(&["show", variant, "--json"]);
        let document: Value = serde_json::from_str(&shown.output).unwrap();
        assert!(
            document["sender"].is_string() && document.get("variants").is_none(),
            "{variant}: {document}"
        );
    }
}

#[test]
fn a_name_that_nobody_has_is_wrong_usage_and_told_the_nearest() {
    let finished = senders(&["show", "likemagik"]);
    assert_eq!((finished.status.code(), finished.output.as_str()), (Some(64), ""));
    assert!(finished.errors.contains("did you mean `likemagic`?"), "{}", finished.errors);
}

//! What `check` prints holds no secret, whatever stands in the file: a text that looks like one is put at every place of
//! the schema, one place at a time.

use super::{Exit, Report};
use crate::config;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, fs};

/// Texts that hold a secret; the last two also where a name would be quoted.
const CANARIES: [&str; 3] =
    ["hunter2-canary-0123456789", "user:canary@host:1", "https://u:canary@h.example/"];

/// Places whose text the operator must see to mend it, by their end, and why that is harmless. What looks like a password
/// in an address is not shown there either.
const QUOTED: [(&str, &str); 6] = [
    (".sink", "a sink's name, chosen in the same file"),
    ("quarantine", "likewise"),
    ("match.source", "a source's name, chosen in the same file"),
    (".preset", "a preset's name or file"),
    (".stream", "a stream's name, told in the summary"),
    (".dir", "a folder of this machine, told in the summary"),
];

/// Returns every place of a schema, as keys; `0` is the first of a list, `x` any key of a map.
fn places(root: &Value, schema: &Value, at: &[String], found: &mut BTreeSet<Vec<String>>) {
    found.insert(at.to_vec());
    // A variant is a source again, and an alternative a scheme: one round is enough.
    let repeats = |key: &str| at.iter().filter(|step| *step == key).count();
    if at.len() > 8 || repeats("variants") > 0 && at.len() > 4 || repeats("any_of") > 1 {
        return;
    }
    if let Some(name) =
        schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"))
    {
        let repeats = at.len() > 6;
        if !repeats {
            places(root, &root["$defs"][name], at, found);
        }
    }
    let step = |key: &str| [at, &[key.to_owned()]].concat();
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        places(root, property, &step(key), found);
    }
    if let Some(entry) = schema.get("additionalProperties").filter(|entry| entry.is_object()) {
        places(root, entry, &step("x"), found);
    }
    if let Some(items) = schema.get("items") {
        places(root, items, &step("0"), found);
    }
    for list in ["oneOf", "anyOf", "allOf"] {
        for other in schema.get(list).and_then(Value::as_array).into_iter().flatten() {
            places(root, other, at, found);
        }
    }
}

/// Puts a text at a place of an otherwise good configuration.
fn with(place: &[String], text: &str) -> Value {
    let mut document = json!({
        "sources": {"x": {"preset": "github", "secrets": ["env:PATH"]}},
        "sinks": {"x": {"journal": {"dir": "data"}}},
        "routes": [{"match": {}, "to": {"sink": "x"}}],
    });
    match place.get(2).map(String::as_str) {
        Some("kafka") => document["sinks"]["x"] = json!({"kafka": {"brokers": ["h:1"]}}),
        Some("nats") => document["sinks"]["x"] = json!({"nats": {"servers": ["nats://h:1"], "stream": "s"}}),
        _ => {}
    }
    let mut slot = &mut document;
    for key in place {
        if key == "0" {
            if slot.as_array().is_none_or(Vec::is_empty) {
                *slot = json!([null]);
            }
            slot = &mut slot[0];
        } else {
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            slot = &mut slot[key.as_str()];
        }
    }
    *slot = text.into();
    document
}

/// Returns all that `check` says, for people and as JSON.
fn said(document: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookway.yaml");
    fs::write(&file, document.to_string()).unwrap();
    let report = Report::of(config::load(&file), true);
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    format!("{}\n{}", told.join("\n"), serde_json::to_string(&report).unwrap())
}

#[test]
fn nothing_that_may_be_a_secret_is_quoted_wherever_it_stands() {
    let schema = config::schema();
    let mut found = BTreeSet::new();
    places(&schema, &schema, &[], &mut found);
    for option in [
        "client.id",
        "debug",
        "compression.type",
        "linger.ms",
        "sasl.username",
        "sasl.mechanism",
        "ssl.ca.pem",
    ] {
        found.insert(["sinks", "x", "kafka", "options", option].map(str::to_owned).to_vec());
    }
    assert!(found.len() > 150, "{}", found.len());
    let mut quoted = Vec::new();
    for (n, place) in found.iter().enumerate() {
        // One of the two addresses in turn: whatever the place, the same function hides them.
        for canary in [CANARIES[0], CANARIES[1 + n % 2]] {
            let is_named = QUOTED.iter().any(|(end, _)| place.join(".").ends_with(end));
            if is_named && !canary.contains('@') {
                continue;
            }
            let said = said(&with(place, canary));
            if let Some(line) = said.lines().find(|line| line.contains("canary")) {
                quoted.push(format!("{}: {}", place.join("."), line.chars().take(300).collect::<String>()));
            }
        }
    }
    assert!(quoted.is_empty(), "{} places\n{}", quoted.len(), quoted.join("\n"));
}

#[test]
fn warnings_end_with_1_only_where_they_are_denied() {
    let report = |errors, warnings| Report {
        ok: errors == 0,
        errors,
        warnings,
        problems: Vec::new(),
        summary: None,
        memory: None,
    };
    assert_eq!(report(0, 0).exit(true), Exit::Well);
    assert_eq!(report(0, 1).exit(false), Exit::Well);
    assert_eq!(report(0, 1).exit(true), Exit::Negative);
    assert_eq!(report(2, 1).exit(true), Exit::Config);
}

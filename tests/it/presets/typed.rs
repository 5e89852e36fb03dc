//! All presets in one configuration, as an operator types it: `check` finds it right, `run` takes what `trigger` sends, and
//! nothing that is printed holds a secret.

use super::{presets, source::Source};
use crate::{
    binary::{self, Hookway},
    eventually::PATIENCE,
    process::{self, Finished},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use tempfile::TempDir;

/// One preset for each place in which a signature or secret stands, and an event of it.
const PLACES: [(&str, &str); 7] = [
    ("stripe", "payment_intent.succeeded"),
    ("likemagic", "TASK_CREATED"),
    ("postmark", "Delivery"),
    ("azure-event-grid", "Microsoft.Storage.BlobCreated"),
    ("braintree", "check"),
    ("microsoft-graph", "updated"),
    ("adyen", "CAPTURE"),
];

/// Returns a configuration of these presets, each as a source of its own name, and the folder of their secrets.
fn configuration(names: &[&'static str]) -> (String, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let source = |name: &&'static str| ((*name).to_owned(), Source::new(name).configured(folder.path()));
    let sources: serde_json::Map<String, Value> = names.iter().map(source).collect();
    // JSON is YAML, too.
    (format!("sources: {}\n", Value::Object(sources)), folder)
}

#[test]
fn a_configuration_of_all_presets_is_right() {
    let (yaml, _secrets) = configuration(&presets());
    let home = binary::home(&yaml);
    let mut command = binary::command(&home, "check");
    let checked = process::run(command.arg("--json"), b"", PATIENCE);
    assert_eq!(checked.status.code(), Some(0), "{}{}", checked.output, checked.errors);
    let said: Value = serde_json::from_str(&checked.output).unwrap();
    // All but the secrets, which are the tests' own and those of all sources.
    let problems = said["problems"].as_array().unwrap();
    let others: Vec<&Value> =
        problems.iter().filter(|problem| !problem["path"].as_str().unwrap().contains(".secrets[")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn a_running_source_takes_what_trigger_sends() {
    let (yaml, _secrets) = configuration(&PLACES.map(|(name, _)| name));
    let (hookway, home) = (Hookway::start(&yaml), binary::home(&yaml));
    for (name, event) in PLACES {
        let sent = trigger(&home, name, event, &["--url", &format!("http://{}", hookway.webhooks)]);
        assert_eq!(sent.status.code(), Some(0), "{name}: {}{}", sent.output, sent.errors);
    }
}

#[test]
fn a_printed_request_never_holds_a_secret() {
    let (yaml, _secrets) = configuration(&PLACES.map(|(name, _)| name));
    let home = binary::home(&yaml);
    for (name, event) in PLACES {
        for form in ["--print", "--print=curl", "--json"] {
            let arguments = if form == "--json" { vec!["--print", form] } else { vec![form] };
            let printed = trigger(&home, name, event, &arguments);
            assert_eq!(printed.status.code(), Some(0), "{name}: {}", printed.errors);
            for secret in Source::new(name).secrets() {
                for text in [secret.clone(), STANDARD.encode(secret)] {
                    assert!(!printed.output.contains(&text), "{name} {form}: {}", printed.output);
                }
            }
        }
    }
}

fn trigger(home: &TempDir, name: &str, event: &str, more: &[&str]) -> Finished {
    let mut command = binary::command(home, "trigger");
    command.args([&format!("{name}.{event}"), "--source", name]).args(more);
    process::run(&command, b"", PATIENCE)
}

//! `hookway tail` as a script uses it: the exit code tells "nothing" from "well".

use crate::binary;
use std::fs;

const CONFIG: &str = "
sources: { any: { preset: none } }
sinks: { kept: { journal: { dir: '$home/kept' } } }
routes: [ { to: { sink: kept } } ]
quarantine: { sink: kept }
";

#[test]
fn an_empty_sink_names_the_quarantine_where_something_stands_there() {
    let home = binary::home(
        &CONFIG
            .replace("quarantine: { sink: kept }", "quarantine: { sink: aside }")
            .replace("routes:", "  aside: { journal: { dir: '$home/aside' } }\nroutes:")
            .replace(
                "sinks: { kept: { journal: { dir: '$home/kept' } } }",
                "sinks:\n  kept: { journal: { dir: '$home/kept' } }",
            ),
    );
    let said = || {
        let output = binary::command(&home, "tail").args(["kept", "--once"]).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    fs::create_dir(home.path().join("kept")).unwrap();
    assert_eq!(said(), "nothing stands in kept\n");
    fs::create_dir(home.path().join("aside")).unwrap();
    assert_eq!(said(), "nothing stands in kept\n");
    let records = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/journal/three-records");
    fs::copy(records, home.path().join("aside/00000000000000000001.segment")).unwrap();
    assert_eq!(said(), "nothing stands in kept, and something in the quarantine: hookway tail aside\n");
}

#[test]
fn a_broker_that_is_away_is_69_with_its_address() {
    // Port 1 of the loopback device: nothing listens there.
    for sink in
        ["nats: { servers: [ 'nats://127.0.0.1:1' ], stream: S }", "kafka: { brokers: [ '127.0.0.1:1' ] }"]
    {
        let place = if sink.starts_with("nats") { "subject: a.b" } else { "topic: a" };
        let home = binary::home(&format!(
            "sources: {{ any: {{ preset: none }} }}\nsinks: {{ bus: {{ {sink} }} }}\n\
             routes: [ {{ to: {{ sink: bus, {place} }} }} ]\nquarantine: {{ sink: bus, {place} }}\n"
        ));
        let output = binary::command(&home, "tail").args(["bus", "--once"]).output().unwrap();
        assert_eq!(output.status.code(), Some(69), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("127.0.0.1:1"), "{output:?}");
    }
}

#[test]
fn a_tail_that_shows_nothing_ends_with_1() {
    let home = binary::home(CONFIG);
    let tail = |arguments: &[&str]| {
        let output =
            binary::command(&home, "tail").args(["kept", "--once"]).args(arguments).output().unwrap();
        (output.status.code().unwrap(), output.stdout.split(|byte| *byte == b'\n').count() - 1)
    };
    fs::create_dir(home.path().join("kept")).unwrap();
    assert_eq!(tail(&[]), (1, 0), "an empty journal");
    let records = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/journal/three-records");
    fs::copy(records, home.path().join("kept/00000000000000000001.segment")).unwrap();
    assert_eq!(tail(&[]), (0, 3));
    assert_eq!(tail(&["--type", "com.nobody.*"]), (1, 0), "nothing fits");
}

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

//! Warnings of `check` have an edge: next to each configuration that is warned of stands one that is not, a word away. A
//! warning that goes on after it was heeded is soon not read any more.

use hookway::config::{self, Problem};
use std::{fs, path::Path};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/config/doubts");

/// A fixture, and for each of its warnings in order what heeds it: a text of the file and what is written instead.
type Heeded = (&'static str, &'static [(&'static str, &'static str)]);

const HEEDED: [Heeded; 15] = [
    ("connections-too-few", &[("connections: 1 ", "connections: 100 ")]),
    ("deadline-too-late", &[("deadline: 25s", "deadline: 4s")]),
    (
        "login-unused",
        &[
            (
                "sasl.mechanism: SCRAM-SHA-512",
                "security.protocol: sasl_ssl\n        sasl.mechanism: SCRAM-SHA-512",
            ),
            ("ssl.endpoint.identification.algorithm: none", "linger.ms: 5"),
            ("security.protocol: ssl, sasl.username: hookway", "security.protocol: ssl"),
        ],
    ),
    (
        "pattern-is-no-regex",
        &[("tech\\\\.likemagic\\\\..+", "tech.likemagic.*"), ("^(BOOKING|RESERVATION)$", "*RESERVATION")],
    ),
    ("quarantine-of-many-places", &[("quarantine.{source}", "quarantine")]),
    (
        "secret-of-two-senders",
        &[(
            "propexo, secrets: [ file:tests/fixtures/config/secret ]",
            "propexo, secrets: [ file:tests/fixtures/config/secret-2 ]",
        )],
    ),
    (
        "secret-twice",
        &[("secret, file:tests/fixtures/config/secret ]", "secret, file:tests/fixtures/config/secret-2 ]")],
    ),
    ("secret-with-blank", &[("secret-with-blank", "secret")]),
    ("secret-without-prefix", &[("config/secret ]", "config/secret-whsec ]")]),
    (
        "sink-smaller-than-bodies",
        &[
            (
                "bus: { kafka: { brokers: [ localhost:9092 ], options: { message.max.bytes: 100000 } } }",
                "bus: { kafka: { brokers: [ localhost:9092 ], options: { message.max.bytes: 2000000 } } }",
            ),
            ("max_bytes: 1KiB } }", "max_bytes: 1GiB } }"),
        ],
    ),
    (
        "source-without-route",
        &[
            ("source: hotle }\n    to: { sink: kept }", "source: hotel }\n    to: { sink: kept }"),
            ("source: hotle }\n    to: { sink: kept }", "source: units }\n    to: { sink: kept }"),
            ("source: hotle", "source: \"*\""),
        ],
    ),
    (
        "subject-outside-stream",
        &[("other.x", "webhooks.x"), ("subject: quarantine", "subject: webhooks.quarantine")],
    ),
    ("target-twice", &[("topic: b }, { sink: bus, topic: a }", "topic: b }, { sink: bus, topic: c }")]),
    (
        "type-never-occurs",
        &[
            ("likemagic.RESERVATION_*", "tech.likemagic.RESERVATION_*"),
            ("order.*.v2", "order.*.v1"),
            ("type: RESERVATION_CREATED", "type: \"*.RESERVATION_CREATED\""),
        ],
    ),
    ("window-too-short", &[("window: 10s", "window: 46m"), ("window: 1m", "window: 6m")]),
];

/// Loads a text as if it stood where the fixtures do, and returns what is warned of by place and text.
fn warnings(text: &str) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("hookway.yaml");
    let here = format!("file:{}/tests/", env!("CARGO_MANIFEST_DIR"));
    fs::write(&file, text.replace("file:tests/", &here)).unwrap();
    let loaded = config::load(&file).unwrap_or_else(|error| panic!("{text}\n{error}"));
    let said =
        |problem: &Problem| format!("{}: {}", problem.path, problem.message.replace(&here, "file:tests/"));
    loaded.problems.iter().map(said).collect()
}

#[test]
fn what_is_heeded_is_warned_of_no_more_and_all_else_still_is() {
    for (name, heeded) in HEEDED {
        let text = fs::read_to_string(Path::new(FIXTURES).join(name).with_extension("yaml")).unwrap();
        let warned = warnings(&text);
        assert!(!warned.is_empty(), "{name}");
        assert_eq!(warned.len(), heeded.len(), "{name}: each warning has its neighbour: {warned:#?}");
        for (place, (of, to)) in heeded.iter().enumerate() {
            assert!(text.contains(of), "{name}: {of} does not stand there");
            let mended = warnings(&text.replacen(of, to, 1));
            assert!(
                !mended.contains(&warned[place]),
                "{name}: {to} was written, and still: {}",
                warned[place]
            );
            let new: Vec<&String> = mended.iter().filter(|warning| !warned.contains(warning)).collect();
            assert!(new.len() < 2, "{name}: {to} brings {new:#?}");
        }
    }
}

#[test]
fn a_file_with_all_warnings_heeded_has_none() {
    for (name, heeded) in HEEDED {
        let mut text = fs::read_to_string(Path::new(FIXTURES).join(name).with_extension("yaml")).unwrap();
        for (of, to) in heeded.iter().rev() {
            text = text.replacen(of, to, 1);
        }
        assert_eq!(warnings(&text), [""; 0], "{name}:\n{text}");
    }
}

#[test]
fn every_fixture_has_its_neighbours() {
    let files = fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap().path());
    let mut stems: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    stems.sort_unstable();
    assert_eq!(stems, HEEDED.map(|(name, _)| name));
}

/// How a configuration is made to lack what only the machine can have: a text, what is written instead, the place.
const LACKING: [(&str, &str, &str); 3] = [
    ("secret ] }", "nowhere ] }", "sources.hotel.secrets[0]"),
    ("file:tests/fixtures/config/secret ]", "env:NOBODY_EVER_SETS_THIS ]", "sources.hotel.secrets[0]"),
    ("config/secret ]", "config/weak ]", "sources.hotel.secrets[0]"),
];

#[test]
fn what_this_machine_lacks_is_warned_of_at_its_place_and_is_no_error() {
    let right = "sources:\n  hotel: { preset: likemagic, secrets: [ file:tests/fixtures/config/secret ] }\n\
                 sinks: { kept: { journal: { dir: kept } } }\nquarantine: { sink: kept }\nroutes: [ { to: { sink: kept } } ]\n";
    assert_eq!(warnings(right), [""; 0]);
    for (of, to, place) in LACKING {
        assert!(right.contains(of), "{of}");
        let warned = warnings(&right.replacen(of, to, 1));
        assert_eq!(warned.len(), 1, "{to}: {warned:?}");
        assert!(warned[0].starts_with(&format!("{place}: ")), "{to}: {warned:?}");
    }
}

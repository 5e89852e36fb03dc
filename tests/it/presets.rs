//! Every preset, held to what its sender does. A case is a folder `tests/fixtures/senders/<preset>/<case>/` with the
//! request's bytes and either the envelopes that it becomes (`expected.events.json`), what the sender hears
//! (`expected.answer.json`, a handshake), or the class of its refusal (`expected.refusal`).
//!
//! The cases are made from the presets' own samples: signed, signed with the second key, with a key that the source does
//! not have, not at all, with a changed body, too early and too late, with the signature twice, and under a version that
//! does not count. `UPDATE_FIXTURES=1` writes them anew, with a fixed clock and fixed keys; the test then reads what is
//! committed, so that a change of a preset, the verifier or the normalizer shows as a difference.

mod cases;
mod files;
mod forge;
mod handshakes;
mod keys;
mod sample;
mod source;

use cases::{Case, Wanted};
use files::Folder;
use hookway::senders;
use source::{Outcome, Source};

/// Returns every preset that differs from its document: the documents, and the variants that are no plain alias.
fn presets() -> Vec<&'static str> {
    let differs = |name: &&str| {
        let preset = senders::find(name).unwrap();
        preset.variant.is_none() || source::effective(name) != source::effective(preset.document)
    };
    senders::all_names().filter(differs).collect()
}

fn is_updating() -> bool {
    std::env::var_os("UPDATE_FIXTURES").is_some()
}

/// Holds a case to what its name says, whatever is committed.
fn check(source: &Source, case: &Case, outcome: &Outcome) {
    let what = format!("{} {}: {outcome:?}", source.name, case.name);
    match (&case.wanted, outcome) {
        (Wanted::Accepted { key }, Outcome::Accepted { key: found, events }) => {
            assert!(key.is_none_or(|key| key == *found), "another key proved it: {what}");
            assert!(!events.is_empty(), "{what}");
            for event in events {
                assert!(event.get("hookwayreason").is_none(), "it went to the quarantine: {what}");
            }
        }
        (Wanted::Refused(classes), Outcome::Refused { class, .. }) => {
            assert!(classes.contains(class), "another refusal than {classes:?}: {what}");
        }
        (Wanted::Answered { status, body }, Outcome::Answered { status: found, body: said, .. }) => {
            assert_eq!((found, said), (status, body), "{what}");
        }
        (Wanted::Unanswered, Outcome::Unanswered(_)) => {}
        _ => panic!("wanted {:?}: {what}", case.wanted),
    }
}

#[test]
fn every_preset_accepts_what_its_sender_signs_and_nothing_else() {
    for name in presets() {
        let source = Source::new(name);
        let folder = Folder::of(name);
        let cases = cases::of(&source);
        for case in &cases {
            let outcome = source.judge(files::parse(&files::write(&case.request)));
            check(&source, case, &outcome);
            if is_updating() {
                folder.update(&case.name, &case.request, &outcome);
            }
        }
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(folder.cases(), sorted(&names), "{name}: set UPDATE_FIXTURES=1 to write its cases anew");
    }
}

#[test]
fn every_committed_request_becomes_what_stands_beside_it() {
    let mut judged = 0;
    for name in presets() {
        let source = Source::new(name);
        let folder = Folder::of(name);
        for case in folder.cases() {
            let outcome = source.judge(files::parse(&folder.request(&case)));
            folder.compare(&case, &outcome);
            judged += 1;
        }
    }
    assert!(judged >= 8 * 60, "only {judged} cases");
}

#[test]
fn every_name_of_every_sample_is_an_event() {
    for name in presets() {
        let source = Source::new(name);
        assert!(!source.samples().is_empty(), "{name} has no sample");
        for sample in source.samples() {
            assert!(!sample.names.is_empty(), "{name} has a sample without a name");
            for event in &sample.names {
                let request = source.signed(&sample::request(&source, sample, event, source::now()), 0);
                let case = Case { name: event.clone(), request, wanted: Wanted::Accepted { key: None } };
                check(&source, &case, &source.judge(files::parse(&files::write(&case.request))));
            }
        }
    }
}

#[test]
fn the_documents_table_names_every_preset_and_variant() {
    let text = include_str!("../../docs/senders.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    for name in senders::names() {
        let row = rows.iter().find(|row| row.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/senders.md has no row for {name}"));
        for variant in senders::variants(name) {
            assert!(row.contains(&format!("`{variant}`")), "the row of {name} does not name {variant}");
        }
    }
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    names
}

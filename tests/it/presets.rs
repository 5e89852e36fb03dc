//! Every preset, held to what its sender does. A case is a folder `tests/fixtures/senders/<preset>/<case>/` with the
//! request's bytes and either the envelopes that it becomes (`expected.events.json`), what the sender hears
//! (`expected.answer.json`, a handshake), or the class of its refusal (`expected.refusal`).
//!
//! The cases are made from the presets' own samples: signed, signed with the second key, with a key that the source does
//! not have, not at all, with a changed body, too early and too late, with the signature twice, and under a version that
//! does not count. They are made anew in each run, with a fixed clock and fixed keys, and what is committed is judged besides,
//! so that a change of a preset, the verifier or the normalizer shows as a difference. `UPDATE_FIXTURES=1` writes it.

mod cases;
mod everywhere;
mod files;
mod forge;
mod handshakes;
mod keys;
mod losses;
mod objects;
mod outcome;
mod sample;
mod secrets;
mod source;
mod table;
mod tampered;
mod typed;

use cases::{Case, Wanted};
use files::Folder;
use hookway::senders;
use jiff::SignedDuration;
use outcome::Outcome;
use serde_json::Value;
use source::Source;

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

/// Tells whether a case came to what its name says, whatever is committed.
fn is_as_wanted(wanted: &Wanted, outcome: &Outcome) -> bool {
    match (wanted, outcome) {
        (Wanted::Accepted { key }, Outcome::Accepted { key: found, events }) => {
            let is_quarantined = |event: &Value| event.get("hookwayreason").is_some();
            key.is_none_or(|key| key == *found) && !events.is_empty() && !events.iter().any(is_quarantined)
        }
        (Wanted::Refused(classes), Outcome::Refused { class, .. }) => classes.contains(class),
        (Wanted::Answered { status, body }, Outcome::Answered { status: found, body: said, .. }) => {
            (found, said) == (status, body)
        }
        (Wanted::Nothing, Outcome::Accepted { events, .. }) => events.is_empty(),
        (Wanted::Unanswered, Outcome::Unanswered(_)) => true,
        _ => false,
    }
}

/// Judges the cases of a preset and returns those that came to something else.
fn wrong(source: &Source, cases: &[Case], mut judged: impl FnMut(&Case, &Outcome)) -> Vec<String> {
    let wrong = cases.iter().filter_map(|case| {
        let outcome = source.judge(files::parse(&files::write(&case.request)));
        judged(case, &outcome);
        let what = || format!("{} {}: wanted {:?}, found {outcome}", source.name, case.name, case.wanted);
        (!is_as_wanted(&case.wanted, &outcome)).then(what)
    });
    wrong.collect()
}

#[test]
fn every_preset_accepts_what_its_sender_signs_and_nothing_else() {
    let (mut all_wrong, mut judged) = (Vec::new(), 0);
    for name in presets() {
        let source = Source::new(name);
        let folder = Folder::of(name);
        let cases = cases::of(&source);
        all_wrong.extend(wrong(&source, &cases, |case, outcome| {
            if is_updating() {
                folder.update(&case.name, &case.request, outcome);
            }
        }));
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        if is_updating() {
            folder.keep(&names);
        }
        if folder.cases() != names {
            all_wrong.push(format!("{name}: its folder has not these cases: {names:?}"));
            continue;
        }
        for case in names {
            let outcome = source.judge(files::parse(&folder.request(case)));
            all_wrong.extend(
                folder.difference(case, &outcome).map(|difference| format!("{name} {case}: {difference}")),
            );
            judged += 1;
        }
    }
    assert!(
        all_wrong.is_empty(),
        "UPDATE_FIXTURES=1 writes cases anew; wrong are:\n{}",
        all_wrong.join("\n")
    );
    assert!(judged >= 8 * 60, "only {judged} cases");
}

#[test]
fn every_name_of_every_sample_is_an_event() {
    let mut all_wrong = Vec::new();
    for name in presets() {
        let source = Source::new(name);
        let mut cases = Vec::new();
        for sample in source.samples() {
            assert!(!sample.names.is_empty(), "{name} has a sample without a name");
            for event in &sample.names {
                let request = source.signed(&sample::request(&source, sample, event, source::now()), 0);
                cases.push(Case { name: event.clone(), request, wanted: Wanted::Accepted { key: None } });
            }
        }
        assert!(!cases.is_empty(), "{name} has no sample");
        all_wrong.extend(wrong(&source, &cases, |_, _| {}));
    }
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}

/// Returns how long a sender tries, by its document.
fn span(retries: &Value) -> SignedDuration {
    let pauses = retries["after"].as_array().into_iter().flatten();
    pauses.map(|pause| pause.as_str().unwrap().parse::<SignedDuration>().unwrap()).sum()
}

#[test]
fn a_window_outlasts_the_retries_unless_somebody_prescribes_it() {
    let mut wrong = Vec::new();
    for name in presets() {
        let document = source::effective(name);
        let alternatives = document["verify"]["any_of"].as_array();
        let schemes = std::iter::once(&document["verify"]).chain(alternatives.into_iter().flatten());
        for timestamp in schemes.filter_map(|scheme| scheme["timestamp"].as_object()) {
            let tolerance = timestamp.get("tolerance").and_then(Value::as_str).unwrap_or("5m");
            let is_long = tolerance.parse::<SignedDuration>().is_ok_and(|it| it > span(&document["retries"]));
            if is_long == timestamp.contains_key("prescribed") && !document["retries"]["after"].is_null() {
                wrong.push(format!("{name}: {tolerance}, and it tries for {:#}", span(&document["retries"])));
            }
        }
    }
    assert_eq!(wrong, [""; 0], "state who prescribes the window, and only there");
}

#[test]
fn every_preset_says_how_large_a_body_may_be_and_who_says_so() {
    for name in senders::names() {
        let text = senders::find(name).unwrap().text;
        let line = text.lines().find(|line| line.starts_with("max_body: "));
        let (_, source) =
            line.and_then(|line| line.split_once('#')).unwrap_or_else(|| panic!("{name} does not"));
        let is_told = ["[S] ", "[T] ", "[M] ", "unverified", "the sender's own"]
            .iter()
            .any(|mark| source.contains(mark));
        assert!(is_told, "{name}:{source}");
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

//! Each rule fires on its fixture, and none on what is right: the examples of the documentation, every preset.

use super::RULES;
use crate::{
    config::{LoadError, Problem, load},
    senders,
};
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

const FIXTURES: &str = "tests/fixtures/config/doubts";

fn problems(file: &Path) -> Vec<Problem> {
    load(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).problems
}

/// Loads a text from a file of its own, and leaves out what only this machine lacks.
fn doubts(text: &str) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("hookway.yaml");
    fs::write(&file, text).unwrap();
    let lacking = ["is not set", "cannot be read", "is not there", "no id is stated"];
    let problems = problems(&file).into_iter().filter(|problem| {
        !lacking.iter().any(|word| problem.message.contains(word)) && problem.path != "verify"
    });
    problems.map(|problem| problem.to_string()).collect()
}

#[test]
fn each_rule_fires_on_its_fixture_with_place_and_remedy() {
    let names = RULES.iter().map(|(name, _)| Path::new(FIXTURES).join(name));
    for file in names {
        let said = LoadError { problems: problems(&file.with_extension("yaml")) };
        assert!(said.problems.iter().all(|problem| !problem.is_error() && problem.line.is_some()), "{said}");
        let (kept, said) = (file.with_extension("stderr"), format!("{said}\n"));
        if env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&kept, &said).unwrap();
        }
        assert_eq!(fs::read_to_string(&kept).unwrap_or_default(), said, "{}", kept.display());
        assert!(said.contains("warning "), "{} is not warned of", file.display());
    }
}

#[test]
fn there_is_no_fixture_without_a_rule() {
    let names: BTreeSet<String> = RULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = fs::read_dir(FIXTURES).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        path.extension().is_some().then(|| path.file_stem().unwrap().to_str().unwrap().to_owned())
    });
    assert_eq!(stems.collect::<BTreeSet<_>>(), names);
}

#[test]
fn no_example_of_the_documentation_is_doubted() {
    let pages = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for page in pages.chain([PathBuf::from("README.md")]).filter(|page| page.is_file()) {
        let text = fs::read_to_string(&page).unwrap();
        let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("yaml\n"));
        for block in blocks.filter(|block| block.contains("\nsinks:") && block.contains("\nroutes:")) {
            seen += 1;
            assert_eq!(doubts(block), Vec::<String>::new(), "{}", page.display());
        }
    }
    assert!(seen >= 3, "only {seen} examples");
}

#[test]
fn no_preset_is_doubted_as_it_stands() {
    for name in senders::all_names() {
        let rest = "sinks: { kept: { journal: { dir: kept, max_bytes: 1GiB } } }\nroutes: [ { to: { sink: kept } } ]\n\
                    quarantine: { sink: kept }\n";
        let text = format!(
            "sources: {{ a: {{ preset: {name}, verify: {{ algorithm: token }}, params: {{ topic_arn: arn }}, \
             secrets: [ env:NOBODY_SETS_THIS ] }} }}\n{rest}"
        );
        assert_eq!(doubts(&text), Vec::<String>::new(), "{name}");
    }
}

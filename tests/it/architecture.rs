//! The rules that the tree's shape follows, read from the sources themselves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The six stages, in the order of the data path.
const STAGES: [&str; 6] = ["receive", "verify", "normalize", "dedup", "route", "publish"];

/// A source file by its path below the crate's folder.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Returns the first module of the file's path: `receive` of `src/receive/body.rs`.
    fn module(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
    }

    /// True for a file that holds tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// Returns the code without comments and without the tests at the file's end.
    pub(crate) fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Returns every file below a folder whose name ends so.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let below = path.strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                let is_ours = !["target", ".git", ".cache", "hookway-data", "__pycache__"]
                    .iter()
                    .any(|name| path.ends_with(name));
                if is_ours {
                    folders.push(path);
                }
            } else if below.ends_with(ending)
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.push(File { path: below, text });
            }
        }
    }
    assert!(!found.is_empty(), "no {ending} below {folder}");
    found
}

/// Returns the first segments that a file takes in from the crate: `use crate::{…}`, `crate::x::y`.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let behind = &code[at + "crate::".len()..];
        let Some(list) = behind.strip_prefix('{') else {
            found.insert(word(behind));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && !c.is_whitespace() => {
                    found.insert(word(&list[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let code =
        "use crate::{\n    event::{Event, Reason},\n    record::Ack,\n};\nlet x = crate::clock::now();";
    let expected = ["clock", "event", "record"].map(str::to_owned);
    assert_eq!(imports(code), BTreeSet::from(expected));
}

#[test]
fn stages_share_nouns_and_never_import_one_another() {
    // `receive` hands deliveries to the pipeline, which composes the stages; nobody else looks sideways.
    let mut wrong = Vec::new();
    for file in files("src", ".rs").iter().filter(|file| STAGES.contains(&file.module()) && !file.is_test()) {
        let others = imports(&file.code());
        let sideways =
            others.iter().filter(|other| STAGES.contains(&other.as_str()) && *other != file.module());
        wrong.extend(sideways.map(|other| format!("{} imports {other}", file.path)));
        wrong.extend(others.contains("app").then(|| format!("{} imports app", file.path)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nouns_stand_on_nothing_but_nouns_and_the_proof() {
    let below: [(&str, &[&str]); 4] = [
        ("request", &[]),
        ("delivery", &["request", "verify"]),
        ("event", &["request", "verify", "clock"]),
        ("record", &["event"]),
    ];
    for file in files("src", ".rs").iter().filter(|file| !file.is_test()) {
        let may = below.iter().find(|(noun, _)| *noun == file.module()).map(|(_, may)| *may);
        for other in may.iter().flat_map(|_| imports(&file.code())) {
            let may = may.is_some_and(|may| may.contains(&&*other)) || other == file.module();
            assert!(may, "{} imports {other}", file.path);
        }
    }
}

#[test]
fn only_what_stands_around_the_path_sees_the_configuration() {
    for file in files("src", ".rs").iter().filter(|file| !file.is_test()) {
        let may = ["config", "app", "cli", "explain"].contains(&file.module());
        assert!(may || !imports(&file.code()).contains("config"), "{} imports config", file.path);
    }
}

#[test]
fn lib_rs_declares_the_modules_in_the_order_of_the_data_path() {
    let lib = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let declared: Vec<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let path =
        ["request", "delivery", "event", "record"].into_iter().chain(STAGES).chain(["pipeline", "refusal"]);
    assert_eq!(declared.iter().copied().take(12).collect::<Vec<_>>(), path.collect::<Vec<_>>());
    let drawn = lib.lines().find(|line| line.contains('→')).unwrap();
    let drawn: Vec<&str> = drawn.trim_start_matches("//! ").split(" → ").collect();
    assert_eq!(drawn, STAGES, "the drawing shows the same order");
    let files: BTreeSet<String> = files("src", ".rs").iter().map(|file| file.module().to_owned()).collect();
    let known: BTreeSet<String> = declared.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(
        files.into_iter().filter(|name| name != "lib" && name != "main").collect::<BTreeSet<_>>(),
        known
    );
}

/// Files in which a word may stand, and the words that may stand nowhere else in `src/`.
const HOMES: [(&[&str], &[&str]); 4] = [
    // The admin listener answers probes, and `trigger` reads answers: neither decides what a sender hears.
    (&["src/receive/reply.rs", "src/admin.rs", "src/cli/"], &["StatusCode"]),
    (&["src/observe/metrics.rs"], &["\"hookway_"]),
    (&["src/clock.rs"], &["Timestamp::now(", "SystemTime::now(", "now_v7("]),
    (&["src/cli/"], &["println!", "process::exit"]),
];

#[test]
fn statuses_metric_names_and_the_wall_clock_have_one_home_each() {
    let mut wrong = Vec::new();
    for file in files("src", ".rs").iter().filter(|file| !file.is_test()) {
        let code = file.code();
        for (homes, words) in HOMES {
            let is_home = homes.iter().any(|home| file.path.starts_with(home));
            let found = words.iter().filter(|word| !is_home && code.contains(**word));
            wrong.extend(found.map(|word| format!("{} holds {word}", file.path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn modules_are_named_by_what_they_do() {
    for file in files("src", ".rs").iter().chain(&files("tests", ".rs")) {
        for name in file.path.trim_end_matches(".rs").split('/') {
            let is_vague =
                ["utils", "util", "helpers", "helper", "common", "misc", "manager", "mod"].contains(&name);
            assert!(!is_vague, "{} says nothing", file.path);
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_can_be_read_at_one_sitting() {
    let mut wrong = Vec::new();
    for file in files("src", ".rs").iter().chain(&files("tests", ".rs")) {
        if !file.text.starts_with("//! ") {
            wrong.push(format!("{} has no header", file.path));
        }
        let code = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
        if file.path.starts_with("src/") && !file.is_test() && code > 250 {
            wrong.push(format!("{} has {code} lines", file.path));
        }
    }
    for file in files("src", ".yaml").iter().chain(&files("tests", ".sh")).chain(&files("tests", ".py")) {
        if !file.text.starts_with(['#', '"']) {
            wrong.push(format!("{} has no header", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file that a merge left behind is compiled by nobody, and looks as if it were.
#[test]
fn every_file_is_a_module_of_the_one_above_it() {
    let all = files("src", ".rs");
    let text = |path: &str| all.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    for file in all.iter().filter(|file| !["src/lib.rs", "src/main.rs"].contains(&file.path.as_str())) {
        let (folder, name) = file.path.strip_suffix(".rs").unwrap().rsplit_once('/').unwrap();
        let above = if folder == "src" { "src/lib.rs".to_owned() } else { format!("{folder}.rs") };
        let is_named = text(&above).is_some_and(|text| text.contains(&format!("mod {name};")));
        assert!(is_named, "{above} names no module {name}");
    }
}

#[test]
fn every_metric_that_documents_and_charts_cite_exists() {
    let catalogue = fs::read_to_string(Path::new(ROOT).join("src/observe/metrics.rs")).unwrap();
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect()
    };
    let names = |text: &str| -> BTreeSet<String> {
        text.match_indices("hookway_").map(|(at, _)| word(&text[at..])).collect()
    };
    let known = names(&catalogue);
    assert!(known.len() > 30, "{known:?}");
    let mut cited = BTreeSet::new();
    for folder in ["docs", "deploy"] {
        for file in files(folder, "") {
            cited.extend(names(&file.text).into_iter().map(|name| (name, file.path.clone())));
        }
    }
    let mut checked = 0;
    for (name, path) in cited {
        let series =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        let is_metric = known.contains(&name) || known.contains(series);
        // The stems of families, as `hookway_events_`, and names of other things end otherwise than metrics do.
        let looks_like_one = ["_total", "_seconds", "_bytes", "_bucket", "_up", "_events", "_entries"]
            .iter()
            .any(|end| name.ends_with(end));
        assert!(is_metric || !looks_like_one, "{path} cites {name}, which is no metric");
        checked += usize::from(is_metric);
    }
    assert!(checked > 30, "only {checked} citations were found");
}

#[test]
fn nothing_in_the_tree_names_the_machine_it_was_written_on() {
    // Put together here, so that this file does not hold them.
    let machine =
        [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/tmp", "/wt"), concat!("/tmp", "/brief")];
    for file in files("", "") {
        for word in machine {
            assert!(!file.text.contains(word), "{} names {word}", file.path);
        }
        let foreign = file.path == "Cargo.lock"
            && file.text.lines().any(|line| {
                line.starts_with("source = ") && !line.contains("github.com/rust-lang/crates.io-index")
            });
        assert!(!foreign, "Cargo.lock names a registry of its own");
    }
}

#[test]
fn every_module_of_these_tests_runs() {
    for file in files("tests/it", ".rs") {
        let (folder, name) = file.path.trim_end_matches(".rs").rsplit_once('/').unwrap();
        let parent =
            if folder == "tests/it" { "tests/it/main.rs".to_owned() } else { format!("{folder}.rs") };
        let declared = fs::read_to_string(Path::new(ROOT).join(parent)).unwrap();
        assert!(name == "main" || declared.contains(&format!("mod {name};")), "{} is left out", file.path);
    }
}

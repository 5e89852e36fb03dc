//! Tests of loading and checking. `tests/fixtures/config/good` holds files that are taken; each file in `bad`
//! holds one kind of mistake, and beside it stands all that Hookway says of it.

use super::{document, load::load_document, reading::parse, *};
use proptest::prelude::*;
use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What stands in fixtures where somebody put a secret into the file.
const CANARY: &str = "hunter2";

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let dir = Path::new("tests/fixtures/config").join(kind);
    let entries = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|file| file.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    assert!(!files.is_empty(), "no fixtures in {}", dir.display());
    files
}

fn said_of(file: &Path) -> String {
    match load(file) {
        Ok(loaded) => LoadError { problems: loaded.problems }.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Loads a text as if it stood in a file beside the good fixtures.
fn load_text(text: &str) -> Result<Loaded, LoadError> {
    let file = Path::new("tests/fixtures/config/good/made-up.yaml");
    load_document(file, parse(file, text)?)
}

fn errors(text: &str) -> Vec<String> {
    let problems = load_text(text).map_or_else(|error| error.problems, |loaded| loaded.problems);
    problems.into_iter().filter(Problem::is_error).map(|problem| problem.path).collect()
}

/// Compares `actual` with a kept file, or keeps it where `variable` is set.
fn assert_kept(file: &Path, actual: &str, variable: &str) {
    if env::var_os(variable).is_some() {
        fs::write(file, actual).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert_eq!(
        kept,
        actual,
        "{} differs; look at the change, then run with {variable}=1 to keep it",
        file.display()
    );
}

#[test]
fn a_good_file_has_no_errors_and_warns_only_of_what_it_or_this_machine_lacks() {
    for file in fixtures("good") {
        let loaded = load(&file).unwrap_or_else(|error| panic!("{error}"));
        for problem in loaded.problems {
            let lacking = ["is not set", "cannot be read", "no id is stated"];
            assert!(lacking.iter().any(|word| problem.message.contains(word)), "{problem}");
        }
    }
}

#[test]
fn each_mistake_is_told_with_its_place_and_its_remedy() {
    for file in fixtures("bad") {
        assert_kept(&file.with_extension("stderr"), &format!("{}\n", said_of(&file)), "UPDATE_FIXTURES");
    }
}

#[test]
fn a_source_that_would_take_anybodys_topic_is_refused_until_it_names_its_own() {
    let said = |topic: &str| {
        let source = format!("sources: {{ alerts: {{ preset: aws-sns{topic} }} }}\n");
        let rest = "sinks: { kept: { journal: { dir: here } } }\nroutes: [ { match: { source: '*' }, to: { sink: kept } } ]\n\
                    quarantine: { sink: kept }\n";
        let problems =
            load_text(&(source + rest)).map_or_else(|error| error.problems, |loaded| loaded.problems);
        problems.into_iter().map(|problem| problem.path).collect::<Vec<_>>()
    };
    let param = "sources.alerts.params.topic_arn";
    assert!(said("").iter().any(|path| path == param));
    assert!(
        !said(", params: { topic_arn: 'arn:aws:sns:eu-central-1:1:a' }").iter().any(|path| path == param)
    );
    assert!(!said(", verify: { require: { /TopicArn: [ a, b ] } }").iter().any(|path| path == param));
}

#[test]
fn a_secret_in_the_file_is_never_printed() {
    let mut seen = 0;
    for file in fixtures("bad") {
        seen += usize::from(fs::read_to_string(&file).unwrap_or_default().contains(CANARY));
        assert!(!said_of(&file).contains(CANARY), "{}", file.display());
        let json = match load(&file) {
            Ok(loaded) => serde_json::to_string(&loaded.problems),
            Err(error) => serde_json::to_string(&error.problems),
        };
        assert!(!json.unwrap().contains(CANARY), "{}", file.display());
    }
    assert!(seen >= 3, "only {seen} fixtures hold a secret");
}

#[test]
fn a_text_that_is_not_yaml_is_never_quoted() {
    let broken = [
        "a: *hunter2",
        "a: !!int hunter2",
        "a: !<hunter2> [",
        "a: \"\\xhunter2\"",
        "a: \"\\hunter2\"",
        "%hunter2 x\n---\na: 1",
        "a: 'hunter2",
        "a: &hunter2 &hunter2 1",
        "a: {hunter2: [}",
        "? [hunter2]\n: 1",
        "a: 1\n---\nhunter2: 2",
        "a: !!binary hunter2",
        "<<: hunter2",
        "a: |99\n  hunter2",
        "hunter2: a: b",
        "a: !!float hunter2",
        "a: .inf\nb: hunter2",
    ];
    for text in broken {
        let error = load_text(text).unwrap_err();
        assert!(!error.to_string().contains(CANARY), "{text:?}: {error}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let level = |n: usize| format!("a{n}: &a{n} [ {} ]\n", format!("*a{}, ", n - 1).repeat(9));
    let text = format!("a0: &a0 [ x, x, x, x, x, x, x, x, x ]\n{}", (1..12).map(level).collect::<String>());
    let error = load_text(&text).unwrap_err();
    assert_eq!(error.problems.len(), 1, "refused while it is parsed");
    assert!(error.problems[0].line.is_some(), "{error}");
}

#[test]
fn a_document_of_any_depth_is_refused_without_harm() {
    for depth in [100, 1_000, 100_000] {
        let lists = "[".repeat(depth);
        let maps = "{a: ".repeat(depth);
        let blocks: String = (0..depth.min(3_000)).flat_map(|n| [" ".repeat(n), "a:\n".to_owned()]).collect();
        for text in [lists, maps, blocks] {
            assert!(!load_text(&text).unwrap_err().problems.is_empty());
        }
    }
}

#[test]
fn settings_of_kafka_tell_text_from_references() {
    let loaded = load(Path::new("tests/fixtures/config/good/every-key.yaml")).unwrap();
    let kafka = loaded.config.sinks["bus"].kafka.as_ref().unwrap();
    let settings: BTreeMap<&str, OptionValue> = kafka.settings().collect();
    assert_eq!(settings["acks"], OptionValue::Text("-1".into()));
    assert_eq!(settings["enable.idempotence"], OptionValue::Text("true".into()));
    assert_eq!(
        settings["sasl.password"],
        OptionValue::Secret("file:tests/fixtures/config/secret".parse().unwrap())
    );
}

#[test]
fn a_file_that_is_missing_or_empty_is_a_clear_problem() {
    let missing = load(Path::new("tests/fixtures/config/nowhere.yaml")).unwrap_err();
    assert_eq!(missing.problems.len(), 1);
    assert!(missing.to_string().contains("nowhere.yaml: expected a readable file"), "{missing}");
    for empty in ["", "\n", "# only words\n", "---\n"] {
        let error = load_text(empty).unwrap_err();
        assert!(error.to_string().contains("the file is empty"), "{empty:?}: {error}");
    }
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "listen: nowhere\nsources:\n  Hotel: { preset: none, deadline: 4 }\nlimits: { conections: 1 }\nlog: { level: loud }\n";
    let paths = ["listen", "sources.Hotel", "sources.Hotel.deadline", "limits.conections", "log.level"];
    assert_eq!(errors(text), paths);
}

#[test]
fn without_sinks_everything_goes_to_journals_of_its_own() {
    let loaded = load_text("sources: { open: { preset: none } }").unwrap();
    let dir = |sink: &str| loaded.config.sinks[sink].journal.as_ref().unwrap().dir.clone();
    assert_eq!(dir(JOURNAL), Path::new("./hookway-data/journal"));
    assert_eq!(dir(QUARANTINE), Path::new("./hookway-data/quarantine"));
    assert_eq!(loaded.config.quarantine.unwrap().sink, QUARANTINE);
    let [route] = loaded.config.routes.as_slice() else { panic!("expected one route") };
    assert_eq!(route.to.targets()[0].sink, JOURNAL);
}

#[test]
fn defaults_are_resolved_once() {
    let loaded = load_text("sources: { open: { verify: { algorithm: none } } }").unwrap();
    let limits = Limits {
        connections: 10_240,
        body_bytes: 128 << 20,
        idle: Duration::from_secs(30),
        body: None,
        drain_delay: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(30),
        peer_share: 50,
        body_rate: 8 << 10,
    };
    assert_eq!(loaded.limits, limits);
    let source = SourceSettings {
        deadline: Duration::from_secs(4),
        max_body: 512 << 10,
        max_in_flight: 1024,
        dedup_window: Duration::from_mins(10),
        dedup_entries: 100_000,
        success: 200,
        spooled: 202,
        body: None,
        problems: true,
    };
    assert_eq!(loaded.sources["open"], source);
}

#[test]
fn a_source_lies_over_its_preset_field_by_field() {
    let loaded = load(Path::new("tests/fixtures/config/good/every-key.yaml")).unwrap();
    let sender = &loaded.senders["from-file"];
    assert_eq!(sender.verify.as_ref().unwrap().prefix.as_deref(), Some("Bearer "));
    assert_eq!(loaded.sources["from-file"].deadline, Duration::from_secs(2));
    assert_eq!(loaded.sources["from-file"].body, None, "a key without a value takes the preset's away");
    assert_eq!(loaded.sources["own"].body.as_deref(), Some("ok"));
}

#[test]
fn an_error_of_a_presets_field_stands_at_the_source() {
    let loaded = load_text("sources:\n  open:\n    preset: none\n").unwrap();
    let problem = loaded.source_problem("open", "verify.header", "expected a header", "write one");
    assert_eq!((problem.path.as_str(), problem.line), ("sources.open.verify.header", Some(2)));
    assert_eq!(loaded.problem("routes.0.to", "m", "f").path, "routes[0].to");
}

#[test]
fn every_embedded_preset_fits_its_grammar() {
    for name in crate::senders::names() {
        let text = format!(
            "sources: {{ a: {{ preset: {name}, verify: {{ algorithm: token }}, params: {{ topic_arn: arn }}, \
             secrets: [ env:NOBODY_SETS_THIS ] }} }}"
        );
        assert_eq!(errors(&text), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_number_out_of_its_bounds_is_named_and_hides_nothing_else() {
    for number in ["0", "1025", "70000", "-1"] {
        let told = load_text(&format!("workers: {number}\nlisten: nowhere\n")).unwrap_err().to_string();
        assert!(
            told.contains("expected a whole number from 1 to 1024") && told.contains("error listen"),
            "{told}"
        );
    }
}

#[test]
fn the_published_schema_is_the_one_that_is_checked() {
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    assert_kept(Path::new("schemas/hookway.schema.json"), &text, "UPDATE_SCHEMAS");
}

#[test]
fn the_schema_takes_every_good_file_and_no_unknown_key() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for file in fixtures("good") {
        let mut tree = document::parse(&fs::read_to_string(&file).unwrap()).unwrap().tree;
        if let Some(found) = validator.iter_errors(&tree).next() {
            panic!("{}: {found} at {}", file.display(), found.instance_path());
        }
        tree["sinks"]["stray"] = serde_json::json!({ "journal": { "dirr": "x" } });
        assert!(!validator.is_valid(&tree));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_file_cut_off_anywhere_is_a_problem_at_worst(fixture in 0..3_usize, cut in any::<prop::sample::Index>()) {
        let text = fs::read_to_string(&fixtures("good")[fixture]).unwrap();
        let kept = cut.index(text.chars().count());
        assert_readable(&text.chars().take(kept).collect::<String>());
    }

    #[test]
    fn a_file_changed_anywhere_is_a_problem_at_worst(
        fixture in 0..3_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[ -~\n]{0,2}"), 1..6),
    ) {
        let mut text: Vec<char> = fs::read_to_string(&fixtures("good")[fixture]).unwrap().chars().collect();
        for (place, new) in changes {
            let place = place.index(text.len());
            text.splice(place..=place, new.chars());
            if text.is_empty() { break; }
        }
        assert_readable(&text.into_iter().collect::<String>());
    }

    #[test]
    fn any_text_is_a_problem_at_worst(text in "\\PC{0,200}") {
        assert_readable(&text);
    }
}

/// What the grammar lets through can be read into the types: the two never disagree.
fn assert_readable(text: &str) {
    if let Err(error) = load_text(text) {
        assert!(error.problems.iter().any(Problem::is_error));
        assert!(!error.to_string().contains("this cannot be read"), "{text}\n{error}");
    }
}

//! The README's own blocks, run one after the other in an empty folder as a reader would: only the ports are free ones, and
//! the brokers are those of the tests.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Case;
use crate::support::brokers::Brokers;
use crate::support::ports;
use crate::support::process;

const README: &str = include_str!("../../README.md");

/// Three servers start and drain.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            the_blocks_of_the_readme_run_one_after_the_other;
        own:
    ]
}

/// Returns the fenced blocks of a page, each with its language.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("\n```").collect::<Vec<_>>();
    let inside = fenced.iter().skip(1).step_by(2);
    inside.map(|block| block.split_once('\n').expect("a block has a language")).collect()
}

/// Writes the blocks as one script, which ends at the first command that does not do what it is there for.
fn script(brokers: &Brokers) -> String {
    let [webhooks, admin] = ports::pick();
    let listeners =
        format!("listen: 127.0.0.1:{webhooks}\nadmin: 127.0.0.1:{admin}\nlimits: {{ drain_delay: 0s }}\n");
    // 1 is a negative finding, which explain comes to here.
    let mut script =
        "trap 'code=$?; [ $code = 1 ] || { echo \"line $LINENO: $code\" >&2; exit $code; }' ERR\n".to_owned();
    let listen = format!("cat >>hookway.yaml <<'END'\n{listeners}END\n");
    for (language, text) in blocks(README) {
        let text = text.replace("localhost:9092", brokers.kafka().bootstrap());
        let text = text.replace("nats://localhost:4222", brokers.nats().url());
        // Other tests have a stream of these subjects, and topics of these names.
        let text = text.replace("WEBHOOKS", "README").replace("\"webhooks.", "\"readme.");
        let text =
            text.replace("topic: hotel.", "topic: readme.").replace("topic: webhooks", "topic: readme.all");
        if language == "yaml" && text.starts_with("# hookway.yaml") {
            write!(script, "cat >hookway.yaml <<'END'\n{text}\nEND\n{listen}").expect("memory");
        }
        for line in text.lines().filter(|_| language == "sh") {
            // Built and started by those who run this test.
            let is_given = ["make ", "docker ", "export PATH="].iter().any(|word| line.starts_with(word));
            let behind = if line.starts_with("hookway init") { &listen } else { "" };
            write!(script, "{}\n{behind}", if is_given { ":" } else { line }).expect("memory");
        }
    }
    script + "kill %?run 2>/dev/null || kill $(jobs -p)\nwait\necho 'to the end'\n"
}

fn the_blocks_of_the_readme_run_one_after_the_other(brokers: &Brokers) {
    let home = process::home("readme");
    fs::write(home.path().join("readme.sh"), script(brokers)).expect("the script can be written");
    let program = Path::new(env!("CARGO_BIN_EXE_hookway")).parent().expect("a folder of programs");
    let path = std::env::var("PATH").expect("a PATH");
    let mut bash = Command::new("bash");
    bash.arg("readme.sh").current_dir(home.path());
    bash.env("PATH", format!("{}:{path}", program.display())).env_remove("HOOKWAY_CONFIG");
    let run = process::run(&bash, b"", PATIENCE);
    let said = format!("{}\n{}", run.output, run.errors);
    assert!(run.status.success() && run.output.ends_with("to the end\n"), "{said}");
    for words in [
        "published to journal#1",
        "published to bus: readme.reservations/",
        "published to bus: readme.all/",
        "published to stream: README#",
        "← 401",
        "shop-1.http  401 signature_invalid",
        "rejected: ",
    ] {
        assert!(run.output.contains(words), "{words}: {said}");
    }
}

//! Each exit code of each verb, by a real run of the binary: what a script, a pipeline or Kubernetes hears.

use crate::{
    binary::{self, Hookway},
    deadline,
    eventually::PATIENCE,
    process::{self, Finished, Process, Streams},
    samples::{SECRET, event},
};
use std::{fs, net::TcpListener, path::Path, process::Command};
use tempfile::TempDir;

/// One source with a secret, so that all verbs have something to do and nothing to warn of.
const RIGHT: &str = "sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }\n";

/// The same, at addresses where nobody listens.
const NOBODY: &str = "listen: 127.0.0.1:1\nadmin: 127.0.0.1:2\n";

fn command(home: &TempDir, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
    command.args(arguments.split_whitespace()).current_dir(home.path());
    command
}

fn run(home: &TempDir, arguments: &str) -> Finished {
    process::run(&command(home, arguments), b"", PATIENCE)
}

/// Holds each run to its exit code and to a sentence on standard error, which `--json` makes an object.
fn end(home: &TempDir, runs: &[(&str, i32, &str)]) {
    for (arguments, code, said) in runs {
        let finished = run(home, arguments);
        let all = format!("{}{}", finished.output, finished.errors);
        assert_eq!(finished.status.code(), Some(*code), "hookway {arguments}: {all}");
        assert!(all.contains(said), "hookway {arguments} does not say {said:?}: {all}");
        assert!(!all.contains(SECRET), "hookway {arguments} tells a secret: {all}");
    }
}

#[test]
fn what_is_well_is_0() {
    let home = binary::home(RIGHT);
    fs::write(home.path().join("right.http"), event("1")).unwrap();
    end(
        &home,
        &[
            ("--help", 0, "Examples:"),
            ("--version", 0, env!("CARGO_PKG_VERSION")),
            ("check", 0, "hotel"),
            ("check --deny-warnings", 0, "hotel"),
            ("check --memory", 0, "at most"),
            ("senders", 0, "likemagic"),
            ("senders show likemagic", 0, "verify:"),
            ("schema", 0, "$schema"),
            ("schema envelope", 0, "$schema"),
            ("schema senders", 0, "likemagic"),
            ("trigger", 0, "likemagic"),
            ("trigger likemagic.RESERVATION_CHECKED_IN --print", 0, "POST /hooks/hotel"),
            ("explain --source hotel right.http", 0, "accepted"),
            ("-c first.yaml init github", 0, "hookway check"),
        ],
    );
}

#[test]
fn a_negative_finding_is_1() {
    let home = binary::home(&format!("{RIGHT}limits: {{ drain_delay: 0s }}\n"));
    let forged = String::from_utf8(event("1")).unwrap().replace(SECRET, "another-secret-of-some-length");
    fs::write(home.path().join("forged.http"), forged).unwrap();
    fs::write(home.path().join("weak"), "short").unwrap();
    fs::write(home.path().join("weak.yaml"), RIGHT.replace("$home/secret", "weak")).unwrap();
    end(
        &home,
        &[
            ("explain --source hotel forged.http", 1, "rejected"),
            ("explain --source hotel forged.http --json", 1, "\"verdict\":\"reject\""),
            ("explain --discover --key env:PATH forged.http", 1, ""),
            ("-c weak.yaml check", 0, "16 bytes"),
            ("-c weak.yaml check --deny-warnings", 1, "16 bytes"),
        ],
    );
}

#[test]
fn wrong_usage_is_64() {
    let home = binary::home(RIGHT);
    fs::write(home.path().join("no.http"), "this is no request").unwrap();
    end(
        &home,
        &[
            ("", 64, "Usage"),
            ("nothing", 64, "Usage"),
            ("check --nothing", 64, "--nothing"),
            ("schema nothing", 64, "possible values"),
            ("senders show nobody", 64, "nobody"),
            ("init", 64, "is there already"),
            ("init nobody", 64, "nobody"),
            ("tail nobody", 64, "journal"),
            ("capture nobody", 64, "hotel"),
            ("capture hotel -n 0", 64, "0"),
            ("capture hotel --for 2h", 64, "hour"),
            ("trigger nobody.x", 64, "nobody"),
            ("trigger likemagic.RESERVATION_CHECKED_IN --break body", 64, "signature"),
            ("trigger likemagic.RESERVATION_CHECKED_IN --url https://localhost/", 64, "--print"),
            ("explain nowhere.http", 64, "nowhere.http"),
            ("explain no.http", 64, "the first line"),
            ("explain --source nobody no.http", 64, ""),
        ],
    );
    assert_eq!(fs::read_to_string(home.path().join("hookway.yaml")).unwrap().lines().count(), 1, "as it was");
}

#[test]
fn what_is_not_there_is_69() {
    let home = binary::home(&format!("{NOBODY}{RIGHT}"));
    end(
        &home,
        &[
            ("trigger likemagic.RESERVATION_CHECKED_IN", 69, "127.0.0.1:1"),
            ("capture hotel", 69, "127.0.0.1:2"),
            ("tail", 69, "journal"),
        ],
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    for listener in ["listen", "admin"] {
        let other = if listener == "listen" { "admin" } else { "listen" };
        let address = taken.local_addr().unwrap();
        let yaml = format!("{listener}: {address}\n{other}: 127.0.0.1:0\n{RIGHT}");
        end(&binary::home(&yaml), &[("run", 69, &address.to_string())]);
    }
}

#[test]
fn a_wrong_configuration_is_78_for_every_verb_that_reads_one() {
    let home = binary::home("sources: { hotel: { preset: likemagik, secrets: [ file:$home/secret ] } }\n");
    fs::write(home.path().join("right.http"), event("1")).unwrap();
    let verbs = [
        "run",
        "check",
        "trigger likemagic.RESERVATION_CHECKED_IN",
        "trigger",
        "explain --source hotel right.http",
        "capture hotel",
        "tail",
    ];
    for verb in verbs {
        end(&home, &[(verb, 78, "likemagic`"), (&format!("-c nowhere.yaml {verb}"), 78, "nowhere.yaml")]);
    }
    // And these read none.
    end(&home, &[("senders", 0, ""), ("schema", 0, ""), ("-c another.yaml init", 0, "")]);
}

#[test]
fn a_disk_that_takes_nothing_is_74() {
    let home = binary::home(RIGHT);
    end(&home, &[("-c nowhere/first.yaml init", 74, "nowhere/first.yaml")]);
    // A file stands where a folder is to be.
    let blocked = "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
sinks: { kept: { journal: { dir: $home/secret/journal } } }
routes: [ { to: { sink: kept } } ]
quarantine: { sink: kept }
";
    let ports = "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n";
    end(&binary::home(&format!("{ports}{blocked}")), &[("run", 74, "/secret")]);
}

/// Waits for the end of a verb beside a running server.
fn beside(server: &Hookway, arguments: &str) -> (Option<i32>, String) {
    let log = server.path("verb");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
    command
        .args(arguments.split_whitespace())
        .current_dir(server.path(""))
        .env("HOOKWAY_CONFIG", "beside.yaml");
    let mut process = Process::start(&command, &Streams::log(&log), None);
    let code = process.wait(PATIENCE).expect("the verb ends").code();
    (code, fs::read_to_string(&log).unwrap_or_default())
}

/// Writes a configuration for verbs beside a server, with this secret.
fn configure(server: &Hookway, secret: &Path) {
    let yaml = format!(
        "listen: {}\nadmin: {}\nsources: {{ hotel: {{ preset: likemagic, secrets: [ 'file:{}' ] }} }}\n",
        server.webhooks,
        server.admin,
        secret.display()
    );
    fs::write(server.path("beside.yaml"), yaml).unwrap();
}

#[tokio::test]
async fn beside_a_server_an_accepted_event_is_0_a_refused_one_1_and_nothing_to_read_1() {
    let server = Hookway::start(RIGHT);
    let ready = || fs::read_to_string(server.path("log")).is_ok_and(|log| log.contains("listening"));
    deadline::until("the server listens", PATIENCE, || ready().then_some(()));
    configure(&server, &server.path("secret"));
    let trigger = "trigger likemagic.RESERVATION_CHECKED_IN --wait";
    let (code, said) = beside(&server, "tail --from start");
    assert_eq!(code, Some(1), "there is nothing yet: {said}");
    let (code, said) = beside(&server, trigger);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = beside(&server, "tail --from start");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = beside(&server, &format!("{trigger} --break signature"));
    assert_eq!(code, Some(1), "{said}");
    fs::write(server.path("wrong"), "another-secret-of-some-length").unwrap();
    configure(&server, &server.path("wrong"));
    let (code, said) = beside(&server, trigger);
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = beside(&server, "capture hotel --for 100ms");
    assert_eq!(code, Some(1), "nothing came: {said}");
}

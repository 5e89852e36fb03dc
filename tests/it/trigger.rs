//! `hookway trigger` and `init` as an operator types them, where no answer is looked at: what is listed, printed, edited and
//! written.

use crate::{
    binary, deadline,
    eventually::PATIENCE,
    process::{self, Finished, Process, Streams},
};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, process::Command};
use tempfile::TempDir;

const CONFIG: &str = "listen: 127.0.0.1:1
sources:
  repo: { preset: github, secrets: [ 'file:$home/secret' ] }
  open: { preset: none }
";

fn trigger(home: &TempDir, arguments: &[&str]) -> Finished {
    process::run(binary::command(home, "trigger").args(arguments), b"", PATIENCE)
}

#[test]
fn only_what_is_configured_is_listed_unless_all_is_asked_for() {
    let home = binary::home(CONFIG);
    let senders = |arguments: &[&str]| {
        let listed = trigger(&home, arguments);
        assert!(listed.status.success(), "{}", listed.errors);
        listed.output.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(senders(&[]), ["none  source open", "github  source repo"]);
    assert_eq!(senders(&["--source", "repo"]), ["github  source repo"]);
    assert!(senders(&["--all"]).len() > 60);
    assert_eq!(senders(&["stripe"]), ["stripe  not configured"]);
    assert_eq!(trigger(&home, &["--source", "rep"]).status.code(), Some(64));
    fs::remove_file(home.path().join("hookway.yaml")).unwrap();
    let missing = trigger(&home, &[]);
    assert_eq!(missing.status.code(), Some(78));
    assert!(missing.errors.contains("hookway init"), "{}", missing.errors);
    assert!(senders(&["--all"]).len() > 60, "the presets need no configuration");
}

#[test]
fn a_member_that_is_not_there_is_not_set() {
    let home = binary::home(CONFIG);
    let sent = trigger(&home, &["github.push", "--set", "/repositry/id=1", "--print"]);
    assert_eq!(sent.status.code(), Some(64));
    assert!(sent.errors.contains("did you mean \"repository\"?"), "{}", sent.errors);
}

#[test]
fn a_server_that_is_not_up_is_named_and_waited_for() {
    let home = binary::home(CONFIG);
    let sent = trigger(&home, &["github.push"]);
    assert_eq!(sent.status.code(), Some(69));
    assert!(sent.output.contains("is `hookway run` up? --wait waits for it"), "{}", sent.output);

    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("listen: 127.0.0.1:{port}\nadmin: 127.0.0.1:0\n");
    let home = binary::home(&CONFIG.replace("listen: 127.0.0.1:1\n", &listen));
    let streams = Streams::log(&home.path().join("sent"));
    let mut waiting =
        Process::start(binary::command(&home, "trigger").args(["--wait", "github.push"]), &streams, None);
    deadline::until("the first line", PATIENCE, || {
        fs::read_to_string(&streams.output).unwrap_or_default().contains("→ POST").then_some(())
    });
    let log = Streams::log(&home.path().join("log"));
    let _server = Process::start(&binary::command(&home, "run"), &log, None);
    let code = waiting.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(code, Some(0), "{}", fs::read_to_string(&streams.output).unwrap());
}

#[test]
fn a_printed_command_sends_the_body_that_was_signed_and_never_a_file() {
    let home = binary::home(CONFIG);
    let path = |name: &str| home.path().join(name);
    // Stands for curl: keeps what it is given.
    fs::write(path("curl"), "#!/bin/sh\nprintf '%s\\n' \"$@\" >arguments\ncat >sent\n").unwrap();
    fs::set_permissions(path("curl"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(path("private.txt"), "a file of mine").unwrap();
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(200_000));
    let every: Vec<u8> = (0..=255).collect();
    for body in [b"@private.txt", &b"{\"a\":1}\0b"[..], b"it's 100% \\n $HOME", large.as_bytes(), &every, b""]
    {
        fs::write(path("body"), body).unwrap();
        let printed =
            trigger(&home, &["--source", "repo", "--data", "body", "--header", "x-empty=", "--print=curl"]);
        assert!(printed.status.success(), "{}", printed.errors);
        fs::write(path("send.sh"), printed.output).unwrap();
        let mut shell = Command::new("sh");
        shell.arg("send.sh").current_dir(home.path());
        shell.env("PATH", format!("{}:{}", home.path().display(), std::env::var("PATH").unwrap()));
        assert!(shell.status().unwrap().success());
        assert_eq!(fs::read(path("sent")).unwrap(), body);
        let arguments = fs::read_to_string(path("arguments")).unwrap();
        let files: Vec<&str> = arguments.lines().filter(|argument| argument.starts_with('@')).collect();
        assert_eq!(files, ["@-"], "only standard input is read");
        assert!(arguments.contains("x-empty;") && arguments.contains("x-hub-signature-256: sha256="));
    }
}

#[test]
fn a_first_configuration_is_written_and_never_over_another() {
    let home = binary::home("");
    let file = home.path().join("hookway.yaml");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
        process::run(command.args(arguments).current_dir(home.path()), b"", PATIENCE)
    };
    assert_eq!(run(&["init"]).status.code(), Some(64), "it is there");
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    fs::remove_file(&file).unwrap();
    assert_eq!(run(&["init", "githbu"]).status.code(), Some(64));
    let written = run(&["init", "github"]);
    assert!(
        written.status.success() && written.output.contains("export GITHUB_SECRET="),
        "{}",
        written.output
    );
    let checked = run(&["check"]);
    assert!(checked.status.success(), "{}{}", checked.output, checked.errors);
}

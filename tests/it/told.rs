//! What becomes of single events and requests is said where it helps and nowhere else: `trigger` and the log say it, the
//! answer at the webhook port does not, and the admin listener tells its own user only.

use crate::{
    binary::{self, Hookway},
    bridge::Bridge,
    client::{self, post},
    deadline,
    doubles::Fault,
    eventually::{PATIENCE, soon},
    logs::Logs,
    process::{self, Finished, Process, Streams},
    samples::{self, SECRET},
};
use hookway::record::PublishError;
use serde_json::Value;
use std::{fs, process::Command};

const CONFIG: &str = "
sources:
  hotel: { preset: likemagic, secrets: [ 'file:$home/secret' ] }
sinks:
  kept: { journal: { dir: '$home/kept' } }
  aside: { journal: { dir: '$home/aside' } }
routes:
  - match: { type: '*.RESERVATION_*' }
    to: { sink: kept }
  - match: { type: '*.TASK_*' }
    to: drop
quarantine: { sink: aside }
";

/// A running server, and the verbs that are used beside it.
struct Desk(Hookway);

impl Desk {
    fn start() -> Self {
        Self::start_with(CONFIG)
    }

    fn start_with(config: &str) -> Self {
        let hookway = Hookway::start(config);
        // The verbs read where it came to listen.
        let home = hookway.path("");
        let yaml = config.replace("$home", home.to_str().unwrap());
        let listeners = format!("listen: {}\nadmin: {}\n", hookway.webhooks, hookway.admin);
        fs::write(home.join("hookway.yaml"), listeners + &yaml).unwrap();
        let desk = Self(hookway);
        // Sinks are looked at once it listens.
        let first = desk.run(&["trigger", "--wait", "likemagic.RESERVATION_CREATED"]);
        assert!(first.status.success(), "{}{}", first.output, first.errors);
        desk
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
        command.args(arguments).current_dir(self.0.path(""));
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        process::run(&self.command(arguments), b"", PATIENCE)
    }

    /// Starts `capture` and returns once it listens.
    fn capture(&self, arguments: &[&str]) -> (Process, Streams) {
        let output = self.0.path("captured");
        let streams = Streams { input: "/dev/null".into(), errors: self.0.path("capturing"), output };
        for file in [&streams.output, &streams.errors] {
            fs::write(file, "").unwrap();
        }
        let process = Process::start(&self.command(&[&["capture"], arguments].concat()), &streams, None);
        deadline::until("a capture that waits", PATIENCE, || {
            fs::read_to_string(&streams.errors).unwrap().contains("waiting for").then_some(())
        });
        (process, streams)
    }
}

#[test]
fn trigger_says_what_became_of_an_event_and_where() {
    let desk = Desk::start();
    fs::write(desk.0.path("body"), samples::likemagic_body("one", "A-1")).unwrap();
    let body = ["trigger", "--source", "hotel", "--data", "body"];
    for (arguments, said) in [
        (&body[..], "published to kept#"),
        (&body, "suppressed: a repeat"),
        (&["trigger", "likemagic.TASK_CREATED"], "filtered: a route drops it"),
        (&["trigger", "likemagic.RESERVATION_CREATED", "--set", "/objectType=null"], "quarantined to aside#"),
    ] {
        let sent = desk.run(&[arguments, &["--wait"]].concat());
        assert!(sent.status.success() && sent.output.contains("← 200"), "{}{}", sent.output, sent.errors);
        assert!(sent.output.contains(said), "{said}: {}{}", sent.output, sent.errors);
    }
    let sent = desk.run(&["trigger", "likemagic.RESERVATION_CREATED", "--json"]);
    let object: Value = serde_json::from_str(&sent.output).unwrap();
    let outcome = &object["outcomes"][0];
    assert_eq!((&outcome["outcome"], &outcome["sink"]), (&"published".into(), &"kept".into()), "{object}");
    assert_eq!(outcome["id"], object["event_ids"][0]);
    let many = desk.run(&["trigger", "likemagic.RESERVATION_CREATED", "--count", "30"]);
    assert!(many.output.contains("30 published"), "{}{}", many.output, many.errors);
}

#[tokio::test]
async fn a_sender_hears_nothing_of_the_inside_and_a_stranger_is_not_told() {
    let desk = Desk::start();
    let answer = desk.0.send(&samples::event("one")).await;
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(answer.status, 200);
    for name in &names {
        let known = ["hookway-event-id", "x-content-type-options", "content-length", "date", "connection"];
        assert!(known.contains(name), "{names:?}");
    }
    for host in ["evil.example", "evil.example:80"] {
        let request = format!(
            "GET /told?source=hotel&wants=requests HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        );
        assert_eq!(client::send(desk.0.admin, request.as_bytes()).await.status, 403);
    }
    assert_eq!(
        desk.0.send(b"GET /told?source=hotel&wants=events HTTP/1.1\r\nhost: a\r\n\r\n").await.status,
        404
    );
}

#[tokio::test]
async fn a_refused_request_is_captured_without_secrets_and_explain_reads_it() {
    let desk = Desk::start();
    let (mut capturing, streams) = desk.capture(&["hotel", "-n", "2"]);
    let wrong = [("lm-webhook-secret", "wrong-one"), ("authorization", "Basic abc"), ("x-other", "stays")];
    desk.0.send(&samples::event("accepted")).await;
    let body = format!("{{\"echo\":\"{SECRET}\"}}");
    assert_eq!(desk.0.send(&post("/hooks/hotel", &wrong, body.as_bytes())).await.status, 401);
    let large = post("/hooks/hotel", &[("lm-webhook-secret", SECRET)], &vec![b'x'; 600_000]);
    assert_eq!(desk.0.send(&large).await.status, 413);
    assert_eq!(capturing.wait(PATIENCE).unwrap().code(), Some(0));
    let said = fs::read_to_string(streams.output).unwrap();
    assert!(
        said.contains("hotel-1.http  401 signature_invalid") && said.contains("hotel-2.http  413"),
        "{said}"
    );

    let file = fs::read_to_string(desk.0.path("hotel-1.http")).unwrap();
    for secret in [SECRET, "wrong-one", "Basic abc"] {
        assert!(!file.contains(secret), "{file}");
    }
    assert!(file.starts_with("POST /hooks/hotel HTTP/1.1\r\n") && file.contains("x-other: stays"), "{file}");
    let explained = desk.run(&["explain", "hotel-1.http", "--json"]);
    let verdict: Value = serde_json::from_str(&explained.output).unwrap();
    assert_eq!((explained.status.code(), &verdict["findings"][0]["code"]), (Some(1), &"withheld".into()));
    assert!(verdict["notes"].to_string().contains("401 signature_invalid"), "{verdict}");
    let explained = desk.run(&["explain", "hotel-2.http"]);
    assert!(explained.output.starts_with("rejected: 413 "), "{}", explained.output);
}

#[tokio::test]
async fn a_secret_that_is_handed_over_is_not_captured() {
    let desk = Desk::start_with(&CONFIG.replace(
        "sinks:",
        "  asana: { preset: asana, secrets: [ 'file:$home/asana' ], capture: { file: '$home/asana', until: 2999-01-01T00:00:00Z } }
  notion: { preset: notion, secrets: [ 'file:$home/notion' ] }
  paired: { preset: notion, secrets: [ 'file:$home/secret' ] }
  meta: { preset: meta, secrets: [ 'file:$home/secret' ], params: { verify_token: handed-over-3eZbrw1aBm2rZg } }
  sns: { preset: aws-sns, params: { topic_arn: 'arn:aws:sns:eu-central-1:123456789012:doors' } }
sinks:",
    ));
    let handed = "handed-over-3eZbrw1aBm2rZg";
    let token = format!("{{\"verification_token\":\"{handed}\"}}");
    let header: &[(&str, &str)] = &[("x-hook-secret", handed)];
    let agree = format!(
        "{{\"Type\":\"SubscriptionConfirmation\",\"SubscribeURL\":\"https://a.example/?Token={handed}\"}}"
    );
    for (source, headers, body, status) in [
        ("asana", header, "{}", 200),
        ("notion", &[], &*token, 503),
        ("notion", &[], &token.replace("token", "\\u0074oken"), 503),
        ("paired", &[], &token, 401),
        ("sns", &[], &agree, 401),
    ] {
        let (mut capturing, streams) = desk.capture(&[source, "--all", "--dir", "-"]);
        let answer = desk.0.send(&post(&format!("/hooks/{source}"), headers, body.as_bytes())).await;
        assert_eq!(answer.status, status, "{source}: {}", answer.body);
        assert_eq!(capturing.wait(PATIENCE).unwrap().code(), Some(0));
        let file = fs::read_to_string(streams.output).unwrap();
        assert!(file.contains("[withheld: ") && !file.contains(handed), "{file}");
    }
    let (mut capturing, streams) = desk.capture(&["meta", "--all", "--dir", "-"]);
    let subscribe = format!(
        "GET /hooks/meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token={handed} HTTP/1.1\r\nhost: a\r\n\r\n"
    );
    assert_eq!(desk.0.send(subscribe.as_bytes()).await.status, 200);
    assert_eq!(capturing.wait(PATIENCE).unwrap().code(), Some(0));
    let file = fs::read_to_string(streams.output).unwrap();
    assert!(file.contains("hub.challenge=1") && !file.contains(handed), "{file}");
    let (mut capturing, streams) = desk.capture(&["paired", "--dir", "-"]);
    desk.0.send(&post("/hooks/paired", &[], b"{\"type\":\"page.created\"}")).await;
    assert_eq!(capturing.wait(PATIENCE).unwrap().code(), Some(0));
    let file = fs::read_to_string(streams.output).unwrap();
    assert!(file.contains("page.created"), "an event's body is there to be explained: {file}");
}

#[tokio::test]
async fn all_requests_are_captured_where_that_is_asked_for() {
    let desk = Desk::start();
    let (mut capturing, streams) = desk.capture(&["hotel", "--all", "--dir", "files"]);
    desk.0.send(&samples::event("accepted")).await;
    assert_eq!(capturing.wait(PATIENCE).unwrap().code(), Some(0));
    assert!(fs::read_to_string(streams.output).unwrap().contains("200 accepted"));
    assert!(desk.0.path("files/hotel-1.http").exists());
    let (mut capturing, streams) = desk.capture(&["hotel", "--all", "--dir", "-"]);
    desk.0.send(&samples::event("another")).await;
    assert_eq!(capturing.wait(PATIENCE).unwrap().code(), Some(0));
    assert!(fs::read_to_string(streams.output).unwrap().starts_with("POST /hooks/hotel HTTP/1.1\r\n"));
}

#[test]
fn a_capture_ends_by_itself_and_names_what_is_wrong() {
    let desk = Desk::start();
    let code = |arguments: &[&str]| desk.run(&[&["capture"], arguments].concat()).status.code();
    assert_eq!(code(&["hotel", "--for", "100ms"]), Some(1));
    assert_eq!(code(&["hotle"]), Some(64));
    assert_eq!(code(&["hotel", "--for", "2h"]), Some(64));
    let alone = binary::home("listen: 127.0.0.1:0\nadmin: 127.0.0.1:1\nsources: { any: { preset: none } }\n");
    let mut command = binary::command(&alone, "capture");
    assert_eq!(process::run(command.arg("any"), b"", PATIENCE).status.code(), Some(69));
}

#[tokio::test]
async fn each_event_has_its_line_at_debug_and_a_quarantined_one_a_warning() {
    let bridge = Bridge::ordinary().await;
    bridge.send(&samples::event("one")).await;
    bridge.send(&samples::event("one")).await;
    bridge.send(&samples::likemagic(r#"{"id":"two","topic":"X"}"#)).await;
    let lines = bridge.logs.lines("event");
    assert_eq!(lines.len(), 2, "{lines:?}");
    let is = |line: &Value, outcome: &str| line["outcome"].as_str().unwrap().starts_with(outcome);
    assert!(is(&lines[0], "published to kept#") && is(&lines[1], "suppressed"), "{lines:?}");
    assert_eq!((&lines[0]["source"], &lines[0]["level"]), (&"hotel".into(), &"DEBUG".into()));
    let warnings = bridge.logs.lines("quarantined");
    assert_eq!((warnings.len(), &warnings[0]["level"]), (1, &"WARN".into()), "{warnings:?}");
    for _ in 0..100 {
        bridge.send(&samples::likemagic(r#"{"topic":"X"}"#)).await;
    }
    assert!(bridge.logs.lines("quarantined").len() <= 60, "a flood is counted");
    soon("the end", bridge.finish()).await;
}

#[tokio::test]
async fn a_quarantined_event_has_its_warning_at_the_default_level_where_nobody_listens() {
    let bridge = Bridge::ordinary().await;
    let (logs, _level) = Logs::filtered("info");
    bridge.send(&samples::event("one")).await;
    bridge.send(&samples::likemagic(r#"{"id":"two","topic":"X"}"#)).await;
    bridge.sink("aside").becomes(Fault::FailsFor("", PublishError::Rejected("planted".to_owned())));
    bridge.send(&samples::likemagic(r#"{"id":"three","topic":"X"}"#)).await;
    let warnings = logs.lines("quarantined");
    assert_eq!(warnings.len(), 2, "in a sink, and in a file beside it: {}", logs.text());
    for line in &warnings {
        assert_eq!((&line["level"], &line["source"]), (&"WARN".into(), &"hotel".into()), "{line}");
        assert!(line["reason"].as_str().unwrap().contains(": "), "{line}");
    }
    assert_eq!((&warnings[0]["sink"], warnings[1].get("sink")), (&"aside".into(), None));
    assert!(logs.lines("event").is_empty(), "nobody asked for these");
}

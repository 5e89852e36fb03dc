//! `hookway explain` as an operator types it: exit codes, the JSON object, and that no key is ever told.

use crate::{
    binary,
    bridge::Bridge,
    client::post,
    samples::{self, SECRET},
};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    process::{Output, Stdio},
};
use tempfile::TempDir;

const CONFIG: &str = "listen: 127.0.0.1:0
sources:
  repo: { preset: github, max_body: 512KiB, secrets: [ 'file:$home/secret' ] }
  hotel: { preset: likemagic, secrets: [ 'file:$home/other' ] }
sinks:
  bus: { kafka: { brokers: [ '127.0.0.1:1' ] } }
  kept: { journal: { dir: '$home/kept' } }
routes:
  - match: { source: repo, type: 'com.github.push' }
    to: { sink: bus, topic: 'code.{object}' }
quarantine: { sink: kept }
";

/// A folder with a configuration and a rightly signed push of GitHub's, as `trigger` prints it.
struct Desk {
    home: TempDir,
    request: Vec<u8>,
}

impl Desk {
    fn new() -> Self {
        let home = binary::home(CONFIG);
        let printed = binary::command(&home, "trigger").args(["github.push", "--print"]).output().unwrap();
        assert!(printed.status.success(), "{printed:?}");
        Self { home, request: printed.stdout }
    }

    /// Explains a request that stands in a file.
    fn explain(&self, request: &[u8], arguments: &[&str]) -> Output {
        fs::write(self.home.path().join("request"), request).unwrap();
        binary::command(&self.home, "explain").args(arguments).arg("request").output().unwrap()
    }

    /// Returns the exit code and the JSON object.
    fn json(&self, request: &[u8], arguments: &[&str]) -> (i32, Value) {
        let output = self.explain(request, &[arguments, &["--json"]].concat());
        let object = serde_json::from_slice(&output.stdout);
        (output.status.code().unwrap(), object.unwrap_or_else(|_| panic!("{output:?}")))
    }

    fn altered(&self, from: &str, to: &str) -> Vec<u8> {
        let text = String::from_utf8(self.request.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        text.replace(from, to).into_bytes()
    }
}

#[test]
fn an_accepted_request_shows_where_it_would_go() {
    let desk = Desk::new();
    let (code, verdict) = desk.json(&desk.request, &["--source", "repo", "--partitions", "6"]);
    assert_eq!((code, &verdict["verdict"], &verdict["reason"]), (0, &json!("accept"), &Value::Null));
    let event = &verdict["events"][0];
    assert_eq!(event["destinations"], json!([{ "sink": "bus", "name": "code.repository" }]));
    assert_eq!((&event["key"], &event["type"]), (&json!("repository:1296269"), &json!("com.github.push")));
    assert!(event["partition"].as_u64().unwrap() < 6, "{event}");
    assert_eq!(event["envelope"]["id"], event["dedup_id"]);
    assert_eq!(event["envelope"]["hookwayverified"], "signature");
    // The path names the source, too, and people read the same.
    let output = desk.explain(&desk.request, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.starts_with("accepted\n"), "{text}");
    assert!(text.contains("bus code.repository") && text.contains("key 1 of 1: signature"), "{text}");
}

#[test]
fn a_rejected_request_shows_why_and_tells_no_key() {
    let desk = Desk::new();
    let signature = "x-hub-signature-256: sha256=";
    let altered = |from, to| desk.altered(from, to);
    for (request, failure, cause) in [
        (altered("x-hub-signature-256", "x-hub-signature"), "missing", "other_header"),
        (altered("{\"ref\":", "{ \"ref\": "), "mismatch", "body_json"),
        (altered("refs/heads/main", "refs/heads/evil"), "mismatch", "unknown"),
        (altered(signature, "x-hub-signature-256: "), "malformed", "prefix"),
    ] {
        let (code, verdict) = desk.json(&request, &["--source", "repo"]);
        assert_eq!((code, &verdict["verdict"], &verdict["failure"]), (1, &json!("reject"), &json!(failure)));
        assert_eq!(verdict["findings"][0]["code"], cause, "{verdict}");
        assert_eq!(verdict["reason"], verdict["findings"][0]["what"]);
        assert_eq!((&verdict["response"], &verdict["events"]), (&Value::Null, &json!([])));
        assert!(!verdict.to_string().contains(SECRET), "{verdict}");
        let text = desk.explain(&request, &["--source", "repo"]);
        assert_eq!(text.status.code(), Some(1));
        let said =
            format!("{}{}", String::from_utf8_lossy(&text.stdout), String::from_utf8_lossy(&text.stderr));
        assert!(said.starts_with("rejected: ") && !said.contains(SECRET), "{said}");
    }
}

#[test]
fn a_preset_needs_no_configuration_and_keys_come_from_anywhere() {
    let desk = Desk::new();
    fs::remove_file(desk.home.path().join("hookway.yaml")).unwrap();
    for key in [SECRET.to_owned(), "file:secret".to_owned(), format!("{SECRET} ")] {
        let (code, verdict) = desk.json(&desk.request, &["--sender", "github", &format!("--key={key}")]);
        let is_right = !key.ends_with(' ');
        assert_eq!(code, i32::from(!is_right), "{verdict}");
        if !is_right {
            assert_eq!(verdict["findings"][0]["code"], "secret_blank");
        }
    }
    let (code, verdict) =
        desk.json(&desk.request, &["--sender", "github", "--key=wrong", "--key", "file:secret"]);
    assert_eq!((code, &verdict["checked"]["key"]), (0, &json!(2)));
    let (code, verdict) = desk.json(&desk.request, &["--sender", "github"]);
    assert_eq!((code, &verdict["failure"]), (1, &json!("unkeyed")));
    assert_eq!(verdict["findings"][0]["code"], "no_key");
}

#[test]
fn a_handshake_shows_its_answer_and_an_open_preset_needs_its_url_and_time() {
    let desk = Desk::new();
    let asks = b"OPTIONS /in HTTP/1.1\nHost: a\nWebHook-Request-Origin: events.example\n\n";
    let (code, verdict) = desk.json(asks, &["--sender", "cloudevents", "--key=a token of the tests"]);
    assert_eq!((code, &verdict["response"]["status"]), (0, &json!(200)), "{verdict}");
    assert_eq!(verdict["response"]["headers"]["webhook-allowed-origin"], "events.example");
    assert_eq!(verdict["events"], json!([]));
    let text = desk.explain(asks, &["--sender", "cloudevents", "--key=a token of the tests"]).stdout;
    assert!(String::from_utf8(text).unwrap().starts_with("accepted: a handshake"));

    let body = r#"{"id":"evt_1","object":"event","type":"charge.succeeded","data":{"object":{"id":"ch_1"}}}"#;
    let signature = samples::hmac(format!("1762178400.{body}").as_bytes());
    let stripe = format!("POST /in HTTP/1.1\nStripe-Signature: t=1762178400,v1={signature}\n\n{body}");
    let explain = |more: &[&str]| {
        desk.json(stripe.as_bytes(), &[&["--sender", "stripe", "--key", "file:secret"], more].concat())
    };
    let (code, verdict) = explain(&[]);
    assert_eq!((code, &verdict["findings"][0]["code"]), (1, &json!("stale")), "{verdict}");
    assert_eq!(explain(&["--no-time-window"]).0, 0);
    assert_eq!(explain(&["--now", "1762178500"]).0, 0);
    assert_eq!(explain(&["--now", "2025-11-03T14:00:00Z"]).0, 0);
}

#[test]
fn a_request_comes_from_standard_input_or_from_an_archive() {
    let desk = Desk::new();
    let mut command = binary::command(&desk.home, "explain");
    let mut child = command.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&desk.request).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());

    let text = String::from_utf8(desk.request.clone()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n")).unwrap();
    let headers = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
    let headers: Vec<Value> = headers.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let entry = |method: &str| {
        json!({ "startedDateTime": "2026-01-02T03:04:05Z",
            "request": { "method": method, "url": "https://a/hooks/repo", "headers": headers, "postData": { "text": body } } })
    };
    let archive = json!({ "log": { "entries": [entry("GET"), entry("POST")] } }).to_string();
    let (code, verdict) = desk.json(archive.as_bytes(), &[]);
    assert_eq!((code, &verdict["checked"]["received"]), (0, &json!("2026-01-02T03:04:05Z")));
    assert_eq!(desk.explain(archive.as_bytes(), &["--entry", "2"]).status.code(), Some(64));
}

#[test]
fn a_scheme_is_discovered_and_printed_as_it_is_configured() {
    let desk = Desk::new();
    let output = desk.explain(&desk.request, &["--discover", "--key", "file:secret"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("  algorithm: hmac-sha256\n"), "{text}");
    fs::write(desk.home.path().join("found.yaml"), format!("sender: found\n{text}")).unwrap();
    let (code, verdict) = desk.json(&desk.request, &["--sender", "./found.yaml", "--key", "file:secret"]);
    assert_eq!(code, 0, "{verdict}");
    let (code, found) = desk.json(&desk.request, &["--discover", "--key=not the secret"]);
    assert_eq!((code, &found["discovered"]), (1, &json!([])));
}

#[test]
fn what_can_not_be_explained_is_wrong_usage() {
    let desk = Desk::new();
    let usage = |request: &[u8], arguments: &[&str]| {
        let output = desk.explain(request, arguments);
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(usage(&desk.request, &["--sender", "gihtub"]).contains("github"));
    assert!(usage(&desk.request, &["--source", "shop"]).contains("hotel or repo"));
    assert!(usage(b"hello", &["--source", "repo"]).contains("POST /hooks/shop"));
    assert!(
        usage(&desk.request, &["--sender", "github", "--key", "env:NOBODY_SETS_THIS"]).contains("not set")
    );
    assert!(usage(&desk.request, &["--sender", "syncaroo", "--key=x"]).contains("--discover"));
    let output = binary::command(&desk.home, "explain").arg("absent").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}

#[tokio::test]
async fn the_log_of_a_401_names_the_cause_and_the_answer_does_not() {
    let bridge = Bridge::ordinary().await;
    let sent = r#"{"event":"DATA_NEW"}"#;
    let signature = samples::hmac(sent.as_bytes());
    let changed = post("/hooks/units", &[("propexo-signature", &signature)], format!("{sent}\n").as_bytes());
    let spaced = post("/hooks/hotel", &[("lm-webhook-secret", &format!("{SECRET}_"))], b"{}");
    for (request, cause) in [(changed, Some("without the line end behind it")), (spaced, None)] {
        let reply = bridge.send(&request).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "signature_invalid"));
        let line = bridge.logs.lines("refused").pop().unwrap();
        match cause {
            Some(cause) => assert!(line["cause"].as_str().unwrap().contains(cause), "{line}"),
            None => assert_eq!(line.get("cause"), None, "{line}"),
        }
        let told = format!("{reply:?}");
        assert!(!told.contains("line end") && !line.to_string().contains(&signature), "{told} {line}");
    }
}

#[test]
fn what_the_server_refuses_before_it_verifies_is_said_with_its_status() {
    let desk = Desk::new();
    let (head, body) = (desk.altered("host:", "host:"), vec![b'x'; 600_000]);
    let text = String::from_utf8(head).unwrap();
    let large = text.split("\r\n\r\n").next().unwrap().replace("content-length: ", "x-length: ");
    let large = [large.as_bytes(), b"\r\n\r\n", &body[..]].concat();
    let announced = text.replace("content-length: ", "content-length: 9999");
    let with = |line: &str| desk.altered("content-length:", &format!("{line}\r\ncontent-length:"));
    for (request, status, code) in [
        (large, "413", "body_too_large"),
        (announced.into_bytes(), "413", "body_too_large"),
        (desk.altered("POST ", "PUT "), "405", "method_not_allowed"),
        (with("content-encoding: gzip"), "415", "encoding_unsupported"),
        (with(&"x-many: 1\r\n".repeat(110)[..1098]), "431", "head_too_large"),
        (with(&format!("cookie: {}", "a".repeat(70_000))), "431", "head_too_large"),
        (with("host: other"), "400", "request_malformed"),
        (with("transfer-encoding: chunked"), "400", "request_malformed"),
    ] {
        let (exit, verdict) = desk.json(&request, &["--source", "repo"]);
        let said = (exit, &verdict["verdict"], &verdict["failure"], &verdict["findings"][0]["code"]);
        assert_eq!(said, (1, &json!("reject"), &json!(code), &json!(code)), "{verdict}");
        assert!(verdict["reason"].as_str().unwrap().starts_with(status), "{verdict}");
    }
}

/// Events of a list, and of a type that no route takes.
const LIST: &str = "listen: 127.0.0.1:0
sources:
  shop:
    secrets: [ 'file:$home/secret' ]
    verify: { algorithm: hmac-sha256, header: x-sig, encoding: hex }
    event: { format: json, type_prefix: com.a, each: '/items/*', type: ./t, object: order, object_id: ./n, id: '{./id}' }
sinks:
  bus: { kafka: { brokers: [ '127.0.0.1:1' ] } }
routes: [ { match: { type: 'com.a.paid' }, to: { sink: bus, topic: orders } } ]
quarantine: { sink: bus, topic: 'aside.{type}' }
";

#[test]
fn elements_that_would_be_suppressed_and_quarantined_ones_are_shown_as_the_server_treats_them() {
    let desk = Desk { home: binary::home(LIST), request: Vec::new() };
    let body = r#"{"items":[{"id":"1","t":"paid","n":1},{"id":"1","t":"paid","n":1},{"id":"2","t":"is late","n":2}]}"#;
    let request = post("/hooks/shop", &[("x-sig", &samples::hmac(body.as_bytes()))], body.as_bytes());
    let (code, verdict) = desk.json(&request, &[]);
    assert_eq!(code, 0, "{verdict}");
    let events = verdict["events"].as_array().unwrap();
    let repeats: Vec<&Value> = events.iter().map(|event| &event["is_repeat"]).collect();
    assert_eq!(repeats, [&json!(false), &json!(true), &json!(false)], "{verdict}");
    assert_eq!(events[1]["destinations"], json!([]));
    // The type does not fit a topic's name, and the event has a place all the same.
    let late = &events[2];
    assert_eq!(late["destinations"], json!([{ "sink": "bus", "name": "aside._" }]), "{verdict}");
    assert_eq!(
        (&late["quarantine"]["reason"], &late["envelope"]["hookwayreason"]),
        (&json!("unrouted"), &json!("unrouted"))
    );
    let text = String::from_utf8(desk.explain(&request, &[]).stdout).unwrap();
    assert!(text.contains("as an event before it: suppressed as a repeat"), "{text}");
}

//! Fixtures on disk: a request as it goes over the wire, and beside it what it comes to.

use super::source::{self, Outcome};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use hookway::delivery::Request;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/senders");
const EVENTS: &str = "expected.events.json";
const ANSWER: &str = "expected.answer.json";
const REFUSAL: &str = "expected.refusal";

/// Writes a request as HTTP/1.1.
pub(super) fn write(request: &Request) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\nhost: hooks.example.test\r\n", request.method, request.uri).into_bytes();
    for (name, value) in &request.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body.len()).as_bytes());
    text.extend_from_slice(&request.body);
    text
}

/// Reads a request that stands as HTTP/1.1, received at the fixtures' time.
pub(super) fn parse(bytes: &[u8]) -> Request {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (head, body) = (std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 4..]);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    assert_eq!(headers["content-length"], body.len().to_string(), "the body is cut or too long");
    Request {
        method: first.next().unwrap().parse().unwrap(),
        uri: first.next().unwrap().parse().unwrap(),
        headers,
        body: Bytes::copy_from_slice(body),
        received: source::now(),
    }
}

/// The fixtures of one preset.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(preset: &str) -> Self {
        Self(PathBuf::from(FIXTURES).join(preset))
    }

    /// Returns the names of the cases that are made from samples, in the order of the alphabet.
    pub(super) fn cases(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        let made = paths.filter(|path| [EVENTS, ANSWER, REFUSAL].iter().any(|file| path.join(file).exists()));
        let mut names: Vec<String> =
            made.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    pub(super) fn request(&self, case: &str) -> Vec<u8> {
        fs::read(self.0.join(case).join("request.http")).unwrap()
    }

    /// Holds an outcome to what is committed.
    pub(super) fn compare(&self, case: &str, outcome: &Outcome) {
        let path = self.0.join(case);
        match outcome {
            Outcome::Accepted { events, .. } => {
                let expected = fs::read_to_string(path.join(EVENTS));
                let expected = expected.unwrap_or_else(|_| panic!("{} was accepted", path.display()));
                let expected: Value = serde_json::from_str(&expected).unwrap();
                assert_eq!(Value::from(events.clone()), expected, "{}", path.display());
            }
            Outcome::Answered { .. } => {
                let expected = fs::read_to_string(path.join(ANSWER));
                let expected = expected.unwrap_or_else(|_| panic!("{} was answered", path.display()));
                let expected: Value = serde_json::from_str(&expected).unwrap();
                assert_eq!(answer(outcome), expected, "{}", path.display());
            }
            Outcome::Refused { class, detail } => self.compare_refusal(case, class, detail),
            Outcome::Unanswered(detail) => self.compare_refusal(case, "unanswered", detail),
        }
    }

    fn compare_refusal(&self, case: &str, class: &str, detail: &str) {
        let path = self.0.join(case);
        let expected = fs::read_to_string(path.join(REFUSAL));
        let expected = expected.unwrap_or_else(|_| panic!("{} was refused: {detail}", path.display()));
        assert_eq!(class, expected.trim(), "{}: {detail}", path.display());
    }

    /// Writes a case anew.
    pub(super) fn update(&self, case: &str, request: &Request, outcome: &Outcome) {
        let path = self.0.join(case);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("request.http"), write(request)).unwrap();
        for stale in [EVENTS, ANSWER, REFUSAL] {
            match fs::remove_file(path.join(stale)) {
                Ok(()) => {}
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
            }
        }
        match outcome {
            Outcome::Accepted { events, .. } => {
                let text = serde_json::to_string_pretty(events).unwrap();
                fs::write(path.join(EVENTS), text + "\n").unwrap();
            }
            Outcome::Answered { .. } => {
                let text = serde_json::to_string_pretty(&answer(outcome)).unwrap();
                fs::write(path.join(ANSWER), text + "\n").unwrap();
            }
            Outcome::Refused { class, .. } => fs::write(path.join(REFUSAL), format!("{class}\n")).unwrap(),
            Outcome::Unanswered(_) => fs::write(path.join(REFUSAL), "unanswered\n").unwrap(),
        }
    }
}

/// Returns an answer as it stands in its file.
fn answer(outcome: &Outcome) -> Value {
    let Outcome::Answered { status, headers, body, effect } = outcome else { return Value::Null };
    json!({ "status": status, "headers": headers, "body": body, "effect": effect })
}

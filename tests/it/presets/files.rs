//! Fixtures on disk: a request as it goes over the wire, and beside it what it comes to.

use super::{outcome::Outcome, source};
use bytes::Bytes;
use hookway::request::Request;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/senders");
const EVENTS: &str = "expected.events.json";
const ANSWER: &str = "expected.answer.json";
const REFUSAL: &str = "expected.refusal";

/// Writes a request as HTTP/1.1.
pub(super) fn write(request: &Request) -> Vec<u8> {
    let mut text =
        format!("{} {} HTTP/1.1\r\nhost: hooks.example.test\r\n", request.method, request.uri).into_bytes();
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

    /// Returns how an outcome differs from what is committed.
    pub(super) fn difference(&self, case: &str, outcome: &Outcome) -> Option<String> {
        let (file, text) = written(outcome);
        let expected = fs::read_to_string(self.0.join(case).join(file));
        match expected {
            Ok(expected) if expected == text => None,
            Ok(expected) => Some(format!("{file} is\n{expected}and it came to\n{text}")),
            Err(_) => Some(format!("there is no {file}, and it came to {outcome}")),
        }
    }

    /// Removes cases that are no longer made.
    pub(super) fn keep(&self, names: &[&str]) {
        for case in self.cases().iter().filter(|case| !names.contains(&case.as_str())) {
            fs::remove_dir_all(self.0.join(case)).unwrap();
        }
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
        let (file, text) = written(outcome);
        fs::write(path.join(file), text).unwrap();
    }
}

/// Returns the file in which an outcome stands, and its text.
fn written(outcome: &Outcome) -> (&'static str, String) {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap() + "\n";
    match outcome {
        Outcome::Accepted { events, .. } => (EVENTS, pretty(&Value::from(events.clone()))),
        Outcome::Answered { status, headers, body, effect } => {
            let answer = json!({ "status": status, "headers": headers, "body": body, "effect": effect });
            (ANSWER, pretty(&answer))
        }
        Outcome::Unanswered(_) => (REFUSAL, "unanswered\n".to_owned()),
        Outcome::Refused { class, .. } => (REFUSAL, format!("{class}\n")),
    }
}

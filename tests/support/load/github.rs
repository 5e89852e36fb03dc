//! GitHub `issues` deliveries as bytes on the wire: an 881-byte body, signed beforehand, so that a measured
//! window holds the receiver's HMAC and not the generator's.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::Write;

/// The length of every body in bytes.
pub(crate) const BODY_BYTES: usize = 881;
/// How many different issues, and so object keys, the deliveries are about.
pub(crate) const ISSUES: u64 = 1000;
/// The id of the repository of all deliveries.
pub(crate) const REPOSITORY: u64 = 1_296_269;
/// The number of the first issue; all have five digits.
const FIRST_ISSUE: u64 = 10_000;

/// Where deliveries go and how they are signed.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The path of the URL, as `/hooks/bench`.
    pub(crate) path: String,
    /// The secret shared with the receiver.
    pub(crate) secret: String,
}

/// Requests rendered and signed beforehand. There are as many bodies as the ring has places; a delivery's id
/// is its own even where its body was sent before.
#[derive(Debug)]
pub(crate) struct Deliveries {
    ring: Vec<Request>,
}

/// A request with the place of its delivery's id.
#[derive(Debug)]
struct Request {
    bytes: Vec<u8>,
    id_at: usize,
}

impl Deliveries {
    /// Signs `places` bodies.
    pub(crate) fn sign(endpoint: &Endpoint, places: u32) -> Self {
        let bodies = (0..u64::from(places)).map(body);
        Self::of(&endpoint.secret, bodies.map(|body| (endpoint.path.clone(), body)))
    }

    /// Signs these bodies for the paths beside them.
    pub(crate) fn of(secret: &str, requests: impl Iterator<Item = (String, Vec<u8>)>) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        Self { ring: requests.map(|(path, body)| render(&path, &mac, &body)).collect() }
    }

    /// Writes the request with this sequence of this run over `buffer`.
    pub(crate) fn write(&self, run: Run, sequence: u64, buffer: &mut Vec<u8>) {
        let places = u64::try_from(self.ring.len()).unwrap();
        let request = &self.ring[usize::try_from(sequence % places).unwrap()];
        buffer.clear();
        buffer.extend_from_slice(&request.bytes);
        let mut place = &mut buffer[request.id_at..];
        write!(place, "{}", run.delivery_id(sequence)).unwrap();
    }
}

/// One run of the generator. Its delivery ids are no other run's: what a receiver remembers of an earlier run
/// would be answered as a duplicate, without any work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run(u64);

impl Run {
    /// Draws a new run.
    pub(crate) fn new() -> Self {
        Self(uuid::Uuid::now_v7().as_u64_pair().1 & 0xffff_ffff)
    }

    /// Returns the delivery id (`X-GitHub-Delivery`) of this sequence, in a UUID's form.
    pub(crate) fn delivery_id(self, sequence: u64) -> impl std::fmt::Display {
        uuid::Uuid::from_u64_pair(self.0 << 32 | 0x4000, 0x8000_0000_0000_0000 | sequence)
    }
}

/// Returns the body with this sequence number in it; equal length for every sequence below 10^12.
pub(crate) fn body(sequence: u64) -> Vec<u8> {
    let number = FIRST_ISSUE + sequence % ISSUES;
    let action = ["opened", "edited", "closed"][usize::try_from(sequence % 3).unwrap()];
    let start = format!(
        r#"{{"action":"{action}","issue":{{"id":20{number},"number":{number},"title":"Spelling error in the README file","state":"open","locked":false,"comments":0,"user":{{"login":"octocat","id":21031067,"type":"User","site_admin":false}},"labels":[{{"id":1362934389,"name":"bug","color":"d73a4a","default":true}}],"created_at":"2026-05-15T15:20:18Z","updated_at":"2026-05-15T15:20:18Z","closed_at":null,"body":"It looks like you accidentally spelled 'commit' with two 't's."#
    );
    let end = format!(
        r#""}},"repository":{{"id":{REPOSITORY},"name":"hello-world","full_name":"octocat/hello-world","private":false,"owner":{{"login":"octocat","id":21031067}},"default_branch":"main"}},"sender":{{"login":"octocat","id":21031067,"type":"User"}},"sequence":"{sequence:012}"}}"#
    );
    let padding = BODY_BYTES.checked_sub(start.len() + end.len()).expect("the body's parts fit");
    [start.as_bytes(), &vec![b'.'; padding], end.as_bytes()].concat()
}

fn render(path: &str, mac: &Hmac<Sha256>, body: &[u8]) -> Request {
    let signature = hex::encode(mac.clone().chain_update(body).finalize().into_bytes());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nContent-Type: application/json\r\n\
         User-Agent: GitHub-Hookshot/bench\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: "
    );
    let id = uuid::Uuid::nil();
    let rest =
        format!("{id}\r\nX-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n", body.len());
    Request { bytes: [head.as_bytes(), rest.as_bytes(), body].concat(), id_at: head.len() }
}

//! One HTTP/1.1 request on a connection of its own, by the standard library alone: what a sender, a probe and a
//! scraper send, and what they see.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest an answer may take: far longer than any deadline that a test sets.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the other side answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Names and values in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as text.
    pub(crate) body: String,
}

impl Answer {
    /// Returns the value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// Writes a request's head and body on a new connection, which is returned unread.
pub(crate) fn send(to: SocketAddr, head: &str, body: &[u8]) -> TcpStream {
    let mut connection =
        TcpStream::connect(to).unwrap_or_else(|error| panic!("{to} does not accept: {error}"));
    connection.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
    let request = [head.as_bytes(), b"\r\n\r\n", body].concat();
    // A refused body may be cut off by the answer: what counts then is the answer.
    if let Err(error) = connection.write_all(&request) {
        let cut_off = matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset);
        assert!(cut_off, "the request could not be written: {error}");
    }
    connection
}

/// Reads the answer on a connection whose request asked to close it.
pub(crate) fn receive(mut connection: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    if let Err(error) = connection.read_to_end(&mut bytes) {
        assert!(!bytes.is_empty(), "no answer: {error}");
    }
    let text = String::from_utf8(bytes).expect("an answer is text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("half an answer: {text:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Answer {
        status: status.unwrap_or_else(|| panic!("no status in {head:?}")),
        headers: lines.map(|line| header(line).expect("a header line has a colon")).collect(),
        body: body.to_owned(),
    }
}

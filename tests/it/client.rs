//! A client that sends exactly the bytes it is told to, so that a test can be as wrong as the wire allows.

use crate::eventually::soon;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An answer, as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// Returns a header's value; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the public code of a refusal.
    pub(crate) fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_str(&self.body).expect("a problem document");
        problem["code"].as_str().expect("a code").to_owned()
    }

    /// Returns the ids of the events that were accepted.
    pub(crate) fn event_id(&self) -> &str {
        self.header("hookway-event-id").expect("an accepted request names its event")
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = soon("a connection", TcpStream::connect(address)).await.expect("a listener");
        Self { stream, unread: Vec::new() }
    }

    /// Sends bytes; that the other side has closed shows when reading.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _closed = self.stream.write_all(bytes).await;
    }

    /// Closes our half: nothing more is sent, and answers are still read.
    pub(crate) async fn close_half(&mut self) {
        self.stream.shutdown().await.expect("an open connection");
    }

    /// Reads one answer; `None` when the connection was closed before one began.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        let head = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                break self.unread.drain(..end + 4).collect::<Vec<u8>>();
            }
            if !self.more().await {
                assert!(
                    self.unread.is_empty(),
                    "half an answer: {:?}",
                    String::from_utf8_lossy(&self.unread)
                );
                return None;
            }
        };
        let head = String::from_utf8(head).expect("a head of plain text");
        let (status, lines) = head.split_once("\r\n").expect("a status line");
        let status = status.split(' ').nth(1).expect("a status").parse().expect("a number");
        let pairs = lines.lines().filter_map(|line| line.split_once(':'));
        let headers: Vec<(String, String)> =
            pairs.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
        while self.unread.len() < length {
            assert!(self.more().await, "the body of an answer broke off");
        }
        let body = self.unread.drain(..length).collect();
        Some(Reply { status, headers, body: String::from_utf8(body).expect("a body of text") })
    }

    /// Returns whether the other side has closed the connection without another answer; waits until it does.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.more().await
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Reply {
        self.send(request).await;
        self.reply().await.expect("an answer")
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = soon("bytes or the end of a connection", self.stream.read(&mut buffer)).await;
        // A reset says the same as an orderly end.
        let read = read.unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..read]);
        read > 0
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Writes a POST.
pub(crate) fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    [request.as_bytes(), b"\r\n", body].concat()
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: &[u8]) -> Reply {
    Connection::open(address).await.exchange(request).await
}

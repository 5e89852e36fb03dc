//! The smallest correct HTTP/1.1 client for load: one keep-alive connection on a raw socket that writes a
//! request rendered beforehand and reads one answer. A general client would spend more than what it measures.

use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An answer's head may not be larger than this, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status of the final answer.
    pub(crate) status: u16,
    /// `Hookway-Event-Id`; empty where the answer has none.
    pub(crate) event_id: String,
    /// True where the server closes the connection after this answer.
    pub(crate) last: bool,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// One keep-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects, without Nagle's delay.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(1024) })
    }

    /// Writes `request` and reads the whole answer to it. After an error the connection is of no more use.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            let (mut answer, head, length) = self.head().await?;
            while self.received.len() < head + length {
                self.more().await?;
            }
            answer.body.extend_from_slice(&self.received[head..head + length]);
            self.received.drain(..head + length);
            if answer.status >= 200 {
                // Nothing was asked for yet, so nothing may follow.
                return if self.received.is_empty() {
                    Ok(answer)
                } else {
                    Err(invalid("bytes after the answer"))
                };
            }
        }
    }

    /// Returns the answer without its body, and the lengths of head and body in bytes.
    async fn head(&mut self) -> io::Result<(Answer, usize, usize)> {
        loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                let (answer, length) = parse(&self.received[..end])?;
                return Ok((answer, end + 4, length));
            }
            if self.received.len() > MAX_HEAD {
                return Err(invalid("the answer's head is too large"));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Reads status line and header lines and the length of the body, as far as load needs them (RFC 9112, sections 4 to 6).
fn parse(head: &[u8]) -> io::Result<(Answer, usize)> {
    let head = str::from_utf8(head).map_err(|_| invalid("the answer's head is not UTF-8"))?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|line| line.get(..3))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| invalid("not a status line of HTTP/1.1"))?;
    let bodiless = status < 200 || status == 204 || status == 304;
    let mut length = bodiless.then_some(0);
    let mut answer = Answer { status, event_id: String::new(), last: false, body: Vec::new() };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") && !bodiless {
            length = Some(value.parse().map_err(|_| invalid("content-length is not a number"))?);
        } else if name.eq_ignore_ascii_case("hookway-event-id") {
            value.clone_into(&mut answer.event_id);
        } else if name.eq_ignore_ascii_case("connection") {
            answer.last = value.eq_ignore_ascii_case("close");
        }
    }
    Ok((answer, length.ok_or_else(|| invalid("an answer without content-length"))?))
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

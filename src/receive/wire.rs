//! The socket of one connection, as hyper reads it: notes when a request begins, how, and what its head says of its
//! length, and is closed without cutting off what the sender still writes.

use super::watch::Activity;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

/// The header that hyper drops where it stands beside a `Transfer-Encoding`.
const LENGTH: &[u8] = b"content-length:";

/// How what is no HTTP/1.1 begins, and what to do about it: a proxy in front that is set otherwise than we are.
const OTHERS: [(&[u8], &str); 4] = [
    (b"\x16\x03", "TLS on a port without: end TLS in front of Hookway, or send to http://"),
    (b"PROXY ", "the PROXY protocol, which is not spoken here: switch it off in front of Hookway"),
    (
        b"\r\n\r\n\0\r\nQUIT\n",
        "the PROXY protocol, which is not spoken here: switch it off in front of Hookway",
    ),
    (b"PRI * HTTP/2.0", "HTTP/2, which is not spoken here: have the proxy in front send HTTP/1.1"),
];

/// Bytes by which they are told apart.
const BEGINNING: usize = 14;

/// How long a sender that was answered may go on writing, how long it may pause, and how much is thrown away.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_PAUSE: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 << 20;

/// The socket of one connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    activity: Arc<Activity>,
    head: Head,
    /// The other side has closed its half.
    is_ended: bool,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity, head: Head::default(), is_ended: false }
    }

    /// Returns what the head that was read last is instead of HTTP/1.1, and what to do about it.
    pub(super) fn other_protocol(&self) -> Option<&'static str> {
        let begins = |(beginning, _): &&(&[u8], _)| self.head.beginning.starts_with(beginning);
        OTHERS.iter().find(begins).map(|(_, what)| *what)
    }

    /// Closes our half and reads until the other side closes its own, within bounds. Closed at once, with bytes unread,
    /// a socket resets the connection, and the sender loses the answer that it has not read yet.
    pub(super) async fn linger(mut self) {
        if self.is_ended || self.stream.shutdown().await.is_err() {
            return;
        }
        let (end, mut left) = (Instant::now() + LINGER, LINGER_BYTES);
        let mut thrown = vec![0; 16 << 10];
        let drained = async {
            while let Ok(Ok(read @ 1..)) = timeout(LINGER_PAUSE, self.stream.read(&mut thrown)).await {
                left = left.saturating_sub(read);
                if left == 0 {
                    break;
                }
            }
        };
        // Late or not, that was all.
        drop(timeout_at(end, drained).await);
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        if bytes.is_empty() {
            self.is_ended = true;
        } else {
            if self.activity.came() {
                self.head = Head::default();
            }
            if self.head.has_length(bytes) {
                self.activity.saw_length();
            }
            self.activity.saw_behind(self.head.behind, self.head.has_ended);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    /// What stands before the first line: blank ones there are none of the head.
    #[default]
    Before,
    Head,
    Behind,
}

/// Looks for a `Content-Length` in a head that comes in pieces, and for the end of what comes behind it.
#[derive(Debug, Default)]
struct Head {
    /// The first bytes, whatever they are.
    beginning: [u8; BEGINNING],
    begun: usize,
    /// Bytes of the line at hand, as far as they matter.
    line: usize,
    /// True when the line at hand begins otherwise than the header's name.
    differs: bool,
    part: Part,
    /// Bytes behind the head.
    behind: usize,
    /// Blank lines behind it, and whether all ends with the only one: so do chunks, and with anything behind them there
    /// would be two.
    blank: usize,
    has_ended: bool,
}

impl Head {
    /// Takes the next bytes; true when the header is among them.
    fn has_length(&mut self, bytes: &[u8]) -> bool {
        let mut found = false;
        let mut rest = bytes;
        for (kept, byte) in self.beginning.iter_mut().skip(self.begun).zip(bytes) {
            *kept = *byte;
            self.begun += 1;
        }
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map(|end| end + 1);
            let (line, next) = rest.split_at(end.unwrap_or(rest.len()));
            found |= self.read(line.strip_suffix(b"\n").unwrap_or(line)) && self.part != Part::Behind;
            self.behind += if self.part == Part::Behind { line.len() } else { 0 };
            self.has_ended = false;
            if end.is_some() {
                self.end_line();
            }
            rest = next;
        }
        found
    }

    /// A line of at most a carriage return is blank, and the first such ends the head.
    fn end_line(&mut self) {
        let is_blank = self.line == 0;
        self.part = match self.part {
            Part::Before if is_blank => Part::Before,
            Part::Before => Part::Head,
            Part::Head if !is_blank => Part::Head,
            Part::Head => Part::Behind,
            Part::Behind => {
                self.blank = self.blank.saturating_add(usize::from(is_blank));
                self.has_ended = is_blank && self.blank == 1;
                Part::Behind
            }
        };
        (self.line, self.differs) = (0, false);
    }

    /// Takes the next piece of a line; true when it completes the header's name.
    fn read(&mut self, piece: &[u8]) -> bool {
        let piece = piece.strip_suffix(b"\r").unwrap_or(piece);
        let wanted = LENGTH.get(self.line.min(LENGTH.len())..).unwrap_or_default();
        let common = piece.len().min(wanted.len());
        let is_like = piece.iter().zip(wanted).all(|(byte, wanted)| byte.eq_ignore_ascii_case(wanted));
        self.differs |= !is_like;
        self.line = self.line.saturating_add(piece.len());
        common > 0 && !self.differs && self.line >= LENGTH.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_head_is_kept_in_pieces_of_any_size() {
        for (beginning, _) in OTHERS {
            assert!(beginning.len() <= BEGINNING, "{beginning:?}");
            let text = [beginning, b"and what follows"].concat();
            for size in 1..text.len() {
                let mut head = Head::default();
                for piece in text.chunks(size) {
                    assert!(!head.has_length(piece));
                }
                assert!(head.beginning.starts_with(beginning), "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_length_is_found_in_pieces_of_any_size_and_only_in_the_head() {
        for (text, has) in [
            ("POST / HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\n\r\n", true),
            ("POST / HTTP/1.1\ncontent-length:5\n\n", true),
            ("\r\nPOST / HTTP/1.1\r\nCONTENT-LENGTH: 5\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nx-content-length: 5\r\ncontent-lengths: 5\r\n\r\n", false),
            ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\ncontent-length: 5", false),
        ] {
            for size in 1..text.len() {
                let mut head = Head::default();
                let found: Vec<bool> =
                    text.as_bytes().chunks(size).map(|piece| head.has_length(piece)).collect();
                assert_eq!(found.contains(&true), has, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn chunks_have_ended_where_nothing_can_stand_behind_them() {
        let hidden = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        for (behind, has_ended) in [
            ("5\r\nabcde\r\n0\r\n\r\n", true),
            ("0\r\nx-trailer: y\r\n\r\n", true),
            ("0\r\n", false),
            ("0\r\n\r\nP", false),
            (&format!("0\r\n\r\n{hidden}"), false),
            (&format!("0;x=y\r\n\r\n{hidden}"), false),
            (&format!("0\r\nx-trailer: y\r\n\r\n{hidden}"), false),
        ] {
            let text = format!("POST / HTTP/1.1\r\nhost: a\r\n\r\n{behind}");
            for size in 1..text.len() {
                let mut head = Head::default();
                for piece in text.as_bytes().chunks(size) {
                    head.has_length(piece);
                }
                assert_eq!((head.behind, head.has_ended), (behind.len(), has_ended), "{text:?} by {size}");
            }
        }
    }
}

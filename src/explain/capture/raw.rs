//! A raw HTTP/1.1 request in a file: head with LF or CRLF, then the body's exact bytes. `Content-Length` may be left
//! out, then the rest of the file is the body; a chunked body is put together.

use super::Captured;
use crate::{
    clock,
    request::{
        Request,
        captured::{ANSWERED, CAPTURED, TAKEN_OUT},
    },
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header};

/// Reads a request, or says in which line it is not one.
pub(super) fn parse(bytes: &[u8]) -> Result<Captured, String> {
    let mut lines = Lines { rest: bytes, number: 0 };
    let (method, uri, version) = request_line(lines.next_filled().ok_or("the file is empty")?)?;
    let mut headers = HeaderMap::new();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let (name, value) = header_line(line).ok_or_else(|| {
            format!("line {}: expected `name: value`, or an empty line before the body", lines.number)
        })?;
        headers.append(name, value);
    }
    let head = (bytes.len() - lines.rest.len(), headers.len());
    let body = Bytes::copy_from_slice(lines.rest);
    let mut captured = Captured {
        request: Request { method, uri, headers, body, received: clock::now() },
        version,
        head,
        declared: None,
        withheld: Vec::new(),
        notes: Vec::new(),
    };
    if !captured.is_ours() {
        captured.unframe();
    }
    Ok(captured)
}

impl Captured {
    /// True for a file of `hookway capture`, whose own lines are taken out of the head here.
    fn is_ours(&mut self) -> bool {
        let Request { headers, body, received, .. } = &mut self.request;
        let Some(at) = headers.remove(CAPTURED) else { return false };
        self.head = (0, 0);
        *received = at.to_str().ok().and_then(|at| at.parse().ok()).unwrap_or(*received);
        let answered = headers.remove(ANSWERED);
        let answered = answered.map(|answer| String::from_utf8_lossy(answer.as_bytes()).into_owned());
        self.notes.extend(answered.map(|answer| format!("when it was captured, Hookway answered {answer}")));
        let is_out = |value: &[u8]| value.starts_with(TAKEN_OUT.as_bytes());
        let out = headers.iter().filter(|(_, value)| is_out(value.as_bytes()));
        self.withheld = out.map(|(name, _)| name.to_string()).collect();
        // What was refused for its head alone has no body here.
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        self.declared = length.filter(|length| usize::try_from(*length).ok() != Some(body.len()));
        if is_out(body) {
            self.withheld.push("body".to_owned());
        }
        true
    }

    /// Takes away what framed the body on the wire.
    fn unframe(&mut self) {
        let Request { headers, body, .. } = &mut self.request;
        let coding = headers.get(header::TRANSFER_ENCODING);
        if coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
            match chunks(body) {
                Some(whole) => *body = whole.into(),
                None => {
                    self.notes
                        .push("the body is not chunked although the head says so: taken as it is".into());
                }
            }
            return;
        }
        let declared = headers.get(header::CONTENT_LENGTH);
        let declared = declared.and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        let held = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let Some(declared) = declared.filter(|declared| *declared != held) else { return };
        match usize::try_from(declared).ok().filter(|declared| *declared < body.len()) {
            // Most editors put a line end behind the last line.
            Some(end) if body.get(end..).is_some_and(|rest| matches!(rest, b"\n" | b"\r\n")) => {
                body.truncate(end);
                self.notes
                    .push("the line end behind the body is the file's: Content-Length ends before it".into());
            }
            _ => {
                self.declared = Some(declared);
                self.notes.push(format!("Content-Length says {declared} bytes, and the body has {held}"));
            }
        }
    }
}

/// Lines that end with LF or CRLF.
struct Lines<'b> {
    rest: &'b [u8],
    number: usize,
}

impl<'b> Lines<'b> {
    fn next(&mut self) -> Option<&'b [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (self.rest.get(..end)?, self.rest.get(end + 1..)?),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Returns the next line that is not empty (RFC 9112, section 2.2, lets empty ones stand in front).
    fn next_filled(&mut self) -> Option<&'b [u8]> {
        loop {
            let line = self.next()?;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

fn request_line(line: &[u8]) -> Result<(Method, Uri, Version), String> {
    let expected = "the first line: expected a request, as `POST /hooks/shop HTTP/1.1`";
    let text = std::str::from_utf8(line).map_err(|_| expected)?;
    let mut words = text.split_ascii_whitespace();
    let (Some(method), Some(target), version, None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(expected.to_owned());
    };
    if version.is_some_and(|version| !version.starts_with("HTTP/")) {
        return Err(expected.to_owned());
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| expected)?;
    let uri = target.parse().map_err(|_| "the first line: its target is not an URL or path".to_owned())?;
    Ok((method, uri, if version == Some("HTTP/1.0") { Version::HTTP_10 } else { Version::HTTP_11 }))
}

fn header_line(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
    let value = HeaderValue::from_bytes(line.get(colon + 1..)?.trim_ascii()).ok()?;
    Some((name, value))
}

/// Puts a chunked body together (RFC 9112, section 7.1); `None` where it is not one.
fn chunks(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = Lines { rest: body, number: 0 };
    let mut whole = Vec::with_capacity(body.len());
    loop {
        let size = std::str::from_utf8(lines.next()?).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(lines.rest.get(..size)?);
        lines.rest = lines.rest.get(size..)?;
        lines.next().filter(|end| end.is_empty())?;
    }
}

//! What a head must be before its body is read; `explain` asks the same of a request that was captured.

use super::{
    connection::{HEAD_BYTES, HEADER_LINES},
    reply,
};
use crate::{refusal::Refusal, respond::Responders};
use http::{Method, header};

/// Returns how a request is refused before anything is verified, and with which status: what `explain` must say too.
/// `size` is that of the head, in bytes and lines.
pub fn refused_unverified(
    head: &http::request::Parts,
    size: (usize, usize),
    body: u64,
    max_body: u64,
    responders: &Responders,
) -> Option<(u16, Refusal)> {
    let has_length = head.headers.contains_key(header::CONTENT_LENGTH);
    let checks = || {
        if size.0 > HEAD_BYTES || size.1 > HEADER_LINES {
            return Err(Refusal::HeadTooLarge);
        }
        check_head(head, responders)?;
        check_framing(head, has_length)?;
        if body > max_body { Err(Refusal::TooLarge { limit: max_body }) } else { Ok(()) }
    };
    checks().err().map(|refusal| (reply::refused(&refusal, true).status().as_u16(), refusal))
}

/// Refuses what no webhook looks like.
pub(super) fn check_head(head: &http::request::Parts, responders: &Responders) -> Result<(), Refusal> {
    if head.method != Method::POST && !responders.uses(&head.method) {
        return Err(Refusal::MethodNotAllowed { allowed: responders.allowed() });
    }
    // RFC 9112, section 3.2: exactly one Host; hyper lets none and two pass.
    let hosts = head.headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == http::Version::HTTP_11) {
        return Err(Refusal::Malformed("exactly one Host header is expected".into()));
    }
    let encodings = head.headers.get_all(header::CONTENT_ENCODING).iter();
    let mut named = encodings.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    if named.any(is_coding) {
        return Err(Refusal::Encoded);
    }
    Ok(())
}

/// True for what may change a body. What names no coding leaves it as it is: nothing, `identity`, and the character sets
/// that some senders write there.
fn is_coding(name: &[u8]) -> bool {
    const NONE: [&str; 8] = ["", "identity", "none", "utf-8", "utf8", "ascii", "us-ascii", "iso-8859-1"];
    !NONE.iter().any(|none| name.trim_ascii().eq_ignore_ascii_case(none.as_bytes()))
}

/// Refuses a body whose end two readers could see in different places, or nobody (RFC 9112, section 6).
pub(super) fn check_framing(head: &http::request::Parts, has_length: bool) -> Result<(), Refusal> {
    let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else {
        let is_sized = head.method != Method::POST || head.headers.contains_key(header::CONTENT_LENGTH);
        return match head.version {
            _ if is_sized => Ok(()),
            http::Version::HTTP_10 => Err(Refusal::Malformed("a Content-Length is expected".into())),
            _ => Err(Refusal::Unsized),
        };
    };
    if has_length {
        return Err(Refusal::Malformed(
            "Content-Length beside Transfer-Encoding, or chunks right behind another request".into(),
        ));
    }
    if codings.next().is_some() || !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
        return Err(Refusal::Malformed("a transfer coding other than chunked".into()));
    }
    Ok(())
}

//! Receipt or refusal → status, headers and body: the only file that knows HTTP statuses.
//!
//! 4xx only where the sender must change something; what is wrong on our side, the operator's or the broker's is
//! 503 with `Retry-After`. Bodies are short, fixed and `application/problem+json` (RFC 9457); every 401 looks
//! the same.

use crate::{
    record::Receipt,
    refusal::{Fault, Refusal},
    respond::Reply,
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::Full;
use std::sync::atomic::{AtomicU32, Ordering};

/// The shortest pause that we ask a sender for, in seconds.
const RETRY_FROM: u32 = 5;

/// Pauses are spread over this many seconds, so that senders do not all come back at once.
const RETRY_SPREAD: u32 = 11;

/// The header that names the events of an accepted request.
const EVENT_ID: &str = "hookway-event-id";

/// Ids listed there at most, and their bytes: a sender's proxy may refuse more.
const MAX_IDS: usize = 20;
const MAX_IDS_BYTES: usize = 2048;

/// What a sender hears: always short, and whole at once.
pub(super) type Response = http::Response<Full<Bytes>>;

/// Answers a request whose events all have receipts.
pub(super) fn accepted(receipts: &[Receipt], success: u16, body: &Bytes) -> Response {
    let mut response = Response::new(Full::from(body.clone()));
    *response.status_mut() = StatusCode::from_u16(success).unwrap_or(StatusCode::OK);
    if let Some(ids) = event_ids(receipts) {
        response.headers_mut().insert(EVENT_ID, ids);
    }
    if !body.is_empty() {
        let kind = if body.starts_with(b"{") { "application/json" } else { "text/plain; charset=utf-8" };
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Returns the ids of the events, comma separated; `+N` at the end for `N` more. An id outside visible ASCII stands
/// in the envelope and not in a header.
fn event_ids(receipts: &[Receipt]) -> Option<HeaderValue> {
    if receipts.is_empty() {
        return None;
    }
    let is_header_text = |id: &str| id.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if let [receipt] = receipts {
        return is_header_text(receipt.id()).then(|| HeaderValue::from_str(receipt.id()).ok()).flatten();
    }
    let (mut ids, mut listed) = (String::new(), 0_usize);
    for id in receipts.iter().map(Receipt::id).filter(|id| is_header_text(id)) {
        if listed == MAX_IDS || ids.len() + id.len() > MAX_IDS_BYTES {
            break;
        }
        ids.extend([if listed == 0 { "" } else { "," }, id]);
        listed += 1;
    }
    let more = receipts.len() - listed;
    if more > 0 {
        ids.extend([if listed == 0 { "+" } else { ",+" }, &more.to_string()]);
    }
    HeaderValue::try_from(ids).ok()
}

/// Answers a handshake as the sender's document says.
pub(super) fn handshake(reply: &Reply) -> Response {
    let mut response = Response::new(Full::from(reply.body.clone()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    *response.headers_mut() = reply.headers.clone();
    // Nothing that a stranger has sent back to him may pass for a page.
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Answers a refused request; with a body that names its code, where the sender may have one.
pub(super) fn refused(refusal: &Refusal, has_body: bool) -> Response {
    let (status, title) = status(refusal);
    let code = refusal.code();
    let number = status.as_u16();
    let body = format!(r#"{{"type":"about:blank","title":"{title}","status":{number},"code":"{code}"}}"#);
    let mut response = Response::new(Full::from(if has_body { body } else { String::new() }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if refusal.fault() != Fault::Sender {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after()));
    }
    match refusal {
        Refusal::MethodNotAllowed { allowed } => {
            let allowed = HeaderValue::from_str(allowed);
            headers.insert(header::ALLOW, allowed.unwrap_or(HeaderValue::from_static("POST")));
        }
        Refusal::Unverified(..) => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Webhook realm=\"hookway\""));
        }
        // Where the next request begins is not known.
        Refusal::TooLarge { .. }
        | Refusal::Stalled
        | Refusal::Encoded
        | Refusal::Unsized
        | Refusal::HeadTooLarge
        | Refusal::Malformed(_) => close(&mut response),
        Refusal::UnknownSource
        | Refusal::Unanswered
        | Refusal::Unready(_)
        | Refusal::Unkeyed
        | Refusal::KeyUnavailable(_)
        | Refusal::Overloaded(_)
        | Refusal::InFlight
        | Refusal::Unpublished { .. }
        | Refusal::Deadline
        | Refusal::Internal => {}
    }
    response
}

/// Says that the connection ends with this answer.
pub(super) fn close(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

fn status(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::UnknownSource => (StatusCode::NOT_FOUND, "No such source"),
        Refusal::MethodNotAllowed { .. } => (StatusCode::METHOD_NOT_ALLOWED, "Webhooks are posted"),
        Refusal::Unanswered => (StatusCode::FORBIDDEN, "The handshake is refused"),
        Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "The request is malformed"),
        Refusal::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too large"),
        Refusal::Unsized => (StatusCode::LENGTH_REQUIRED, "Send the length of the body"),
        Refusal::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
        Refusal::Encoded => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the body without a content encoding"),
        Refusal::Stalled => (StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time"),
        Refusal::Unverified(..) => (StatusCode::UNAUTHORIZED, "The request could not be verified"),
        Refusal::Unready(_)
        | Refusal::Unkeyed
        | Refusal::KeyUnavailable(_)
        | Refusal::Overloaded(_)
        | Refusal::InFlight
        | Refusal::Unpublished { .. }
        | Refusal::Deadline
        | Refusal::Internal => (StatusCode::SERVICE_UNAVAILABLE, "Not accepted now; send it again"),
    }
}

/// Returns the next pause in seconds, spread over the range.
fn retry_after() -> u32 {
    static TURN: AtomicU32 = AtomicU32::new(0);
    // A step without a common divisor visits every second of the range.
    RETRY_FROM + TURN.fetch_add(7, Ordering::Relaxed) % RETRY_SPREAD
}

#[cfg(test)]
mod tests;

//! What the server refuses before it verifies anything: by the same checks, asked of a captured request.

use super::subject::Subject;
use crate::{
    config::SourceSettings,
    explain::Captured,
    receive,
    refusal::{Cause, Refusal},
    respond::Responders,
};
use http::{HeaderValue, Method, header};

/// Returns why the server would not even verify the request. What a capture may leave out is added before.
pub(super) fn refused(
    captured: &Captured,
    subject: &Subject,
    responders: &Responders,
    notes: &mut Vec<String>,
) -> Option<Cause> {
    let alone = subject.loaded.is_none();
    let (mut head, ()) = http::Request::new(()).into_parts();
    (head.version, head.headers) = (captured.version, captured.request.headers.clone());
    // Without a source nobody says which methods it takes: that is a note.
    head.method = if alone { Method::POST } else { captured.request.method.clone() };
    if !head.headers.contains_key(header::HOST) {
        head.headers.insert(header::HOST, HeaderValue::from_static("left.out"));
        notes.push("the capture names no Host: a request without one is answered 400".to_owned());
    }
    if !head.headers.contains_key(header::TRANSFER_ENCODING) {
        head.headers.entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
    }
    let bytes = u64::try_from(captured.request.body.len()).unwrap_or(u64::MAX);
    let body = captured.declared.unwrap_or(bytes);
    let max_body = SourceSettings::from(&subject.spec).max_body;
    let (status, refusal) = receive::refused_unverified(&head, captured.head, body, max_body, responders)?;
    let mend = if matches!(refusal, Refusal::TooLarge { .. }) {
        "raise `max_body` of the source, and see that its sinks take records of that size"
    } else {
        "have the sender, or the proxy in front, send the request otherwise"
    };
    let what = format!("{status} before anything is verified: {refusal}");
    Some(Cause { code: refusal.code(), what, mend: mend.to_owned(), proven: true })
}

/// Says that the check can't be made again, because the capture holds no secret.
pub(super) fn withheld(captured: &Captured) -> Option<Cause> {
    let names = captured.withheld.join(", ");
    (!names.is_empty()).then(|| Cause {
        code: "withheld",
        what: format!("the capture was made without {names}, so that this check can't be made again"),
        mend: "what the server answered stands in the note: compare the secret, its name and its place with the sender's"
            .to_owned(),
        proven: false,
    })
}

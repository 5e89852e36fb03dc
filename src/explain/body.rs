//! The body was changed on its way: written again as JSON, its line ends or character set converted, unpacked,
//! re-encoded as a form. Each variant is what the sender may have signed.

mod form;
mod gzip;
mod json;
mod text;
mod wrapped;

use super::{Cause, Lab};
use crate::verify::VerifyError;
use http::header;

/// A body as the sender may have signed it.
pub(super) struct Variant {
    /// The stable name of the change.
    code: &'static str,
    /// What the signature fits, to be read behind "the signature fits the body".
    fits: String,
    body: Vec<u8>,
}

impl Variant {
    fn new(code: &'static str, fits: impl Into<String>, body: Vec<u8>) -> Self {
        Self { code, fits: fits.into(), body }
    }
}

/// Tries all variants, the simplest first.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Vec<Cause> {
    if !matters(lab, error) {
        return Vec::new();
    }
    let body = &lab.case.request.body;
    let variants = text::variants(body)
        .chain(wrapped::variants(body))
        .chain(json::variants(body))
        .chain(form::variants(body, &lab.case.request.headers))
        .chain(gzip::variants(body));
    first(lab, variants)
}

/// Tries what is cheap: a line end that was added or taken away, a body that a gateway wrapped; and says that there is
/// none.
pub(super) fn cheap(lab: &Lab<'_>, error: &VerifyError) -> Vec<Cause> {
    if !matters(lab, error) {
        return Vec::new();
    }
    let body = &lab.case.request.body;
    let found = first(lab, text::line_ends_behind(body).chain(wrapped::variants(body)));
    if found.is_empty() { wrapped::lost(body).into_iter().collect() } else { found }
}

/// Names what points to a change that could not be undone.
pub(super) fn traces(lab: &Lab<'_>, error: &VerifyError) -> Vec<Cause> {
    if !matters(lab, error) {
        return Vec::new();
    }
    let request = lab.case.request;
    let length = lab.case.declared.map(|declared| {
        let what = format!(
            "the body has {} bytes, and the sender's Content-Length says {declared}",
            request.body.len()
        );
        Cause::hint(
            "body_length",
            what,
            "the capture or something on the way changed the body: capture its raw bytes",
        )
    });
    let packed = request.headers.get(header::CONTENT_ENCODING).filter(|_| !gzip::is_packed(&request.body));
    let packed =
        packed.and_then(|coding| coding.to_str().ok()).filter(|coding| *coding != "identity").map(|coding| {
            let what = format!("the head says `content-encoding: {coding}`, and the body is not packed so");
            Cause::hint(
                "body_unpacked",
                what,
                "something on the way unpacks bodies and keeps the header: switch that off",
            )
        });
    let lost = request.body.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes());
    let lost = lost.then(|| {
        let what = "the body holds U+FFFD, which stands where a character could not be read";
        Cause::hint("body_characters", what, "something on the way reads the body in a wrong character set")
    });
    let missing = wrapped::lost(&request.body);
    length.into_iter().chain(missing).chain(packed).chain(lost).collect()
}

fn matters(lab: &Lab<'_>, error: &VerifyError) -> bool {
    matches!(error, VerifyError::Mismatch) && lab.verifier().is_some_and(|verifier| verifier.covers_body())
}

fn first(lab: &Lab<'_>, mut variants: impl Iterator<Item = Variant>) -> Vec<Cause> {
    let Some(verifier) = lab.verifier() else { return Vec::new() };
    let right = variants.find(|variant| lab.proves(&verifier, &lab.with_body(variant.body.clone())));
    right.map(|variant| changed(lab, &variant)).into_iter().collect()
}

fn changed(lab: &Lab<'_>, variant: &Variant) -> Cause {
    let what =
        format!("the body was changed after it was signed: the signature fits the body {}", variant.fits);
    let mend = if lab.case.declared.is_some() {
        "the capture is not byte-exact: its Content-Length is not the body's; capture the raw bytes where they arrive"
    } else {
        "hand on the raw bytes: look for a proxy, gateway or framework that parses and rewrites bodies, or capture \
         them where they arrive"
    };
    Cause::proven(variant.code, what, mend)
}

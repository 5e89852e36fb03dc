//! The body was changed on its way: written again as JSON, its line ends or character set converted, unpacked,
//! re-encoded as a form. Each variant is what the sender may have signed.

mod form;
mod gzip;
mod json;
mod text;
mod wrapped;

use super::{Cause, Lab};
use crate::{request::Request, verify::VerifyError};
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
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(lab, error)?;
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
pub(super) fn cheap(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(lab, error)?;
    let body = &lab.case.request.body;
    first(lab, text::line_ends_behind(body).chain(wrapped::variants(body))).or_else(|| wrapped::lost(body))
}

// What points to a change that could not be undone.

/// The length that the sender gave is another.
pub(super) fn of_other_length(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(lab, error)?;
    let (length, declared) = (lab.case.request.body.len(), lab.case.declared?);
    let what = format!("the body has {length} bytes, and the sender's Content-Length says {declared}");
    let mend = "the capture or something on the way changed the body: capture its raw bytes";
    Some(Cause::hint("body_length", what, mend))
}

/// There is none, or a part is missing.
pub(super) fn lost(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(lab, error)?;
    wrapped::lost(&lab.case.request.body)
}

/// The head names a coding that it does not have.
pub(super) fn packed_by_name(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(lab, error)?;
    let request = lab.case.request;
    let coding = request.headers.get(header::CONTENT_ENCODING)?.to_str().ok()?;
    let is_so = coding == "identity" || gzip::is_packed(&request.body);
    let what = format!("the head says `content-encoding: {coding}`, and the body is not packed so");
    let mend = "something on the way unpacks bodies and keeps the header: switch that off";
    (!is_so).then(|| Cause::hint("body_unpacked", what, mend))
}

/// Characters of it could not be read.
pub(super) fn unreadable(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(lab, error)?;
    let what = "the body holds U+FFFD, which stands where a character could not be read";
    let mend = "something on the way reads the body in a wrong character set";
    let is_lost = lab.case.request.body.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes());
    is_lost.then(|| Cause::hint("body_characters", what, mend))
}

fn matters(lab: &Lab<'_>, error: &VerifyError) -> Option<()> {
    let covers = || lab.verifier().is_some_and(|verifier| verifier.covers_body());
    (matches!(error, VerifyError::Mismatch) && covers()).then_some(())
}

fn first(lab: &Lab<'_>, mut variants: impl Iterator<Item = Variant>) -> Option<Cause> {
    let verifier = lab.verifier()?;
    let request =
        |variant: &Variant| Request { body: variant.body.clone().into(), ..lab.case.request.clone() };
    let right = variants.find(|variant| lab.proves(&verifier, &request(variant)));
    right.map(|variant| changed(lab, &variant))
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

//! How the signature is written: hex or base64, with a prefix or without, alone or in a list, and what a client or a
//! proxy may have done to the text.

use super::{Cause, Lab, place, stated::stated};
use crate::verify::{Algorithm, Encoding, VerifyError, VerifySpec};
use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

/// What parts the signatures of a list.
pub(super) const SEPARATORS: [&str; 5] = [",", ";", " ", "&", ", "];

/// Tries other encodings, prefixes and lists, then a mended text.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(error)?;
    if let Some(found) = plain(lab, error) {
        return Some(found);
    }
    let (name, text) = signature_text(lab)?;
    for (prefix, separator) in cuts(&text) {
        let spec = VerifySpec {
            prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
            prefix_optional: None,
            separator: separator.map(str::to_owned),
            encoding: not_a_token(lab.case.spec).then_some(Encoding::Auto),
            ..lab.case.spec.clone()
        };
        if lab.fits_scheme(&spec) {
            return Some(cut_wrongly(&name, prefix, separator));
        }
    }
    damaged(lab, &name, &text)
}

/// Tries the other encodings only.
pub(super) fn plain(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(error)?;
    let spec = lab.case.spec;
    let own = spec.encoding.filter(|encoding| *encoding != Encoding::Auto && not_a_token(spec))?;
    let others = [Encoding::Hex, Encoding::Base64, Encoding::Base64url].into_iter();
    let right = others
        .filter(|encoding| *encoding != own)
        .find(|encoding| lab.fits_scheme(&VerifySpec { encoding: Some(*encoding), ..spec.clone() }))?;
    let (right, own) = (stated(right), stated(own));
    let what = format!("the signature is right, and written as {right} instead of {own}");
    Some(Cause::proven("encoding", what, format!("set `verify.encoding` to {right}")))
}

fn matters(error: &VerifyError) -> Option<()> {
    matches!(error, VerifyError::Malformed(_) | VerifyError::Mismatch).then_some(())
}

/// True for a scheme whose signature is bytes written as text.
fn not_a_token(spec: &VerifySpec) -> bool {
    let sent = [Algorithm::Token, Algorithm::Basic, Algorithm::Jwt, Algorithm::None];
    spec.algorithm.is_some_and(|algorithm| !sent.contains(&algorithm))
}

/// Returns the header that should hold the signature, and its text.
pub(super) fn signature_text(lab: &Lab<'_>) -> Option<(HeaderName, String)> {
    let headers = &lab.case.request.headers;
    let name = place::headers(lab.case.spec).into_iter().find(|name| headers.contains_key(name))?;
    let text = headers.get(&name)?.to_str().ok()?.to_owned();
    Some((name, text))
}

/// Returns the prefixes and separators by which `text` can be read, the whole text first.
pub(super) fn cuts(text: &str) -> impl Iterator<Item = (&str, Option<&'static str>)> {
    let lists = SEPARATORS.into_iter().filter(|separator| text.contains(separator)).map(Some);
    std::iter::once(None).chain(lists).flat_map(move |separator| {
        let entries: Vec<&str> =
            separator.map_or_else(|| vec![text], |separator| text.split(separator).collect());
        // A header may hold anything: a few entries are enough to see how they are made.
        entries.into_iter().take(8).map(str::trim).flat_map(prefixes).map(move |prefix| (prefix, separator))
    })
}

/// Returns the prefixes that may stand in front of a signature: none, a label, or the words before the last.
fn prefixes(entry: &str) -> impl Iterator<Item = &str> {
    let ends = ["=", ",", " ", ":", "|"].into_iter().filter_map(move |end| {
        let label = entry.find(end)?.checked_add(end.len())?;
        // Not the padding at the end of a base64 text.
        entry.get(..label).filter(|label| label.len() <= 24 && label.len() < entry.len().saturating_sub(2))
    });
    std::iter::once("").chain(ends)
}

fn cut_wrongly(name: &HeaderName, prefix: &str, separator: Option<&str>) -> Cause {
    let (front, prefix) = match prefix {
        "" => ("nothing in front".to_owned(), "take `verify.prefix` away".to_owned()),
        _ => (format!("`{prefix}` in front"), format!("set `verify.prefix` to \"{prefix}\"")),
    };
    let (list, separator) = match separator {
        None => (String::new(), "without a `verify.separator`".to_owned()),
        Some(by) => (format!(", in a list parted by `{by}`"), format!("`verify.separator` to \"{by}\"")),
    };
    let what = format!("the signature in header `{name}` is right, and written otherwise: {front}{list}");
    Cause::proven("prefix", what, format!("{prefix}, {separator}, and see `verify.encoding`"))
}

/// Tries the text as it was before something rewrote it.
fn damaged(lab: &Lab<'_>, name: &HeaderName, text: &str) -> Option<Cause> {
    let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mended = [
        (text.trim_matches(['"', '\'']).to_owned(), "it stands in quotes"),
        (decoded, "it was percent-encoded on its way"),
        (text.replace(' ', "+"), "its `+` have become blanks, as in a form"),
        (text.trim().to_owned(), "it has blanks around it"),
    ];
    for (mended, how) in mended {
        let Some(value) = HeaderValue::from_str(&mended).ok().filter(|_| mended != text) else { continue };
        let mut request = lab.case.request.clone();
        request.headers.insert(name, value);
        if lab.fits_request(&request) {
            let what = format!("the signature in header `{name}` is right, and its text was changed: {how}");
            return Some(Cause::proven("signature_text", what, "mend what sends or passes on the header"));
        }
    }
    None
}

//! Where the signature stands: in no header, in another one, or in that of another sender.

use super::{Cause, Lab};
use crate::{
    config::nearest::nearest,
    request::slot::Texts,
    verify::{VerifyError, VerifySpec},
};
use http::{HeaderMap, HeaderName, header};

/// Headers that many senders share, so that they point to none.
const SHARED: [&str; 5] =
    ["authorization", "x-signature", "x-hub-signature", "x-hub-signature-256", "signature"];

/// Returns the headers in which a scheme expects its signature; a numbered one by its first number.
pub(super) fn headers(spec: &VerifySpec) -> Vec<HeaderName> {
    let names = spec.header.iter().flat_map(Texts::iter).map(|name| name.replace('*', "1"));
    let slots = spec.from.iter().flat_map(|slots| slots.split('|'));
    let slots = slots.filter_map(|slot| Some(slot.trim().strip_prefix("header:")?.to_owned()));
    names.chain(slots).filter_map(|name| HeaderName::try_from(name).ok()).collect()
}

/// Names the places in which a scheme expects its signature.
pub(super) fn named(spec: &VerifySpec) -> Vec<String> {
    let headers = spec.header.iter().flat_map(Texts::iter).map(|name| format!("header `{name}`"));
    let slots = spec.from.iter().map(|slot| format!("`{slot}`"));
    let members = spec.member.iter().map(|member| format!("member `{member}`"));
    headers.chain(slots).chain(members).collect()
}

/// Returns the scheme with its signature in another header.
pub(super) fn with_header(spec: &VerifySpec, name: &HeaderName) -> VerifySpec {
    VerifySpec { header: Some(Texts::One(name.to_string())), from: None, member: None, ..spec.clone() }
}

/// Says that there is no signature, at no cost.
pub(super) fn absent(_: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    let VerifyError::Missing(what) = error else { return None };
    let what = format!("the request is not signed as it should be: {what} is missing");
    let mend = "set the secret at the sender, which then signs; if it does, a proxy on the way drops the header, or \
                another sender calls this URL";
    Some(Cause::hint("missing", what, mend))
}

/// Says that there are several.
pub(super) fn repeated(_: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    let VerifyError::Repeated(what) = error else { return None };
    let what = format!("`{what}` stands more than once, and nobody can say which one counts");
    let mend = "a proxy on the way adds a second one: let it pass the sender's on alone";
    Some(Cause::hint("repeated", what, mend))
}

/// Tries the scheme with every other header of the request.
pub(super) fn elsewhere(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matches!(error, VerifyError::Missing(_)).then_some(())?;
    let own = headers(lab.case.spec);
    let mut others = candidates(&lab.case.request.headers).filter(|name| !own.contains(name));
    let name = others.find(|name| lab.fits_scheme(&with_header(lab.case.spec, name)))?;
    let expected = own.first().map_or_else(|| "the body".to_owned(), |name| format!("`{name}`"));
    let what = format!("the signature is right, and stands in header `{name}` instead of {expected}");
    let mend = format!("set `verify.header` to {name}, or let a proxy keep the name");
    Some(Cause::proven("other_header", what, mend))
}

/// Names a header that is written almost as the expected one.
pub(super) fn alike(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matches!(error, VerifyError::Missing(_)).then_some(())?;
    let there = &lab.case.request.headers;
    let mut absent = headers(lab.case.spec).into_iter().filter(|name| !there.contains_key(name));
    let (near, name) = absent.find_map(|name| {
        Some((nearest(name.as_str(), there.keys().map(HeaderName::as_str))?.to_owned(), name))
    })?;
    let what = format!("header `{name}` is not there, and `{near}` is, which does not verify either");
    let mend = "compare the name and the scheme with the sender's documents";
    Some(Cause::hint("similar_header", what, mend))
}

/// Returns the headers that may hold a signature.
pub(super) fn candidates(headers: &HeaderMap) -> impl Iterator<Item = &HeaderName> {
    const NEVER: [HeaderName; 9] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::ACCEPT,
        header::ACCEPT_ENCODING,
        header::CONNECTION,
        header::DATE,
        header::TRANSFER_ENCODING,
        header::USER_AGENT,
    ];
    headers.keys().filter(|name| !NEVER.contains(name))
}

/// Tries the schemes of all other senders; without success, names one whose header is there.
pub(super) fn relatives(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    let case = &lab.case;
    if let Some((other, _)) = case.relatives.iter().find(|(_, spec)| lab.fits_scheme(spec)) {
        let what = format!("the request is signed as `{other}` signs, with this secret");
        let mend = format!("set `preset: {other}` for this source");
        return Some(Cause::proven("other_sender", what, mend));
    }
    matches!(error, VerifyError::Missing(_)).then_some(())?;
    let own = headers(case.spec);
    let seen = |name: &HeaderName| {
        case.request.headers.contains_key(name) && !own.contains(name) && !SHARED.contains(&name.as_str())
    };
    let mut named =
        case.relatives.iter().filter_map(|(name, spec)| Some((headers(spec).into_iter().find(seen)?, name)));
    let (header, other) = named.next()?;
    let what =
        format!("header `{header}` is there, which `{other}` sends, and this secret is not its secret");
    let mend = format!("if {other} calls this URL, give the source its preset and its secret");
    Some(Cause::hint("looks_like_sender", what, mend))
}

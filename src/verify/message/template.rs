//! Templates: literal text and slots of the request, joined. Parts in brackets are left out where a slot in them is
//! absent.

use super::{MOST_PARTS, Pieces, address::Url};
use crate::{
    request::{
        Request,
        slot::{
            Params,
            template::{self, BRACES_AND_BRACKETS},
        },
    },
    verify::{
        VerifyError, demanded_header,
        value::{OneOf, Subject},
    },
};
use http::HeaderName;
use sha2::{Digest as _, Sha256};

/// What is said where an address is signed and none is configured.
pub(super) const NO_URL: &str = "it holds the address that the sender was given, and `url` is not set";

pub(in crate::verify) type Part = template::Part<Slot>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) enum Slot {
    Body,
    Method,
    /// The public address with the request's further segments and its query; decoded the way `HubSpot` does before it signs.
    Address {
        url: Url,
        is_decoded: bool,
    },
    /// The values of the headers that an entry of the signature's list names, joined by dots.
    Listed(OneOf),
    /// The body's CRC-32 in decimal digits.
    Crc32,
    /// The body's SHA-256 in hex.
    Sha256,
    Of {
        slots: OneOf,
        /// Literals beside a header that its value must not hold: with them it could be cut elsewhere, and one
        /// signature would stand for two requests (Standard Webhooks warns of `.`).
        fences: Vec<Box<str>>,
    },
}

impl Part {
    pub(super) fn covers_body(&self) -> bool {
        matches!(self, Self::Slot(Slot::Body | Slot::Sha256))
    }

    /// Returns the slots that must be there.
    pub(super) fn slots(&self) -> Option<&OneOf> {
        match self {
            Self::Slot(Slot::Of { slots, .. } | Slot::Listed(slots)) => Some(slots),
            Self::Slot(Slot::Body | Slot::Method | Slot::Address { .. } | Slot::Crc32 | Slot::Sha256)
            | Self::Text(_)
            | Self::Optional(_) => None,
        }
    }

    /// True where the part is of the sender's choice and not of a fixed form.
    fn is_free(&self) -> bool {
        !matches!(self, Self::Text(_) | Self::Slot(Slot::Method | Slot::Crc32 | Slot::Sha256))
    }

    /// Returns how many pieces it can become.
    fn weight(&self) -> usize {
        match self {
            Self::Slot(Slot::Address { is_decoded: false, .. }) => 4,
            Self::Optional(inner) => inner.iter().map(Self::weight).sum(),
            Self::Text(_) | Self::Slot(_) => 1,
        }
    }
}

/// Reads literal text with slots.
pub(super) fn parse(text: &str, url: Option<&Url>, params: &Params) -> Result<Vec<Part>, String> {
    let mut parts = template::parse(text, BRACES_AND_BRACKETS, &mut |slot| slotted(slot, url, params))?;
    if parts.iter().all(|part| matches!(part, Part::Text(_))) {
        return Err(format!("`{text}` is neither a form nor has it a slot of the request"));
    }
    let weight: usize = parts.iter().map(Part::weight).sum();
    if weight > MOST_PARTS {
        return Err(format!("it has {weight} parts, and {MOST_PARTS} are the most"));
    }
    fence(&mut parts);
    Ok(parts)
}

fn slotted(slot: &str, url: Option<&Url>, params: &Params) -> Result<Slot, String> {
    let address = |is_decoded| {
        url.cloned().map(|url| Slot::Address { url, is_decoded }).ok_or_else(|| NO_URL.to_owned())
    };
    match slot {
        "body" => Ok(Slot::Body),
        "method" => Ok(Slot::Method),
        "url" => address(false),
        "url:decoded" => address(true),
        "crc32" => Ok(Slot::Crc32),
        "sha256" => Ok(Slot::Sha256),
        _ => match slot.strip_prefix("listed:") {
            Some(field) => OneOf::parse(&format!("field:{field}"), params).map(Slot::Listed),
            None => OneOf::parse(slot, params)
                .map(|slots| Slot::Of { slots, fences: Vec::new() })
                .map_err(|problem| format!("`{{{slot}}}`: {problem}")),
        },
    }
}

/// Notes beside each header the literals that part it from other slots.
fn fence(parts: &mut [Part]) {
    let texts: Vec<Option<Box<str>>> = parts
        .iter()
        .map(|part| if let Part::Text(text) = part { Some(text.clone()) } else { None })
        .collect();
    let last = parts.len().saturating_sub(1);
    let parts_slots = |at: usize| (1..last).contains(&at); // not the first nor the last: slots on both sides
    for (at, part) in parts.iter_mut().enumerate() {
        if let Part::Slot(Slot::Of { slots, fences }) = part
            && slots.headers().next().is_some()
        {
            let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
            fences.extend(
                beside.filter(|at| parts_slots(*at)).filter_map(|at| texts.get(at).cloned().flatten()),
            );
        }
    }
}

/// Returns the headers that no literal parts from what stands beside them, each with what follows it; one in brackets
/// may lose its fences.
pub(super) fn unfenced(parts: &[Part]) -> impl Iterator<Item = (&OneOf, Option<&OneOf>)> {
    let glued = parts.windows(2).filter(|pair| pair.iter().all(Part::is_free)).flat_map(|pair| {
        let [before, behind] = [pair.first(), pair.get(1)].map(|part| part.and_then(Part::slots));
        [before.map(|before| (before, behind)), behind.map(|behind| (behind, None))].into_iter().flatten()
    });
    let bracketed =
        parts.iter().flat_map(|part| if let Part::Optional(inner) = part { inner.as_slice() } else { &[] });
    let bracketed = bracketed.filter_map(Part::slots).map(|slots| (slots, None));
    glued.chain(bracketed).filter(|(slots, _)| slots.headers().next().is_some())
}

/// Adds the parts to the message; a slot `may_be_empty` in brackets.
pub(super) fn render<'r>(
    parts: &'r [Part],
    subject: Subject<'r>,
    pieces: &mut Pieces<'r>,
    may_be_empty: bool,
) -> Result<(), VerifyError> {
    for part in parts {
        part.add(subject, pieces, may_be_empty)?;
    }
    Ok(())
}

impl Part {
    fn add<'r>(
        &'r self,
        subject: Subject<'r>,
        pieces: &mut Pieces<'r>,
        may_be_empty: bool,
    ) -> Result<(), VerifyError> {
        let request = subject.request;
        match self {
            Self::Text(text) => pieces.push(text.as_bytes()),
            Self::Slot(Slot::Body) => pieces.push(&*request.body),
            Self::Slot(Slot::Method) => pieces.push(request.method.as_str().as_bytes()),
            Self::Slot(Slot::Crc32) => pieces.push(crc32fast::hash(&request.body).to_string().into_bytes()),
            Self::Slot(Slot::Sha256) => pieces.push(hex::encode(Sha256::digest(&request.body)).into_bytes()),
            Self::Slot(Slot::Address { url, is_decoded: false }) => {
                pieces.push(url.as_str().as_bytes());
                pieces.push(url.behind(request).as_bytes());
                if let Some(query) = request.uri.query() {
                    pieces.push("?".as_bytes());
                    pieces.push(query.as_bytes());
                }
            }
            Self::Slot(Slot::Address { url, is_decoded: true }) => {
                pieces.push(url.decoded(request).into_bytes());
            }
            Self::Slot(Slot::Listed(slots)) => {
                pieces.push(listed(request, &slots.demand(subject)?)?.into_bytes());
            }
            Self::Slot(Slot::Of { slots, fences }) => {
                let value = slots.demand(subject)?;
                let breaks_out = fences.iter().any(|fence| value.contains(&**fence));
                let is_header = slots.headers().next().is_some();
                // Of two values side by side one could be moved into the other whole.
                let is_lacking = value.is_empty() && (is_header || !may_be_empty);
                if is_lacking || (is_header && breaks_out) {
                    return Err(VerifyError::Malformed(format!(
                        "`{slots}` is empty or holds what separates it"
                    )));
                }
                match value {
                    std::borrow::Cow::Borrowed(text) => pieces.push(text.as_bytes()),
                    std::borrow::Cow::Owned(text) => pieces.push(text.into_bytes()),
                }
            }
            Self::Optional(inner) => {
                let used = pieces.used;
                match render(inner, subject, pieces, true) {
                    Err(VerifyError::Missing(_)) => pieces.used = used,
                    other => other?,
                }
            }
        }
        Ok(())
    }
}

/// Returns the values of the headers in a list of names between blanks, joined by dots, as Hook0 signs them. Only the last may hold a dot, and
/// none where a JSON body could begin: else one signature would stand for several cuts.
fn listed(request: &Request, names: &str) -> Result<String, VerifyError> {
    let mut values = Vec::new();
    for name in names.split(' ').filter(|name| !name.is_empty()) {
        let header = HeaderName::try_from(name)
            .map_err(|_| VerifyError::malformed("the signature lists what is not a header's name"))?;
        values.push(demanded_header(&request.headers, &header)?);
    }
    let (last, others) = values.split_last().unwrap_or((&"", &[]));
    if others.iter().any(|value| value.contains('.')) || [".{", ".["].iter().any(|cut| last.contains(cut)) {
        return Err(VerifyError::malformed("a header that the signature lists holds what separates it"));
    }
    Ok(values.join("."))
}

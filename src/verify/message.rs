//! What a sender signs: a template over body and headers, or the body as it was before the signature's member
//! was added. Verifying and signing share it.
//!
//! The message is handed on as slices of the request, so a body is never copied to be hashed.

use super::{
    VerifyError,
    member::Found,
    rewrite::{Style, rewrite},
    single,
};
use crate::delivery::Request;
use axum::http::{HeaderMap, HeaderName};

/// How many parts a template may have.
const MOST_PARTS: usize = 12;

/// A message as slices to be hashed in turn; unused places are empty.
pub(super) type Pieces<'r> = [&'r [u8]; MOST_PARTS];

/// How a sender's message is made.
pub(super) enum Message {
    /// Parts of the request, one after another.
    Template(Vec<Part>),
    /// The body's bytes less the signature's member.
    Cut,
    /// The body written again, less the signature's member where there is one.
    Written(Style),
}

/// One part of a template.
pub(super) enum Part {
    Body,
    Header {
        name: HeaderName,
        /// Literals beside it that its value must not hold: with them it could be cut elsewhere, and one
        /// signature would stand for two requests (Standard Webhooks warns of `.`).
        fences: Vec<Box<str>>,
    },
    Text(Box<str>),
}

/// The `message` words that are not templates.
const FORMS: [(&str, Message); 6] = [
    ("raw_cut", Message::Cut),
    ("compact", Message::Written(Style::Compact)),
    ("compact_php", Message::Written(Style::CompactPhp)),
    ("compact_sorted", Message::Written(Style::CompactSorted)),
    ("python", Message::Written(Style::Python)),
    ("json_stringify", Message::Written(Style::JavaScript)),
];

impl Message {
    /// Reads the `message` of a sender document, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form = FORMS.into_iter().find_map(|(name, form)| (name == text).then_some(form));
        form.map_or_else(|| template(text), Ok)
    }

    /// True for a form that leaves out the signature's member.
    pub(super) fn suits_member(&self) -> bool {
        match self {
            Self::Cut => true,
            Self::Written(style) => *style != Style::JavaScript,
            Self::Template(_) => false,
        }
    }

    /// True for a form that takes the body as a whole.
    pub(super) fn suits_header(&self) -> bool {
        matches!(self, Self::Template(_) | Self::Written(Style::JavaScript))
    }

    pub(super) fn covers_body(&self) -> bool {
        match self {
            Self::Cut | Self::Written(_) => true,
            Self::Template(parts) => parts.iter().any(|part| matches!(part, Part::Body)),
        }
    }

    pub(super) fn covers_header(&self, wanted: &HeaderName) -> bool {
        self.headers().any(|name| name == wanted)
    }

    /// Returns the header, if any, that is glued to the next part without a literal that marks its end.
    pub(super) fn unfenced(&self) -> impl Iterator<Item = &HeaderName> {
        let parts = if let Self::Template(parts) = self { parts.as_slice() } else { &[] };
        parts.windows(2).filter_map(|pair| match pair {
            [Part::Header { name, .. }, Part::Body | Part::Header { .. }]
            | [Part::Body, Part::Header { name, .. }] => Some(name),
            _ => None,
        })
    }

    fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        let parts = if let Self::Template(parts) = self { parts.as_slice() } else { &[] };
        parts.iter().filter_map(|part| match part {
            Part::Header { name, .. } => Some(name),
            Part::Body | Part::Text(_) => None,
        })
    }

    /// Returns the message of a request that is to be verified, or (without `found`) signed.
    ///
    /// `member` is the name of the signature's member, `found` where it stands; `scratch` holds what had to be
    /// written again.
    pub(super) fn pieces<'r>(
        &'r self,
        request: &'r Request,
        member: Option<&str>,
        found: Option<&Found<'r>>,
        scratch: &'r mut Vec<u8>,
    ) -> Result<Pieces<'r>, VerifyError> {
        let mut pieces: Pieces<'r> = [&[]; MOST_PARTS];
        let [first, second, ..] = &mut pieces;
        match (self, found) {
            (Self::Cut, Some(found)) => (*first, *second) = (found.before, found.after),
            (Self::Cut, None) => *first = &request.body,
            (Self::Written(style), _) => {
                let again =
                    std::str::from_utf8(&request.body).ok().and_then(|text| rewrite(text, *style, member));
                *scratch =
                    again.ok_or_else(|| VerifyError::malformed("the body is not JSON, or too deep"))?;
                *first = scratch;
            }
            (Self::Template(parts), _) => {
                for (piece, part) in pieces.iter_mut().zip(parts) {
                    *piece = part.of(request)?;
                }
            }
        }
        Ok(pieces)
    }
}

impl Part {
    fn of<'r>(&'r self, request: &'r Request) -> Result<&'r [u8], VerifyError> {
        match self {
            Self::Body => Ok(&request.body),
            Self::Text(text) => Ok(text.as_bytes()),
            Self::Header { name, fences } => signed_header(&request.headers, name, fences),
        }
    }
}

/// Returns a header that is part of the message: once, not empty, and without the text that ends it there.
fn signed_header<'r>(
    headers: &'r HeaderMap,
    name: &HeaderName,
    fences: &[Box<str>],
) -> Result<&'r [u8], VerifyError> {
    let value = single(headers, name)?;
    let breaks_out = |fence: &[u8]| value.windows(fence.len().max(1)).any(|window| window == fence);
    if value.is_empty() || fences.iter().any(|fence| breaks_out(fence.as_bytes())) {
        return Err(VerifyError::Malformed(format!("header `{name}` is empty or holds what separates it")));
    }
    Ok(value)
}

/// Reads literal text with `{body}` and `{header:NAME}`.
fn template(text: &str) -> Result<Message, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, slot)) = rest.split_once('{') {
        let Some((slot, tail)) = slot.split_once('}') else {
            return Err(format!("`{{{slot}` is not closed"));
        };
        parts.extend((!literal.is_empty()).then(|| Part::Text(literal.into())));
        parts.push(match slot.strip_prefix("header:") {
            Some(name) => match HeaderName::try_from(name) {
                Ok(name) => Part::Header { name, fences: Vec::new() },
                Err(_) => return Err(format!("`{name}` is not a header's name")),
            },
            None if slot == "body" => Part::Body,
            None => return Err(format!("`{{{slot}}}` is unknown")),
        });
        rest = tail;
    }
    if parts.is_empty() {
        return Err(format!("`{text}` is neither a form nor has it a slot of the request"));
    }
    parts.extend((!rest.is_empty()).then(|| Part::Text(rest.into())));
    if parts.len() > MOST_PARTS {
        return Err(format!("it has {} parts, and {MOST_PARTS} are the most", parts.len()));
    }
    fence(&mut parts);
    Ok(Message::Template(parts))
}

/// Notes beside each header the literals that part it from other slots.
fn fence(parts: &mut [Part]) {
    let texts: Vec<Option<Box<str>>> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Body | Part::Header { .. } => None,
        })
        .collect();
    let last = parts.len().saturating_sub(1);
    let parts_slots = |at: usize| (1..last).contains(&at); // not the first nor the last: slots on both sides
    for (at, part) in parts.iter_mut().enumerate() {
        if let Part::Header { fences, .. } = part {
            let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
            fences.extend(
                beside.filter(|at| parts_slots(*at)).filter_map(|at| texts.get(at).cloned().flatten()),
            );
        }
    }
}

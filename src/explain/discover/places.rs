//! Where a request may hold a signature or token: its headers, the members of its JSON body, the fields of its query
//! and form.

use super::{Lab, place};
use crate::{
    explain::writing,
    request::slot::form,
    verify::{Algorithm, Encoding, VerifySpec, base64, base64url},
};
use http::header;
use secrecy::ExposeSecret;
use serde_json::value::RawValue;
use std::{collections::BTreeMap, ops::RangeInclusive};

/// How many bytes a P-256 signature in DER has.
pub(super) const ECDSA: RangeInclusive<usize> = 68..=72;

#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Where it stands and how it is written; with an algorithm, it is a token.
    pub(super) spec: VerifySpec,
    /// How many bytes it has, decoded.
    pub(super) bytes: usize,
}

/// Returns every place of the request, headers first.
pub(super) fn all(lab: &Lab<'_>) -> Vec<Place> {
    let request = lab.case.request;
    let of = |at: &VerifySpec, text: &str| [tokens(lab, at, text), signatures(at, text)].concat();
    let mut places = Vec::new();
    for name in place::candidates(&request.headers) {
        let at = place::with_header(&VerifySpec::default(), name);
        let text = request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        places.extend(of(&at, text));
    }
    places.extend(in_members(&request.body));
    let kind = request.headers.get(header::CONTENT_TYPE);
    let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let query = request.uri.query().unwrap_or_default().as_bytes();
    for (kind, text) in [("query", query), ("form", if is_form { &request.body[..] } else { &[] })] {
        for (name, value) in form::pairs(text) {
            let (Ok(name), Ok(text)) = (std::str::from_utf8(&name), std::str::from_utf8(&value)) else {
                continue;
            };
            let at = VerifySpec { from: Some(format!("{kind}:{name}")), ..VerifySpec::default() };
            places.extend(of(&at, text));
        }
    }
    places
}

/// Returns the place as one that holds a secret as it is.
fn tokens(lab: &Lab<'_>, at: &VerifySpec, text: &str) -> Vec<Place> {
    let secrets = || lab.case.secrets.iter().map(ExposeSecret::expose_secret);
    let prefixes =
        secrets().filter(|secret| !secret.is_empty()).filter_map(|secret| text.strip_suffix(secret));
    let place = |algorithm, prefix: Option<&str>| Place {
        spec: VerifySpec { algorithm: Some(algorithm), prefix: prefix.map(str::to_owned), ..at.clone() },
        bytes: 0,
    };
    let tokens = prefixes.filter(|prefix| prefix.len() <= 24);
    let tokens =
        tokens.map(|prefix| place(Algorithm::Token, Some(prefix).filter(|prefix| !prefix.is_empty())));
    let is_basic = text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "));
    tokens.chain(is_basic.then(|| place(Algorithm::Basic, None))).collect()
}

/// Returns the ways in which a text holds a digest or signature.
fn signatures(at: &VerifySpec, text: &str) -> Vec<Place> {
    let read = |(prefix, separator): (&str, Option<&'static str>)| {
        let entries: Vec<&str> =
            separator.map_or_else(|| vec![text], |separator| text.split(separator).collect());
        let mut entries = entries.into_iter().map(str::trim).filter_map(|entry| entry.strip_prefix(prefix));
        let (encoding, bytes) = entries.find_map(decoded)?;
        let spec = VerifySpec {
            prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
            separator: separator.map(str::to_owned),
            encoding: Some(encoding),
            ..at.clone()
        };
        Some(Place { spec, bytes })
    };
    writing::cuts(text).filter_map(read).collect()
}

fn in_members(body: &[u8]) -> Vec<Place> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).unwrap_or_default();
    let place = |(name, value): (String, &RawValue)| {
        let text: String = serde_json::from_str(value.get()).ok()?;
        let (encoding, bytes) = decoded(&text)?;
        let spec = VerifySpec { member: Some(name), encoding: Some(encoding), ..VerifySpec::default() };
        Some(Place { spec, bytes })
    };
    members.into_iter().filter_map(place).collect()
}

/// Reads a text as bytes, where it is so written.
type Reader = fn(&str) -> Option<Vec<u8>>;

/// Returns how a signature is written, and its length; `None` for a text that is none.
fn decoded(text: &str) -> Option<(Encoding, usize)> {
    let readers: [(Encoding, Reader); 3] = [
        (Encoding::Hex, |text| hex::decode(text).ok()),
        (Encoding::Base64, base64),
        (Encoding::Base64url, base64url),
    ];
    readers.into_iter().find_map(|(encoding, read)| {
        read(text).filter(|bytes| is_signature(bytes)).map(|bytes| (encoding, bytes.len()))
    })
}

fn is_signature(bytes: &[u8]) -> bool {
    let is_digest = || Algorithm::ALL.iter().any(|algorithm| algorithm.digest_bytes() == bytes.len());
    let is_ecdsa = || ECDSA.contains(&bytes.len()) && bytes.starts_with(&[0x30]);
    !bytes.is_empty() && (is_digest() || is_ecdsa())
}

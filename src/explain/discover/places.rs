//! Where a request may hold a signature or token: its headers, and the members of its JSON body.

use super::{Lab, place};
use crate::{
    explain::writing,
    verify::{Algorithm, Encoding, Texts, VerifySpec},
};
use axum::http::HeaderName;
use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::ExposeSecret as _;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Base64 with or without padding, by either alphabet.
static ENGINES: [(GeneralPurpose, Encoding); 2] = [
    (GeneralPurpose::new(&STANDARD, LENIENT), Encoding::Base64),
    (GeneralPurpose::new(&URL_SAFE, LENIENT), Encoding::Base64url),
];
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// One place that may hold a signature.
#[derive(Debug, Clone)]
pub(in crate::explain) struct Place {
    /// Where it stands and how it is written; with an algorithm, it is a token.
    pub(super) spec: VerifySpec,
    /// How many bytes it has, decoded.
    pub(super) bytes: usize,
}

/// Returns every place of the request, headers first.
pub(super) fn all(lab: &Lab<'_>) -> Vec<Place> {
    let headers = &lab.case.request.headers;
    let names = place::candidates(headers);
    let in_headers = names.flat_map(|name| {
        let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        tokens(lab, name, text).chain(in_header(name, text))
    });
    in_headers.chain(in_members(&lab.case.request.body)).collect()
}

/// Returns the header as one that holds a secret as it is.
fn tokens(lab: &Lab<'_>, name: &HeaderName, text: &str) -> impl Iterator<Item = Place> {
    let prefixes = lab.case.secrets.iter().filter_map(|secret| text.strip_suffix(secret.expose_secret()));
    let prefixes: Vec<&str> = prefixes.filter(|prefix| prefix.len() <= 24).collect();
    let place = |prefix: &str| Place {
        spec: VerifySpec {
            algorithm: Some(Algorithm::Token),
            prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
            ..VerifySpec { header: Some(Texts::One(name.to_string())), ..VerifySpec::default() }
        },
        bytes: 0,
    };
    prefixes.into_iter().map(place).collect::<Vec<_>>().into_iter()
}

fn in_header(name: &HeaderName, text: &str) -> impl Iterator<Item = Place> {
    let read = |(prefix, separator): (&str, Option<&'static str>)| {
        let entries: Vec<&str> =
            separator.map_or_else(|| vec![text], |separator| text.split(separator).collect());
        let mut entries = entries.into_iter().map(str::trim).filter_map(|entry| entry.strip_prefix(prefix));
        let (encoding, bytes) = entries.find_map(decoded)?;
        let spec = VerifySpec {
            header: Some(Texts::One(name.to_string())),
            prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
            separator: separator.map(str::to_owned),
            encoding: Some(encoding),
            ..VerifySpec::default()
        };
        Some(Place { spec, bytes })
    };
    writing::cuts(text).filter_map(read).collect::<Vec<_>>().into_iter()
}

fn in_members(body: &[u8]) -> impl Iterator<Item = Place> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).unwrap_or_default();
    let place = |(name, value): (String, &RawValue)| {
        let text: String = serde_json::from_str(value.get()).ok()?;
        let (encoding, bytes) = decoded(&text)?;
        let spec = VerifySpec { member: Some(name), encoding: Some(encoding), ..VerifySpec::default() };
        Some(Place { spec, bytes })
    };
    members.into_iter().filter_map(place).collect::<Vec<_>>().into_iter()
}

/// Returns how a digest is written, and its length; `None` for a text that is no digest.
fn decoded(text: &str) -> Option<(Encoding, usize)> {
    let is_digest =
        |bytes: &Vec<u8>| Algorithm::ALL.iter().any(|a| a.digest_bytes() == bytes.len() && !bytes.is_empty());
    if let Some(bytes) = hex::decode(text).ok().filter(is_digest) {
        return Some((Encoding::Hex, bytes.len()));
    }
    let mut engines = ENGINES.iter();
    engines.find_map(|(engine, encoding)| {
        engine.decode(text).ok().filter(is_digest).map(|bytes| (*encoding, bytes.len()))
    })
}

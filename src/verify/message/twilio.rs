//! What Twilio signs: the address, and behind it the fields of a form, sorted by name and then value, exact
//! duplicates dropped, names and values glued. Of another body it signs the address only, whose query then holds the
//! body's SHA-256 (`bodySHA256`). As its own libraries do, the address is tried with and without its port.

use super::address::Url;
use crate::{
    request::{Request, slot::form},
    verify::VerifyError,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use subtle::ConstantTimeEq as _;

/// Fields of a form at most. Twilio sends some dozens; to sort what a stranger may send would hold up others.
const MOST_FIELDS: usize = 1000;

/// The parameter of the query that holds the hex SHA-256 of a body that is no form.
const BODY_DIGEST: &[u8] = b"bodySHA256";

pub(in crate::verify) struct Addresses(Vec<Url>);

impl Addresses {
    /// Returns the address as it is, and with its port toggled.
    pub(super) fn of(url: &Url) -> Self {
        let text = url.as_str();
        let toggled = text.split_once("://").map(|(scheme, rest)| {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let port = if scheme == "https" { "443" } else { "80" };
            match authority.rsplit_once(':') {
                Some((host, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("{scheme}://{host}{path}")
                }
                _ => format!("{scheme}://{authority}:{port}{path}"),
            }
        });
        Self(std::iter::once(url.clone()).chain(toggled.map(|text| Url::plain(&text))).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn message(&self, request: &Request, variant: usize) -> Result<Vec<u8>, VerifyError> {
        let address = self.0.get(variant).map(|address| address.with_query(request));
        let mut message = address.unwrap_or_default().into_bytes();
        let query = request.uri.query();
        let mut digests =
            form::pairs(query.unwrap_or_default().as_bytes()).filter(|(name, _)| **name == *BODY_DIGEST);
        match (digests.next(), digests.next()) {
            (Some((_, digest)), None) => {
                let is_right: bool = hex::encode(Sha256::digest(&request.body))
                    .as_bytes()
                    .ct_eq(&digest.to_ascii_lowercase())
                    .into();
                return if is_right { Ok(message) } else { Err(VerifyError::Mismatch) };
            }
            (Some(_), Some(_)) => return Err(VerifyError::Repeated("`query:bodySHA256`".to_owned())),
            (None, _) => {}
        }
        if form::pairs(&request.body).nth(MOST_FIELDS).is_some() {
            return Err(VerifyError::Malformed(format!("a form of more than {MOST_FIELDS} fields")));
        }
        let fields: BTreeSet<form::Pair<'_>> = form::pairs(&request.body).collect();
        for (name, value) in fields {
            message.extend(name.iter().chain(value.iter()));
        }
        Ok(message)
    }
}

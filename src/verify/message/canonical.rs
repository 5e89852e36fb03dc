//! The canonical request whose digest Atlassian Connect puts into the claim `qsh`: `METHOD&path&query`, with the
//! query's parameters sorted and escaped, values of one name joined by commas, `jwt` left out.

use crate::request::{ESCAPED, Request, slot::form};
use percent_encoding::percent_encode;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Returns the hex SHA-256 of the canonical request.
pub(in crate::verify) fn qsh(request: &Request) -> String {
    let escape = |text: &[u8]| percent_encode(text, ESCAPED).to_string();
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form::pairs(request.uri.query().unwrap_or_default().as_bytes()) {
        if *name != *b"jwt" {
            parameters.entry(escape(&name)).or_default().push(escape(&value));
        }
    }
    let query: Vec<String> = parameters
        .into_iter()
        .map(|(name, mut values)| {
            values.sort();
            format!("{name}={}", values.join(","))
        })
        .collect();
    let path = request.uri.path().trim_end_matches('/').replace('&', "%26");
    let path = if path.is_empty() { "/" } else { &path };
    hex::encode(Sha256::digest(format!("{}&{path}&{}", request.method, query.join("&"))))
}

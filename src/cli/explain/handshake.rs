//! What a handshake would be answered with. Its effects are not carried out: nothing is stored or fetched, and
//! whatever a handshake needs of the operator counts as given.

use crate::respond::{Effect, Reply};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) status: u16,
    headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl From<&Reply> for Response {
    fn from(reply: &Reply) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = reply.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
        Self { status: reply.status, headers: headers.collect(), body: text(&reply.body) }
    }
}

/// Says what the server would do besides.
pub(super) fn told(effect: &Effect) -> &'static str {
    match effect {
        Effect::Capture(_) => {
            "the secret that it hands over would be stored, where the source says `capture`"
        }
        Effect::Confirm(_) => "the address in it would be fetched, where the source says `confirm: true`",
    }
}

//! By what a JetStream server tells a copy from another record (`Nats-Msg-Id`): what `dedup` counts as one.

use crate::{clock, event::Event};
use sha2::{Digest as _, Sha256};

/// Returns what tells copies of one record apart from other records of a stream. What counts as a copy is what `dedup`
/// counts as one; and the bare event would make a server drop the second subject of a fan-out into one stream.
pub(super) fn message_id(event: &Event, subject: &str) -> String {
    let Some(content) = event.told_by() else { return clock::uuid().simple().to_string() };
    let mut digest = Sha256::new();
    let names = [event.source.as_bytes(), event.id.as_bytes(), subject.as_bytes()];
    for part in names.iter().chain(&content) {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize().get(..16).unwrap_or_default())
}

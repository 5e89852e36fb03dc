//! The payload of a frame: one [`Record`] as bytes and back. The layout stands in the parent module.

use super::u32_len;
use crate::record::Record;
use bytes::{Buf, Bytes};
use std::{borrow::Cow, sync::Arc};

/// Timestamp, presence of a key, number of headers.
const FIXED_LEN: usize = 8 + 1 + 4;
/// The length that stands before a text.
const LEN_LEN: usize = 4;

pub(super) fn len(record: &Record) -> usize {
    let text = |text: &str| LEN_LEN + text.len();
    FIXED_LEN
        + text(&record.destination)
        + text(&record.message_id)
        + record.key.as_deref().map_or(0, text)
        + record.headers.iter().map(|(name, value)| text(name) + text(value)).sum::<usize>()
        + record.value.len()
}

pub(super) fn encode(buffer: &mut Vec<u8>, record: &Record) {
    buffer.extend(record.timestamp_ms.to_le_bytes());
    buffer.push(u8::from(record.key.is_some()));
    put_text(buffer, &record.destination);
    put_text(buffer, &record.message_id);
    if let Some(key) = &record.key {
        put_text(buffer, key);
    }
    buffer.extend(u32_len(record.headers.len()));
    for (name, value) in &record.headers {
        put_text(buffer, name);
        put_text(buffer, value);
    }
    buffer.extend_from_slice(&record.value);
}

fn put_text(buffer: &mut Vec<u8>, text: &str) {
    buffer.extend(u32_len(text.len()));
    buffer.extend_from_slice(text.as_bytes());
}

/// Reads a record from a frame's payload; its value shares the payload's memory. Returns `None` where the
/// payload is not a record.
pub(in crate::journal) fn decode(mut payload: Bytes) -> Option<Record> {
    let timestamp_ms = payload.try_get_i64_le().ok()?;
    let has_key = match payload.try_get_u8().ok()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let destination = Arc::from(take_text(&mut payload)?);
    let message_id = take_text(&mut payload)?;
    let key = if has_key { Some(take_text(&mut payload)?) } else { None };
    let count = take_len(&mut payload)?;
    let headers = (0..count)
        .map(|_| Some((Cow::Owned(take_text(&mut payload)?), Cow::Owned(take_text(&mut payload)?))))
        .collect::<Option<Vec<_>>>()?;
    Some(Record { destination, key, headers, value: payload, timestamp_ms, in_turn: false, message_id })
}

/// Returns the record's time, by the payload's first bytes.
pub(in crate::journal) fn timestamp(mut payload: &[u8]) -> Option<i64> {
    payload.try_get_i64_le().ok()
}

fn take_len(payload: &mut Bytes) -> Option<usize> {
    usize::try_from(payload.try_get_u32_le().ok()?).ok()
}

fn take_text(payload: &mut Bytes) -> Option<String> {
    let len = take_len(payload)?;
    let text = std::str::from_utf8(payload.get(..len)?).ok()?.to_owned();
    payload.advance(len);
    Some(text)
}

//! What an attribute of an event may be, so that an envelope and a broker can carry it.

use super::Unmappable;
use crate::event::{Event, Reason};

/// Longest id, key, subject or type in bytes. The longest names known are those of Azure's blobs: 1,024 characters, which may
/// be 3 KiB. In a binary record of NATS each is a header, three times as long where all of it is encoded, and all headers
/// together have 64 KiB.
const MAX_ATTRIBUTE: usize = 4096;

/// Refuses attributes that an envelope or a broker could not carry.
pub(super) fn check(event: &Event) -> Result<(), Unmappable> {
    let attributes = [
        ("id", Some(event.id.as_str())),
        ("type", Some(event.kind.as_str())),
        ("subject", event.subject.as_deref()),
        ("key", event.key.as_deref()),
        ("source", Some(&*event.source)),
    ];
    for (name, value) in attributes {
        let Some(value) = value else { continue };
        if value.is_empty() {
            return Err(Unmappable::new(Reason::Unrecognized, format!("the event's {name} is empty")));
        }
        check_text(name, value)?;
    }
    Ok(())
}

/// Refuses a text that no attribute may hold; `name` is the attribute's.
pub(super) fn check_text(name: &str, value: &str) -> Result<(), Unmappable> {
    if value.len() > MAX_ATTRIBUTE {
        let detail = format!("the event's {name} has {} bytes, more than {MAX_ATTRIBUTE}", value.len());
        return Err(Unmappable::new(Reason::Malformed, detail));
    }
    // Nearly every attribute is plain ASCII, which is told many bytes at once.
    if value.bytes().fold(true, |plain, byte| plain & (0x20..0x7f).contains(&byte)) {
        return Ok(());
    }
    // CloudEvents 1.0.2, section 3.1: strings hold no control characters and no noncharacters.
    if value.chars().any(|c| c.is_control() || is_noncharacter(c)) {
        let detail = format!("the event's {name} holds a control character");
        return Err(Unmappable::new(Reason::Malformed, detail));
    }
    Ok(())
}

fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

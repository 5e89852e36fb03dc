//! The byte order mark that some senders put in front of JSON or a form. It is a part of the bytes, which may be signed with
//! it and are published as they came, and none of the text, in which no reader knows it.

const MARK: &str = "\u{feff}";

/// Returns bytes without the mark in front of them.
pub fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK.as_bytes()).unwrap_or(bytes)
}

/// Returns a text without the mark in front of it.
pub fn unmarked_text(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

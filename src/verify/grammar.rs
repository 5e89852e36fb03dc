//! How a signature stands in its place: a list or one, with a prefix or without, hex or base64.
//!
//! Signatures are always decoded before they are compared, so that padding and the case of hex digits do not
//! matter, and only a text of exactly the digest's length is read at all.

use super::{mac::Tag, spec::Encoding};
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Base64 with or without padding; writes it.
static BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
/// Base64 with the URL alphabet, with or without padding; writes none.
static BASE64URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT.with_encode_padding(false));
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Base64 as people copy it: bits behind the last byte may be set, as other libraries take it.
static COPIED: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT.with_decode_allow_trailing_bits(true));

/// Room for the base64 decoder, which counts in groups of three bytes: the longest digest, rounded up.
const ROOM: usize = 66;

/// The longest signature that is read at all, as text: RSA with 8192 bits takes 2048 hex digits.
const LONGEST_TEXT: usize = 4096;

/// Text in front of a signature or token.
pub(super) struct Prefix {
    pub(super) text: Box<str>,
    pub(super) is_optional: bool,
}

impl Prefix {
    /// Returns what stands behind the prefix; `None` where it must stand there and does not. The scheme's name of
    /// an `Authorization` header may have letters of any case (RFC 9110, 11.1).
    pub(super) fn strip<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (head, bare) = text.split_at_checked(self.text.len()).unwrap_or((b"", text));
        let is_there = if self.text.ends_with(' ') {
            head.eq_ignore_ascii_case(self.text.as_bytes())
        } else {
            head == self.text.as_bytes()
        };
        if is_there { Some(bare) } else { self.is_optional.then_some(text) }
    }
}

/// How one scheme writes its signatures.
pub(super) struct Grammar {
    pub(super) prefix: Prefix,
    /// What stands between the signatures of a list.
    pub(super) separator: Option<Box<str>>,
    pub(super) encoding: Encoding,
}

impl Grammar {
    /// Returns the digests of `bytes` bytes that stand in `text`; entries of another version or form are passed
    /// over.
    pub(super) fn digests<'t>(&'t self, text: &'t str, bytes: usize) -> impl Iterator<Item = Tag> + 't {
        self.entries(text).filter_map(move |entry| decode(self.encoding, entry, bytes))
    }

    /// Returns the signatures of any length that stand in `text`, likewise.
    pub(super) fn signatures<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Vec<u8>> + 't {
        self.entries(text).filter(|entry| (1..=LONGEST_TEXT).contains(&entry.len())).filter_map(|entry| {
            let is_hex =
                || entry.len().is_multiple_of(2) && entry.bytes().all(|byte| byte.is_ascii_hexdigit());
            match self.encoding {
                Encoding::Hex => hex::decode(entry).ok(),
                Encoding::Auto if is_hex() => hex::decode(entry).ok(),
                Encoding::Auto if entry.contains(['-', '_']) => BASE64URL.decode(entry).ok(),
                Encoding::Auto | Encoding::Base64 => BASE64.decode(entry).ok(),
                Encoding::Base64url => BASE64URL.decode(entry).ok(),
            }
        })
    }

    pub(super) fn write(&self, signature: &[u8]) -> String {
        format!("{}{}", self.prefix.text, self.encoding.write(signature))
    }

    /// Returns the entries of the list that have the prefix, without it.
    fn entries<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let is_list = self.separator.is_some();
        let mut listed = self.separator.as_deref().map(|separator| text.split(separator));
        let mut alone = Some(text).filter(|_| !is_list);
        let entries = std::iter::from_fn(move || alone.take().or_else(|| listed.as_mut()?.next()));
        entries.filter_map(move |entry| {
            let entry = if is_list { entry.trim_ascii() } else { entry };
            self.prefix.strip(entry.as_bytes()).and_then(|bare| std::str::from_utf8(bare).ok())
        })
    }
}

impl Encoding {
    pub(crate) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Auto | Self::Hex => hex::encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
            Self::Base64url => BASE64URL.encode(bytes),
        }
    }
}

/// Reads a digest of `bytes` bytes; `None` for any other text.
fn decode(encoding: Encoding, text: &str, bytes: usize) -> Option<Tag> {
    match encoding {
        // No length is both: hex takes 2 characters for a byte, base64 never more than 1.5 for 16 or more.
        Encoding::Auto if text.len() == 2 * bytes => from_hex(text, bytes),
        Encoding::Auto if text.contains(['-', '_']) => from_base64(&BASE64URL, text, bytes),
        Encoding::Auto | Encoding::Base64 => from_base64(&BASE64, text, bytes),
        Encoding::Hex => from_hex(text, bytes),
        Encoding::Base64url => from_base64(&BASE64URL, text, bytes),
    }
}

fn from_hex(text: &str, bytes: usize) -> Option<Tag> {
    let mut room = [0; ROOM];
    let out = room.get_mut(..bytes)?;
    hex::decode_to_slice(text, out).ok()?;
    Some(Tag::new(out))
}

fn from_base64(engine: &GeneralPurpose, text: &str, bytes: usize) -> Option<Tag> {
    let mut room = [0; ROOM];
    let read = engine.decode_slice(text, &mut room).ok()?;
    (read == bytes).then(|| Tag::new(room.get(..bytes).unwrap_or_default()))
}

pub(super) fn base64_key(text: &str) -> Option<Vec<u8>> {
    COPIED.decode(text).ok()
}

pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

pub(crate) fn base64url(text: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(text).ok()
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

//! How a signature stands in its header or member: a list or one, with a prefix or without, hex or base64.
//!
//! Signatures are always decoded before they are compared, so that padding and the case of hex digits do not
//! matter, and only a text of exactly the digest's length is read at all.

use super::{
    mac::Tag,
    spec::{Algorithm, Encoding},
};
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

/// Room for the base64 decoder, which counts in groups of three bytes: the longest digest, rounded up.
const ROOM: usize = 66;

/// How one scheme writes its signatures.
pub(super) struct Grammar {
    /// Text in front of each signature; may be empty.
    pub(super) prefix: Box<str>,
    pub(super) prefix_optional: bool,
    /// What stands between the signatures of a list.
    pub(super) separator: Option<Box<str>>,
    pub(super) encoding: Encoding,
}

impl Grammar {
    /// Returns the signatures that stand in `text`; entries of another version or form are passed over.
    pub(super) fn read<'t>(&'t self, text: &'t str, algorithm: Algorithm) -> impl Iterator<Item = Tag> + 't {
        self.entries(text)
            .filter_map(move |entry| decode(self.encoding, self.bare(entry)?, algorithm.digest_bytes()))
    }

    /// Writes one signature as the sender would.
    pub(super) fn write(&self, tag: &Tag) -> String {
        let text = match self.encoding {
            Encoding::Auto | Encoding::Hex => hex::encode(tag.as_bytes()),
            Encoding::Base64 => BASE64.encode(tag.as_bytes()),
            Encoding::Base64url => BASE64URL.encode(tag.as_bytes()),
        };
        format!("{}{text}", self.prefix)
    }

    fn entries<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut rest = Some(text);
        std::iter::from_fn(move || {
            let text = rest?;
            let split = self.separator.as_deref().and_then(|separator| text.split_once(separator));
            rest = split.map(|(_, tail)| tail);
            Some(split.map_or(text, |(entry, _)| entry))
        })
    }

    fn bare<'t>(&self, entry: &'t str) -> Option<&'t str> {
        let entry = if self.separator.is_some() { entry.trim_ascii() } else { entry };
        entry.strip_prefix(&*self.prefix).or(self.prefix_optional.then_some(entry))
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

/// Reads a key that is written as base64, padded or not.
pub(super) fn base64_key(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

//! One value of a request on its way into an answer: a slot, alternatives of slots, or the HMAC of one.
//!
//! Anybody may send a handshake, so nothing that comes back is trusted: a value is at most 1024 bytes long, holds
//! no control characters, and only a short token is ever signed. A signature over free text would be one that a
//! forged event could carry; the check takes no event of a token's form where a handshake signs.

use super::RespondError;
use crate::{
    request::{
        Request,
        slot::{Params, Slot, template::alternatives},
    },
    verify::{Algorithm, Encoding, Verifier, is_token},
};
use std::borrow::Cow;

/// The longest value that is sent back, in bytes.
const LONGEST_ECHO: usize = 1024;

/// Said of a value that no answer may carry.
pub(super) const NOT_PLAIN: &str = "a value that is to be sent back holds control characters or is not text";

/// What a template is filled from.
pub(super) struct Fill<'r> {
    pub(super) request: &'r Request,
    pub(super) params: &'r Params,
    pub(super) keys: &'r Verifier,
}

/// A value of the request: the first of some slots that is present.
#[derive(Debug)]
pub(super) struct Value(Vec<Source>);

#[derive(Debug)]
enum Source {
    Slot(Slot),
    Hmac { hash: Algorithm, encoding: Encoding, of: Slot },
}

impl Value {
    /// Reads slots between bars, or says what is wrong with them.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        alternatives(text).map(Source::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Reads slots between bars of which none is signed.
    pub(super) fn parse_plain(text: &str) -> Result<Self, String> {
        let value = Self::parse(text)?;
        let is_plain = value.0.iter().all(|source| matches!(source, Source::Slot(_)));
        if is_plain { Ok(value) } else { Err(format!("`{text}`: `hmac:` stands only in answers")) }
    }

    /// Returns the value for one request; it must be there, short and plain.
    pub(super) fn read<'r>(&'r self, fill: &Fill<'r>) -> Result<Cow<'r, str>, RespondError> {
        for source in &self.0 {
            if let Some(value) = source.read(fill)? {
                return Ok(value);
            }
        }
        let unset =
            self.slots().find_map(|slot| if let Slot::Param(name) = slot { Some(name) } else { None });
        Err(unset.map_or(RespondError::Unusable("a value that is to be sent back is missing"), |name| {
            RespondError::Unset(name.clone())
        }))
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().map(|source| match source {
            Source::Slot(slot) | Source::Hmac { of: slot, .. } => slot,
        })
    }
}

impl Source {
    fn parse(text: &str) -> Result<Self, String> {
        let Some(hmac) = text.strip_prefix("hmac:") else { return Slot::parse(text).map(Self::Slot) };
        let expected = || format!("`{text}` is not a slot: expected `hmac:sha256:hex:SLOT`");
        let (hash, rest) = hmac.split_once(':').ok_or_else(expected)?;
        let (encoding, of) = rest.split_once(':').ok_or_else(expected)?;
        let mut hmacs = Algorithm::ALL.into_iter();
        let hash = hmacs
            .find(|hmac| hmac.name().strip_prefix("hmac-") == Some(hash))
            .ok_or_else(|| format!("`{hash}` is no digest: expected sha256, sha512, sha1 or md5"))?;
        let mut encodings = Encoding::ALL.into_iter().filter(|encoding| *encoding != Encoding::Auto);
        let encoding = encodings
            .find(|known| known.name() == encoding)
            .ok_or_else(|| format!("`{encoding}` is no encoding: expected hex, base64 or base64url"))?;
        Ok(Self::Hmac { hash, encoding, of: Slot::parse(of)? })
    }

    fn read<'r>(&'r self, fill: &Fill<'r>) -> Result<Option<Cow<'r, str>>, RespondError> {
        match self {
            Self::Slot(slot) => echoed(slot, fill),
            Self::Hmac { hash, encoding, of } => {
                let Some(value) = echoed(of, fill)? else { return Ok(None) };
                if !is_token(value.bytes()) {
                    let refused =
                        "a value that is to be signed must be 1 to 128 letters, digits and `-_=+/.`";
                    return Err(RespondError::Unusable(refused));
                }
                let mac = fill.keys.hmac(*hash, value.as_bytes()).ok_or(RespondError::Unkeyed)?;
                Ok(Some(encoding.write(&mac).into()))
            }
        }
    }
}

/// Returns a value as it may be sent back.
fn echoed<'r>(slot: &'r Slot, fill: &Fill<'r>) -> Result<Option<Cow<'r, str>>, RespondError> {
    let twice = "a value that is to be sent back stands twice or can't be read";
    let value = slot.read(fill.request, fill.params).map_err(|_| RespondError::Unusable(twice))?;
    match &value {
        Some(value) if value.len() > LONGEST_ECHO => {
            Err(RespondError::Unusable("a value that is to be sent back is longer than 1024 bytes"))
        }
        Some(value) if value.chars().any(char::is_control) => Err(RespondError::Unusable(NOT_PLAIN)),
        _ => Ok(value),
    }
}

//! How a sender authenticates its requests, as data: the `verify` part of a sender document.
//!
//! Every field is optional here because a source overrides single fields of a preset; what a scheme cannot
//! do without is demanded when the [`Verifier`](super::Verifier) is compiled at start.

use schemars::JsonSchema;
use serde::Deserialize;

/// The `verify` part of a sender document.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VerifySpec {
    /// What is computed over the request, or `token` (a shared secret sent as it is), or `none`.
    pub algorithm: Option<Algorithm>,
    /// The header that carries the signature or token; names are case-insensitive.
    pub header: Option<String>,
    /// The top-level member of a JSON body that carries the digest, instead of a header.
    pub member: Option<String>,
    /// Text in front of the signature (`sha256=`, `Bearer `). It must stand there, unless `prefix_optional`.
    pub prefix: Option<String>,
    /// True where the sender may leave the prefix out.
    pub prefix_optional: Option<bool>,
    /// The header is a list of signatures: its separator, as a blank in `v1,abc v1,def`. Each entry that has the
    /// prefix is tried, any match verifies.
    pub separator: Option<String>,
    /// How the signature is written as text.
    pub encoding: Option<Encoding>,
    /// How the secret's text becomes the key's bytes.
    pub key: Option<KeyForm>,
    /// Where the key stands when `algorithm` is a plain digest (`sha256` and the like). Left out, the digest has
    /// no key and proves only that the body is whole. Prefer an HMAC wherever the sender offers one: a digest
    /// with its key in front lets others append to a signed message.
    pub key_position: Option<KeyPosition>,
    /// What is signed: a template of `{body}`, `{header:NAME}` and literal text (`{body}` where it is left out);
    /// or, with `member`, how the body looked before the member was added: `raw_cut` (the default), `compact`,
    /// `compact_php`, `compact_sorted`, `python`; or `json_stringify`, the body as JavaScript would write it
    /// again.
    pub message: Option<String>,
    /// The signed time that keeps old requests from being sent again.
    pub timestamp: Option<TimestampSpec>,
    /// What a body without the `member` is.
    pub missing_hash: Option<MissingHash>,
}

/// What is computed over the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// The secret itself is sent; proves the sender, does not protect the body.
    #[serde(rename = "token")]
    Token,
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// HMAC with SHA-512.
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
    /// HMAC with SHA-1.
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    /// HMAC with MD5.
    #[serde(rename = "hmac-md5")]
    HmacMd5,
    /// A plain SHA-256, with the secret put before or behind the message.
    #[serde(rename = "sha256")]
    Sha256,
    /// A plain SHA-512, likewise.
    #[serde(rename = "sha512")]
    Sha512,
    /// A plain SHA-1, likewise.
    #[serde(rename = "sha1")]
    Sha1,
    /// A plain MD5, likewise.
    #[serde(rename = "md5")]
    Md5,
    /// Nothing is checked; every event is marked so.
    #[serde(rename = "none")]
    None,
}

impl Algorithm {
    /// Every algorithm, as listed to a person who has to choose.
    pub const ALL: [Self; 10] = [
        Self::Token,
        Self::HmacSha256,
        Self::HmacSha512,
        Self::HmacSha1,
        Self::HmacMd5,
        Self::Sha256,
        Self::Sha512,
        Self::Sha1,
        Self::Md5,
        Self::None,
    ];

    /// Returns the name by which the configuration and the metrics know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacMd5 => "hmac-md5",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::None => "none",
        }
    }

    /// True for the HMACs, which cannot do without a secret.
    pub fn is_hmac(self) -> bool {
        matches!(self, Self::HmacSha256 | Self::HmacSha512 | Self::HmacSha1 | Self::HmacMd5)
    }

    /// Returns the length of its digest in bytes; 0 where nothing is computed.
    pub fn digest_bytes(self) -> usize {
        match self {
            Self::HmacSha256 | Self::Sha256 => 32,
            Self::HmacSha512 | Self::Sha512 => 64,
            Self::HmacSha1 | Self::Sha1 => 20,
            Self::HmacMd5 | Self::Md5 => 16,
            Self::Token | Self::None => 0,
        }
    }
}

/// How a signature is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Found from the text's length and alphabet: hex, base64 or base64url.
    Auto,
    /// Hexadecimal, either case.
    Hex,
    /// Base64, padded or not.
    Base64,
    /// Base64 with the URL alphabet, padded or not.
    Base64url,
}

/// How the secret's text becomes the key's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyForm {
    /// The text's own bytes.
    Utf8,
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
    /// Base64, with or without `whsec_` in front, as Standard Webhooks prescribes.
    Whsec,
}

/// Where the key stands in a plain digest's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyPosition {
    /// In front of the message.
    Prefix,
    /// Behind the message.
    Suffix,
}

/// What a body without the digest's member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingHash {
    /// Refused.
    Reject,
    /// Accepted, and marked as unverified.
    AcceptUnverified,
}

/// A signed time and how far it may be from ours.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimestampSpec {
    /// The header that carries it. It must be part of `message`.
    pub header: Option<String>,
    /// How it is written; seconds where it is left out.
    pub unit: Option<TimeUnit>,
    /// How far it may be off in either direction, as `5m` (the default).
    pub tolerance: Option<String>,
}

/// How a signed time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum TimeUnit {
    /// Seconds since 1970.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds since 1970.
    #[serde(rename = "ms")]
    Milliseconds,
    /// RFC 3339 text.
    #[serde(rename = "rfc3339")]
    Rfc3339,
}

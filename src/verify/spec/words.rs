//! The words of a scheme: what is computed, how it is written, how a key is read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes an enum of words, each with its text, so that no word stands in two places.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        pub enum $name { $($(#[$of])* #[serde(rename = $text)] $word,)* }

        impl $name {
            /// All of them, as listed to a person who has to choose.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$word),*];

            /// Returns the word that documents, senders and metrics know it by.
            pub fn name(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }
    };
}

words! {
/// What is computed over the request.
Algorithm {
    /// The secret itself is sent; proves the sender, does not protect the body.
    Token = "token",
    /// A user's name and password are sent (RFC 7617); likewise. A secret is `user:password`.
    Basic = "basic",
    /// HMAC with SHA-256.
    HmacSha256 = "hmac-sha256",
    /// HMAC with SHA-512.
    HmacSha512 = "hmac-sha512",
    /// HMAC with SHA-1.
    HmacSha1 = "hmac-sha1",
    /// HMAC with MD5.
    HmacMd5 = "hmac-md5",
    /// A plain SHA-256, with the secret put before or behind the message.
    Sha256 = "sha256",
    /// A plain SHA-512, likewise.
    Sha512 = "sha512",
    /// A plain SHA-1, likewise.
    Sha1 = "sha1",
    /// A plain MD5, likewise.
    Md5 = "md5",
    /// Ed25519 (RFC 8032); the keys are public ones.
    Ed25519 = "ed25519",
    /// ECDSA with P-256 and SHA-256, signatures in DER; the keys are public ones.
    EcdsaP256 = "ecdsa-p256",
    /// RSA (PKCS#1 v1.5) with the key of a certificate that the request names.
    RsaX509 = "rsa-x509",
    /// A JSON Web Token (RFC 7519).
    Jwt = "jwt",
    /// Nothing is checked; every event is marked so.
    None = "none",
}
}

impl Algorithm {
    /// True for the HMACs, which cannot do without a secret.
    pub fn is_hmac(self) -> bool {
        matches!(self, Self::HmacSha256 | Self::HmacSha512 | Self::HmacSha1 | Self::HmacMd5)
    }

    /// True for the plain digests, which have a key only where `key_position` says so.
    pub fn is_digest(self) -> bool {
        matches!(self, Self::Sha256 | Self::Sha512 | Self::Sha1 | Self::Md5)
    }

    /// True where the source's secrets hold public keys.
    pub fn is_public_key(self) -> bool {
        matches!(self, Self::Ed25519 | Self::EcdsaP256)
    }

    /// True where no message is signed: a secret or token is sent, or nothing is.
    pub fn signs_nothing(self) -> bool {
        matches!(self, Self::Token | Self::Basic | Self::Jwt | Self::None)
    }
}

words! {
/// How a signature is written as text.
Encoding {
    /// Found from the text's length and alphabet: hex, base64 or base64url.
    Auto = "auto",
    /// Hexadecimal, either case.
    Hex = "hex",
    /// Base64, padded or not.
    Base64 = "base64",
    /// Base64 with the URL alphabet, padded or not.
    Base64url = "base64url",
}
}

/// How the secret's text becomes the key's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
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
    /// The SHA-1 digest of the text, as Braintree makes it of a private key.
    Sha1,
    /// A public key: `SubjectPublicKeyInfo` as base64 or PEM.
    Spki,
    /// A public key: base64 with or without `whpk_` in front, as Standard Webhooks prescribes.
    Whpk,
}

/// Where the key stands in a plain digest's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPosition {
    /// In front of the message.
    Prefix,
    /// Behind the message.
    Suffix,
}

/// What a body without the digest's member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingHash {
    /// Refused.
    Reject,
    /// Accepted, and marked as unverified.
    AcceptUnverified,
}

/// How a signed time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
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
    /// A text date, as `Thu, 07 Sep 2017 06:30:04 GMT` (RFC 9110, 5.6.7; without the comma, too).
    #[serde(rename = "http-date")]
    HttpDate,
}

/// What RSA hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RsaHash {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-1, for senders that have nothing better.
    Sha1,
}

words! {
/// What a JSON Web Token is signed with.
JwtAlgorithm {
    /// RSA with SHA-256; the keys come from `jwks`.
    Rs256 = "RS256",
    /// ECDSA with P-256 and SHA-256; the keys come from `jwks`.
    Es256 = "ES256",
    /// HMAC with SHA-256; the keys are the source's secrets.
    Hs256 = "HS256",
}
}

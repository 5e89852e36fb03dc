//! How a sender authenticates its requests, as data: the `verify` part of a sender document.
//!
//! Every field is optional here because a source overrides single fields of a preset; what a scheme cannot
//! do without is demanded when the [`Verifier`](super::Verifier) is compiled at start.

pub(super) mod layers;
mod words;

pub use words::{Algorithm, Encoding, JwtAlgorithm, KeyForm, KeyPosition, MissingHash, RsaHash, TimeUnit};

use crate::request::slot::{Params, Texts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The `verify` part of a sender document.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default)]
pub struct VerifySpec {
    /// What is computed over the request, or `token` (a shared secret sent as it is), or `none`.
    pub algorithm: Option<Algorithm>,
    /// The header that carries the signature or token; names are case-insensitive. Of a list, the first that is
    /// there. A name that ends in `*` stands for all headers with a number in its place.
    pub header: Option<Texts>,
    /// The slot where the signature or token stands, instead of a header: `query:access_token`, `/signature`,
    /// `form:bt_signature`, or several between bars.
    pub from: Option<String>,
    /// The top-level member of a JSON body that carries the digest, instead of a header.
    pub member: Option<String>,
    /// Text in front of the signature (`sha256=`, `Bearer `); may hold `{param:NAME}`. It must stand there, unless
    /// `prefix_optional`. One that ends in a blank names a scheme, and the case of its letters does not matter.
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
    /// Public keys of the sender, beside those among the source's `secrets`.
    pub public_keys: Option<Vec<String>>,
    /// What is signed: a template of slots and literal text (`{body}` where it is left out), with parts that may
    /// be absent in `[...]`; or a form: `twilio`, `sns`, `atlassian_qsh` (of a token); `raw_cut`, the body before the
    /// `member` was added (the default with one); `json_stringify`, the body as JavaScript would write it again.
    pub message: Option<String>,
    /// The address that the sender was given, for `{url}` in `message`: `https://hooks.example.com/hooks/shop`. It
    /// is never made from the request's `Host`.
    pub url: Option<String>,
    /// The signed time that keeps old requests from being sent again.
    pub timestamp: Option<TimestampSpec>,
    /// What a body without the `member` is.
    pub missing_hash: Option<MissingHash>,
    /// Values that slots must have, else the request is refused: an allow-list, never a choice. `{param:NAME}` is filled
    /// in; `[{param:NAME}]` is demanded only where the source states the constant.
    pub require: Option<BTreeMap<String, Texts>>,
    /// A pointer with `*` to elements that are signed one by one: all must verify. Slots `./x` are relative to one.
    pub each: Option<String>,
    /// Alternatives, tried in this order; each is laid over the other fields here.
    pub any_of: Option<Vec<VerifySpec>>,
    /// Where the certificate comes from, for `rsa-x509`.
    pub certificate: Option<CertificateSpec>,
    /// What `rsa-x509` hashes; SHA-256 where it is left out.
    pub hash: Option<RsaHash>,
    /// What a token must say, for `jwt`.
    pub jwt: Option<JwtSpec>,
    /// True where the source signs short tokens for whoever asks (`hmac:` in a handshake's answer): no message of that
    /// form may then count as an event. Whoever reads a document puts it here.
    #[serde(skip)]
    pub signs_tokens: bool,
    /// The source's constants, for `{param:NAME}`. They stand beside `verify` in a document; whoever reads one puts
    /// them here.
    #[serde(skip)]
    pub params: Constants,
}

/// Constants that do not print: some are kept like secrets.
#[derive(Clone, Default)]
pub struct Constants(pub Params);

impl fmt::Debug for Constants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A signed time and how far it may be from ours.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default)]
pub struct TimestampSpec {
    /// The header that carries it. It must be part of `message`.
    pub header: Option<String>,
    /// The slot where it stands, instead of a header: `field:t` (an entry of the signature's list), a pointer.
    pub at: Option<String>,
    /// How it is written; seconds where it is left out.
    pub unit: Option<TimeUnit>,
    /// How far it may be off in either direction, as `5m` (the default). `off`: it is signed, but neither read nor
    /// judged, so that a request can be sent again for ever.
    pub tolerance: Option<String>,
    /// Who says that a window as short is right, though the sender tries again for longer: a page. Without it the window
    /// should outlast the retries, which may come with the first time.
    pub prescribed: Option<String>,
    /// True where the sender may leave it out.
    pub optional: Option<bool>,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default)]
pub struct CertificateSpec {
    /// The slot with the certificate's address.
    pub at: Option<String>,
    /// The hosts that the address may have; `*` and `?` stand for letters of one label.
    pub hosts: Option<Vec<String>>,
    /// What the address's path looks like, as `/*.pem`; any where it is left out.
    pub path: Option<String>,
    /// True where a fetched certificate must chain to one of the system's roots.
    pub chain: Option<bool>,
    /// Certificates as PEM files, instead of fetching any; taken as they are, expired ones too.
    pub files: Option<Vec<String>>,
}

/// What a token must say.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default)]
pub struct JwtSpec {
    /// What it may be signed with.
    pub algorithms: Option<Vec<JwtAlgorithm>>,
    /// The sender's keys: an `https` address, or a file.
    pub jwks: Option<String>,
    /// Who issued it: one of these. `{param:NAME}` is filled in, here and below.
    pub issuer: Option<Texts>,
    /// Whom it is for: one of these.
    pub audience: Option<Texts>,
    /// Whom it is about: one of these.
    pub subject: Option<Texts>,
    /// Further claims and their values.
    pub claims: Option<BTreeMap<String, ClaimValue>>,
    /// The claim with the hex SHA-256 of the body; without it the body is not protected.
    pub body_hash: Option<String>,
    /// How far `iat` may be off, as `5m`; demanded where tokens have no `exp`. Left out, or `off`, beside `body_hash`:
    /// tokens may say nothing of when, so that a request can be sent again for ever.
    pub max_age: Option<String>,
}

/// A claim's value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(untagged)]
pub enum ClaimValue {
    /// `true` or `false`.
    Truth(bool),
    /// Text.
    Text(String),
}

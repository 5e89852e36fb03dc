//! The form of a sender document, as it is written in YAML.

use crate::{normalize::EventSpec, respond::RespondSpec, verify::VerifySpec};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// All that Hookway knows of one sender. Every field is optional, since a source overrides single ones.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SenderSpec {
    /// The sender's name, as it stands in the envelope's `source`.
    pub sender: Option<String>,
    /// One line about it, for `hookway senders`.
    pub about: Option<String>,
    /// Constants that slots name as `param:NAME`, as the token that Meta asks back: text, or a reference (`env:NAME`,
    /// `file:PATH`).
    pub params: Option<BTreeMap<String, String>>,
    /// How requests are authenticated.
    pub verify: Option<VerifySpec>,
    /// Handshakes: requests that are answered and never published.
    pub respond: Option<Vec<RespondSpec>>,
    /// How every secret of this sender begins, as `whsec_`: `check` warns of one that does not.
    pub secret_prefix: Option<String>,
    /// How events are found in a request.
    pub event: Option<EventSpec>,
    /// How repeats are recognised.
    pub dedup: Option<DedupSpec>,
    /// What the sender wants to hear.
    pub reply: Option<ReplySpec>,
    /// How long an answer may take from the request's first byte, as `4s`.
    #[schemars(extend("format" = "duration-with-unit"))]
    pub deadline: Option<String>,
    /// The largest body taken, as `512KiB`.
    #[schemars(extend("format" = "size"))]
    pub max_body: Option<String>,
    /// How many requests of this source are handled at once.
    pub max_in_flight: Option<u32>,
    /// The sender's pauses between attempts; `hookway trigger --retry` keeps to them.
    pub retries: Option<RetrySpec>,
    /// Realistic requests, for `hookway trigger`.
    pub samples: Option<Vec<SampleSpec>>,
    /// Other names of this preset, each with the fields in which it differs; `{}` is a plain alias. Only for presets.
    pub variants: Option<BTreeMap<String, SenderSpec>>,
}

impl SenderSpec {
    /// True where the document states that an id names one event, whatever its bytes are.
    pub fn ids_are_unique(&self) -> bool {
        self.dedup.as_ref().is_some_and(|dedup| dedup.unique.is_some())
    }
}

/// How repeats are recognised.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DedupSpec {
    /// How long an acknowledged id is remembered, as `1h`; `0s` switches it off.
    #[schemars(extend("format" = "duration-with-unit"))]
    pub window: Option<String>,
    /// How many ids are remembered at most.
    pub entries: Option<u32>,
    /// Who says that no two events have one id and that retries may differ in their bytes: a page, or your contact. The
    /// id alone then tells a repeat; without it, an id with other bytes is another event.
    pub unique: Option<String>,
}

/// What the sender wants to hear.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReplySpec {
    /// Status of an event that every sink acknowledged: 200 to 299.
    pub success: Option<u16>,
    /// Status of an event that stands in the spool: 200 to 299.
    pub spooled: Option<u16>,
    /// Body of a success; empty where it is left out.
    pub body: Option<String>,
    /// False where the sender takes no refusal with a body. Left out, a refusal names its code.
    pub problems: Option<bool>,
}

/// How a sender tries again.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RetrySpec {
    /// The pauses between attempts, as `5s`.
    pub after: Option<Vec<String>>,
}

/// One realistic request, or a family of them that differ only by name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SampleSpec {
    /// The names it can be triggered by; `$name` in headers and body becomes the one that was asked for.
    pub names: Vec<String>,
    /// Headers besides `content-type` and the signature.
    pub headers: BTreeMap<String, String>,
    /// The body; `$uuid`, `$now`, `$unix`, `$ms` and `$n` become a fresh id, the time (RFC 3339, seconds,
    /// milliseconds) and a number.
    pub body: String,
}

//! Senders are data: one YAML document per sender says how it signs, names its events, finds their key and
//! id, and how patient it is. The documents beside this file are embedded in the binary; a source pulls one in
//! by `preset: NAME` and may override any field, and a custom sender is the same document written by the user.

use crate::{normalize::EventSpec, verify::VerifySpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The embedded documents, by name.
const PRESETS: [(&str, &str); 8] = [
    ("likemagic", include_str!("senders/likemagic.yaml")),
    ("propexo", include_str!("senders/propexo.yaml")),
    ("syncaroo", include_str!("senders/syncaroo.yaml")),
    ("standard-webhooks", include_str!("senders/standard-webhooks.yaml")),
    ("github", include_str!("senders/github.yaml")),
    ("hmac", include_str!("senders/hmac.yaml")),
    ("token", include_str!("senders/token.yaml")),
    ("none", include_str!("senders/none.yaml")),
];

/// Returns the names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// Returns the YAML text of a preset.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Lays a document over another: maps are joined key by key, anything else replaces what stood there.
pub fn overlay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                overlay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// All that Hookway knows of one sender. Every field is optional, since a source overrides single ones.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SenderSpec {
    /// The sender's name, as it stands in the envelope's `source`.
    pub sender: Option<String>,
    /// How requests are authenticated.
    pub verify: Option<VerifySpec>,
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
    pub headers: std::collections::BTreeMap<String, String>,
    /// The body; `$uuid`, `$now`, `$unix` and `$n` become a fresh id, the time (RFC 3339, seconds) and a number.
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_are_joined_and_lists_are_replaced() {
        let mut base =
            json!({ "verify": { "header": "x-a", "encoding": "hex" }, "retries": { "after": ["1s", "2s"] } });
        overlay(
            &mut base,
            json!({ "verify": { "header": "x-b" }, "retries": { "after": ["5s"] }, "deadline": "1s" }),
        );
        let joined = json!({
            "verify": { "header": "x-b", "encoding": "hex" }, "retries": { "after": ["5s"] }, "deadline": "1s",
        });
        assert_eq!(base, joined);
    }

    #[test]
    fn every_name_has_its_document() {
        for name in names() {
            assert!(preset(name).is_some_and(|text| !text.trim().is_empty()), "{name}");
        }
        assert_eq!(preset("nobody"), None);
    }
}

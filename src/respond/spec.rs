//! How a sender shakes hands, as data: the `respond` part of a sender document.
//!
//! A *slot* names a value of the request: `header:NAME`, `query:NAME`, `form:NAME`, a JSON pointer into the body,
//! `param:NAME` (a configured constant) or `'text'`. A reply's texts are templates with slots in braces, where also
//! `{hmac:sha256:hex:SLOT}` stands: the HMAC of that value with the source's first secret.

use crate::request::slot::Texts;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One handshake: which requests it takes, and how they are answered.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RespondSpec {
    /// Its name in log and metrics, as `crc`.
    pub name: String,
    /// Which requests it takes; all that is named here must hold.
    pub when: WhenSpec,
    /// True where the request's signature is checked first.
    pub verified: bool,
    /// The answer; status 200 and no body where it is left out.
    pub reply: HandshakeReply,
    /// Slot of a secret that the sender hands over. It is stored where the source says `capture`, and only while the
    /// source has no secret.
    pub capture: Option<String>,
    /// The address that has to be fetched to agree, where the source says `confirm: true`.
    pub confirm: Option<ConfirmSpec>,
}

impl RespondSpec {
    /// True where the answer holds an HMAC by the source's secret.
    pub fn signs(&self) -> bool {
        let json = self.reply.json.as_ref().map(ToString::to_string);
        let texts = self.reply.text.iter().chain(&json).chain(self.reply.headers.values());
        texts.into_iter().any(|text| text.contains("hmac:"))
    }
}

/// Which requests a handshake takes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WhenSpec {
    /// The request's method; POST where it is left out.
    pub method: Option<HandshakeMethod>,
    /// Slots that must have a value.
    pub has: Vec<String>,
    /// Slots and the text, or one of the texts, that must stand there; `{param:NAME}` stands for a configured text.
    pub is: BTreeMap<String, Texts>,
    /// Slots and the form that their value must have.
    pub matches: BTreeMap<String, ValueForm>,
}

/// A method that handshakes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HandshakeMethod {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
    /// POST.
    Post,
}

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValueForm {
    /// 1 to 64 hexadecimal digits.
    Hex,
    /// 1 to 128 letters, digits and `-_=+/.`.
    Token,
}

/// How a handshake is answered.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HandshakeReply {
    /// The status, 200 to 299; 200 where it is left out.
    pub status: Option<u16>,
    /// Template of a plain text.
    pub text: Option<String>,
    /// A JSON text; every string in it is a template.
    pub json: Option<Value>,
    /// Templates of headers, by name.
    pub headers: BTreeMap<String, String>,
}

/// An address that has to be fetched.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConfirmSpec {
    /// Slot of the address. Only `https`, without port and user.
    pub at: String,
    /// Patterns of the hosts that may be asked; `*` stands for any text without a dot.
    pub hosts: Vec<String>,
}

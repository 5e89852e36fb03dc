//! How a sender describes its events, as data: the `event` part of a sender document.
//!
//! Most fields are *templates*. A template is literal text with slots in braces:
//!
//! | slot | value |
//! |---|---|
//! | `/data/id` | a scalar of the body, by JSON pointer (RFC 6901); `null` and an empty text count as absent |
//! | `./id` | one below the root of the body's shape; of a divided body, below the element's |
//! | `../id` | of a divided body: one in the value that the element was taken from |
//! | `header:NAME`, `query:NAME`, `form:NAME`, `form:NAME/pointer`, `path:N`, `param:NAME`, `'text'` | see [`Slot`] |
//! | `sha256`, `sha256:32` | the hex digest of the event's bytes, or its first digits |
//! | `index` | the number of the element, from 0 |
//! | `uuid` | a fresh id |
//!
//! Alternatives stand between bars, first present one wins: `{/objectType|/object}`. Text in square brackets is left
//! out when a slot in it is absent: `push[.{/action}]`. A template that begins as a pointer or with `header:`,
//! `query:`, `form:` or `param:` is one slot and needs no braces.
//!
//! [`Slot`]: crate::request::slot::Slot

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The `event` part of a sender document.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EventSpec {
    /// What the body must be. What is not goes to the quarantine.
    pub format: Option<Format>,
    /// The preset for bodies of another format, which the quarantine then names.
    pub instead: Option<String>,
    /// Where a body that holds several events has them: a pointer with `*` for every element of an array, as
    /// `/value/*` or `/entry/*/changes/*`; or `lines`, one JSON text per line. Alternatives stand between bars.
    pub each: Option<String>,
    /// Pointers to lists within an element (without `each`: the body), as `/value/messages`. Each item is an event of its
    /// own: the element without the other items of these lists.
    pub one_of: Option<Vec<String>>,
    /// What a body whose list of events is empty is: `quarantine`, unless it is said to be a sign of life.
    pub empty: Option<Empty>,
    /// The forms a body comes in; the first that fits gives the root of `./` pointers. None fits: quarantine.
    pub shapes: Option<Vec<Shape>>,
    /// Put in front of `type`, with a dot.
    pub type_prefix: Option<String>,
    /// Template of the event's own name.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Template of the sender's account, appended to the envelope's `source`.
    pub account: Option<String>,
    /// Template of the event's time: RFC 3339 and its like, a date of e-mail or HTTP, or a number since 1970.
    pub time: Option<String>,
    /// What every rule takes unless it says otherwise.
    #[serde(flatten)]
    pub defaults: RuleSpec,
    /// How single kinds of event find their object; the first rule that fits and finds all it names is taken.
    pub rules: Option<Vec<RuleSpec>>,
    /// Values that events must have to be published; what has another goes to the quarantine.
    pub allow: Option<BTreeMap<String, AllowSpec>>,
}

/// What a body must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON text.
    Json,
    /// Fields as an HTML form sends them.
    Form,
    /// Events that are `CloudEvents` already, in any of the three modes of HTTP: they keep their own attributes,
    /// and nothing else of `event` is used.
    Cloudevents,
    /// Anything; JSON stands in the envelope's `data`, all else in `data_base64`.
    Any,
}

/// What a body without any event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Empty {
    /// Put aside as `unrecognized`.
    Quarantine,
    /// A sign of life: answered as a success, and nothing is published.
    Ignore,
}

/// One form that a sender's bodies come in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Shape {
    /// Pointer to the root of `./` pointers; the body itself where it is left out.
    pub root: Option<String>,
    /// Slot (without braces) that must hold a value for the shape to fit; may be a `./` pointer.
    pub has: Option<String>,
    /// Template of the event's name, where bodies of this shape hold it elsewhere than `type` says, or not at all.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// How one kind of event finds its object, key and id.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleSpec {
    /// The names (`type` without prefix) that the rule is for, or their beginnings, as `contact.*`; every name where it
    /// is left out.
    pub when: Option<Vec<String>>,
    /// Slot (without braces) that must hold a value for the rule to fit, as what tells a pull request from an issue.
    pub has: Option<String>,
    /// Template of the object's type.
    pub object: Option<String>,
    /// Template of the object's id; with `object` it makes the envelope's `subject`.
    pub object_id: Option<String>,
    /// Template of the key; `<object>:<object_id>` where it is left out.
    pub key: Option<String>,
    /// Template of the event's id. Where it is left out, nothing tells a retry from a new event: each gets a fresh id.
    /// `sha256:{sha256}` says that equal bytes are the same event.
    pub id: Option<String>,
}

/// The values that one place of an event may have.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AllowSpec {
    /// Slot (without braces) of the value.
    pub at: Option<String>,
    /// `value`: as it is; `host`: the host of the URL.
    #[serde(rename = "as")]
    pub part: Option<AllowPart>,
    /// The values allowed; every value where it is left out.
    pub values: Option<Vec<Scalar>>,
    /// True where an event without the value is refused too.
    pub required: Option<bool>,
}

/// What of a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AllowPart {
    /// All of it.
    Value,
    /// The host of the URL that it is.
    Host,
}

/// A value as it stands in a configuration, kept as text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A truth value.
    Truth(bool),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Truth(truth) => write!(f, "{truth}"),
        }
    }
}

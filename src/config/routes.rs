//! The `routes` part of the configuration: which events go where.

use super::keypath::KeyPath;
use schemars::JsonSchema;
use serde::Deserialize;

/// One line of the routing table.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RouteConfig {
    /// Which events; an empty match takes all.
    #[serde(rename = "match")]
    pub matches: MatchConfig,
    /// Where they go: a target, a list of targets, or `drop`.
    pub to: ToConfig,
}

/// Which events a route takes; all given patterns must match, `*` stands for any text.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MatchConfig {
    /// Pattern of the configured source's name.
    pub source: Option<String>,
    /// Pattern of the event's type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Pattern of the object's type.
    pub object: Option<String>,
}

/// Where a route leads: a target, a list of targets (a 2xx waits for all), or `drop`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ToConfig {
    /// Nowhere.
    Drop(Drop),
    /// Several targets.
    Many(#[schemars(length(min = 1))] Vec<TargetConfig>),
    /// One target.
    One(TargetConfig),
}

/// The word for nowhere.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Drop {
    /// Counted and dropped.
    Drop,
}

impl Default for ToConfig {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl ToConfig {
    /// Returns the targets; none for `drop`.
    pub fn targets(&self) -> &[TargetConfig] {
        match self {
            Self::Drop(_) => &[],
            Self::One(target) => std::slice::from_ref(target),
            Self::Many(targets) => targets,
        }
    }

    /// Returns the targets with their places, where `at` is that of all.
    pub(super) fn placed(&self, at: KeyPath) -> impl Iterator<Item = (KeyPath, &TargetConfig)> {
        let is_list = matches!(self, Self::Many(_));
        let place = move |n| if is_list { at.index(n) } else { at.clone() };
        self.targets().iter().enumerate().map(move |(n, target)| (place(n), target))
    }
}

/// One destination.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TargetConfig {
    /// The sink's name.
    pub sink: String,
    /// The Kafka topic; may be a template of `{source}`, `{object}`, `{key}`, `{type}`.
    pub topic: Option<String>,
    /// The NATS subject; may be a template of the same, each rendered as one token.
    pub subject: Option<String>,
}

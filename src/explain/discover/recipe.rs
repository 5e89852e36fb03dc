//! A scheme that fits, as the lines of a sender document.

use crate::{
    explain::{secret, time, writing},
    request::slot::Texts,
    verify::{KeyPosition, VerifySpec},
};

/// A scheme that verifies a request.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The scheme, to be used as it is.
    pub spec: VerifySpec,
}

impl Recipe {
    pub(super) fn new(spec: VerifySpec) -> Self {
        Self { spec }
    }

    /// True where another scheme has its signature in the same header or member.
    pub(super) fn stands_with(&self, other: &VerifySpec) -> bool {
        self.spec.header == other.header && self.spec.from == other.from && self.spec.member == other.member
    }

    /// Returns the lines below `verify:`, as names and values in YAML.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let spec = &self.spec;
        let quoted = |text: &String| serde_json::to_string(text).unwrap_or_default();
        let timestamp = spec.timestamp.as_ref().and_then(|timestamp| {
            let unit = timestamp.unit.map_or("s", time::word);
            let place = timestamp.header.as_ref().map(|name| format!("header: {name}"));
            let place = place.or_else(|| Some(format!("at: {}", timestamp.at.as_ref()?)))?;
            Some(format!("{{ {place}, unit: {unit} }}"))
        });
        let lines = [
            ("algorithm", spec.algorithm.map(|algorithm| algorithm.name().to_owned())),
            ("header", spec.header.as_ref().and_then(|names| Texts::iter(names).next()).map(str::to_owned)),
            ("from", spec.from.clone()),
            ("member", spec.member.as_ref().map(quoted)),
            ("separator", spec.separator.as_ref().map(quoted)),
            ("prefix", spec.prefix.as_ref().map(quoted)),
            ("encoding", spec.encoding.map(|encoding| writing::name(encoding).to_owned())),
            ("key", spec.key.map(|form| secret::described(form).0.to_owned())),
            ("key_position", spec.key_position.map(|position| key_position(position).to_owned())),
            ("message", spec.message.as_ref().map(quoted)),
            ("url", spec.url.clone()),
            ("timestamp", timestamp),
        ];
        lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Returns the lines as a block of YAML.
    pub fn yaml(&self) -> String {
        let lines = self.lines().into_iter().map(|(name, value)| format!("  {name}: {value}\n"));
        format!("verify:\n{}", lines.collect::<String>())
    }

    /// Returns the lines as YAML on one line.
    pub(in crate::explain) fn flow(&self) -> String {
        let lines = self.lines().into_iter().map(|(name, value)| format!("{name}: {value}"));
        format!("{{ {} }}", lines.collect::<Vec<_>>().join(", "))
    }

    /// Returns the scheme in a few words.
    pub(in crate::explain) fn summary(&self) -> String {
        let algorithm = self.spec.algorithm.map_or("none", |algorithm| algorithm.name());
        match &self.spec.message {
            Some(message) => {
                let form = self.spec.key.map_or("utf8", |form| secret::described(form).0);
                format!("{algorithm} over `{message}`, key {form}")
            }
            None => algorithm.to_owned(),
        }
    }
}

fn key_position(position: KeyPosition) -> &'static str {
    match position {
        KeyPosition::Prefix => "prefix",
        KeyPosition::Suffix => "suffix",
    }
}

//! A scheme that fits, as the lines of a sender document.

use crate::{
    explain::stated::{stated, tree},
    verify::{KeyForm, VerifySpec},
};
use serde_json::{Map, Value};

/// A scheme that verifies a request.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The scheme, to be used as it is.
    pub spec: VerifySpec,
}

impl Recipe {
    /// True where another scheme has its signature in the same header or member.
    pub(super) fn stands_with(&self, other: &VerifySpec) -> bool {
        self.spec.header == other.header && self.spec.from == other.from && self.spec.member == other.member
    }

    /// Returns the members below `verify:`.
    pub fn verify(&self) -> Map<String, Value> {
        if let Value::Object(members) = tree(&self.spec) { members } else { Map::new() }
    }

    /// Returns them as a block of YAML.
    pub fn yaml(&self) -> String {
        let lines = self.verify().into_iter().map(|(name, value)| format!("  {name}: {}\n", stated(value)));
        format!("verify:\n{}", lines.collect::<String>())
    }

    /// Returns the scheme in a few words.
    pub(in crate::explain) fn summary(&self) -> String {
        let algorithm = self.spec.algorithm.map_or("none", |algorithm| algorithm.name());
        let form = stated(self.spec.key.unwrap_or(KeyForm::Utf8));
        self.spec.message.as_ref().map_or_else(
            || algorithm.to_owned(),
            |message| format!("{algorithm} over `{message}`, key {form}"),
        )
    }
}

//! One preset in short: a line of the table, an object of the JSON.

use crate::{
    cli::exit::{Exit, Stop},
    normalize::{EventSpec, Format, RuleSpec},
    senders::{self, SenderSpec},
    verify::Algorithm,
};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Row {
    name: &'static str,
    pub(super) variants: Vec<&'static str>,
    /// How it signs; `None` where the operator must say.
    scheme: Option<&'static str>,
    /// What its events are keyed by, as templates.
    keys: Vec<String>,
    handshakes: Vec<String>,
    about: Option<String>,
}

/// The longest key that the table shows whole, in characters.
const KEY_WIDTH: usize = 36;

impl Row {
    pub(super) fn of(name: &'static str) -> Result<Self, Stop> {
        let spec = senders::preset(name).and_then(|text| serde_saphyr::from_str::<SenderSpec>(text).ok());
        let spec = spec.ok_or_else(|| Stop::new(Exit::Bug, format!("the preset {name} can't be read")))?;
        let handshakes = spec.respond.unwrap_or_default();
        Ok(Self {
            name,
            variants: senders::variants(name).collect(),
            scheme: spec.verify.unwrap_or_default().algorithm.map(Algorithm::name),
            keys: keys(&spec.event.unwrap_or_default()),
            handshakes: handshakes.into_iter().map(|handshake| handshake.name).collect(),
            about: spec.about,
        })
    }

    pub(super) fn cells(&self) -> [String; 5] {
        let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        let more = if self.keys.len() > 1 { " …" } else { "" };
        let key = self.keys.first().map(|key| format!("{}{more}", shortened(key))).unwrap_or_default();
        [
            self.name.to_owned(),
            self.scheme.unwrap_or("yours to say").to_owned(),
            or_none(key),
            or_none(self.handshakes.join(", ")),
            self.about.clone().unwrap_or_default(),
        ]
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= KEY_WIDTH {
        return text.to_owned();
    }
    let kept: String = text.chars().take(KEY_WIDTH - 1).collect();
    format!("{kept}…")
}

/// Returns the templates of the key by rule, each once.
fn keys(event: &EventSpec) -> Vec<String> {
    if event.format == Some(Format::Cloudevents) {
        return vec!["its own partitionkey or subject".to_owned()];
    }
    let rules = event.rules.as_deref().unwrap_or(std::slice::from_ref(&event.defaults));
    let mut keys = Vec::new();
    for key in rules.iter().filter_map(|rule| key(rule, &event.defaults)) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Returns the template of a rule's key: the one that is stated, else the object's type and id.
fn key(rule: &RuleSpec, defaults: &RuleSpec) -> Option<String> {
    let field = |of: fn(&RuleSpec) -> &Option<String>| of(rule).as_ref().or(of(defaults).as_ref());
    if let Some(key) = field(|rule| &rule.key) {
        return Some(key.clone());
    }
    let (object, id) = (field(|rule| &rule.object)?, field(|rule| &rule.object_id)?);
    Some(format!("{}:{}", braced(object), braced(id)))
}

/// Returns a template of one slot in the braces that it may be written without.
fn braced(template: &str) -> String {
    const STARTS: [&str; 7] = ["/", "./", "../", "header:", "query:", "form:", "param:"];
    let is_slot = STARTS.iter().any(|start| template.starts_with(start));
    if is_slot { format!("{{{template}}}") } else { template.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: serde_json::Value) -> EventSpec {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_key_is_the_stated_one_or_object_and_id() {
        let stated =
            event(serde_json::json!({ "object": "order", "object_id": "/id", "key": "{/shop}:{/id}" }));
        assert_eq!(keys(&stated), ["{/shop}:{/id}"]);
        let joined = event(serde_json::json!({ "object": "order", "object_id": "/id" }));
        assert_eq!(keys(&joined), ["order:{/id}"]);
        assert!(keys(&event(serde_json::json!({ "object": "order" }))).is_empty());
    }

    #[test]
    fn rules_lie_over_the_defaults_and_equal_keys_are_told_once() {
        let rules = event(serde_json::json!({
            "object_id": "/id",
            "rules": [{ "object": "a" }, { "object": "b" }, { "when": ["x"], "object": "a" }, {}],
        }));
        assert_eq!(keys(&rules), ["a:{/id}", "b:{/id}"]);
    }

    #[test]
    fn every_preset_has_a_row() {
        for name in senders::names() {
            let row = Row::of(name).unwrap();
            assert_eq!(row.cells()[0], name);
        }
    }
}

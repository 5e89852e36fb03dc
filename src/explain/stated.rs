//! Values as a sender document states them, in YAML on one line.

use serde::Serialize;
use serde_json::Value;

/// Returns a value as YAML, which may stand within braces. What is left out of it is not stated.
pub(super) fn stated(value: impl Serialize) -> String {
    written(&tree(value))
}

/// Returns a value as a tree, without what is left out of it.
pub(super) fn tree(value: impl Serialize) -> Value {
    let mut tree = serde_json::to_value(value).unwrap_or_default();
    if let Value::Object(members) = &mut tree {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(|member| *member = self::tree(&*member));
    }
    tree
}

fn written(value: &Value) -> String {
    if let Value::Object(members) = value {
        let members = members.iter().map(|(name, member)| format!("{name}: {}", written(member)));
        return format!("{{ {} }}", members.collect::<Vec<_>>().join(", "));
    }
    let plain = value.as_str().filter(|text| is_plain(text));
    // JSON is YAML, too.
    plain.map_or_else(|| value.to_string(), str::to_owned)
}

/// True for text that needs no quotes wherever it stands.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && serde_saphyr::from_str::<Value>(text).is_ok_and(|read| read == text)
}

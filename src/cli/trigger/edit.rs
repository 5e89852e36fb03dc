//! `--set /pointer=value`: replaces one value of a JSON text. All other members keep their bytes and their order,
//! because some senders sign what a tree written anew would not give back.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// The steps of a JSON pointer (RFC 6901), unescaped.
    steps: Vec<String>,
    /// A JSON text.
    value: String,
}

impl Edit {
    /// Reads `/pointer=value`; a value that is not JSON is taken as a string.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected /pointer=value, as /objectId=ROOM-7";
        let (pointer, value) = text.split_once('=').ok_or(expected)?;
        let steps = pointer.strip_prefix('/').ok_or(expected)?;
        let steps = steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let is_json = serde_json::from_str::<&RawValue>(value).is_ok();
        let value = if is_json { value.to_owned() } else { serde_json::Value::from(value).to_string() };
        Ok(Self { steps, value })
    }

    /// Returns `json` with the value replaced, or added where its object has no such member.
    pub(super) fn apply(&self, json: &str) -> Result<String, String> {
        replace(json, &self.steps, &self.value)
    }
}

/// Returns a JSON object with one more member at its end.
pub(super) fn append(json: &str, name: &str, value: &str) -> Result<String, String> {
    replace(json, &[name.to_owned()], value)
}

fn replace(json: &str, steps: &[String], value: &str) -> Result<String, String> {
    let Some((step, rest)) = steps.split_first() else { return Ok(value.to_owned()) };
    let node: Node<'_> = serde_json::from_str(json).map_err(|_| {
        if json.trim_start().starts_with(['{', '[']) {
            "the body is not JSON".to_owned()
        } else {
            format!("there is nothing below a plain value: {step:?}")
        }
    })?;
    match node {
        Node::Object(members) => replace_member(&members, step, rest, value),
        Node::Array(items) => replace_item(&items, step, rest, value),
    }
}

fn replace_member(
    members: &[(String, &RawValue)],
    step: &str,
    rest: &[String],
    value: &str,
) -> Result<String, String> {
    let mut written = Vec::with_capacity(members.len() + 1);
    let mut found = false;
    for (name, member) in members {
        let new = if name == step { Some(replace(member.get(), rest, value)?) } else { None };
        found |= new.is_some();
        written.push(format!(
            "{}:{}",
            serde_json::Value::from(name.as_str()),
            new.as_deref().unwrap_or(member.get())
        ));
    }
    if !found {
        let new = replace("{}", rest, value)?;
        written.push(format!("{}:{new}", serde_json::Value::from(step)));
    }
    Ok(format!("{{{}}}", written.join(",")))
}

fn replace_item(items: &[&RawValue], step: &str, rest: &[String], value: &str) -> Result<String, String> {
    let place = step.parse().ok().filter(|place: &usize| *place < items.len());
    let place = place.ok_or_else(|| format!("the list has {} items, and no item {step:?}", items.len()))?;
    let mut written = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        written.push(if index == place { replace(item.get(), rest, value)? } else { item.get().to_owned() });
    }
    Ok(format!("[{}]", written.join(",")))
}

/// One level of a JSON text; what is below keeps its bytes.
enum Node<'a> {
    Object(Vec<(String, &'a RawValue)>),
    Array(Vec<&'a RawValue>),
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str, edit: &str) -> Result<String, String> {
        Edit::parse(edit).unwrap().apply(json)
    }

    #[test]
    fn only_the_named_value_changes() {
        let json = r#"{"z": 1.0, "a":{"u":"https:\/\/x", "l":[1, {"k":null}]}}"#;
        assert_eq!(set(json, "/a/l/1/k=7").unwrap(), r#"{"z":1.0,"a":{"u":"https:\/\/x","l":[1,{"k":7}]}}"#);
        assert_eq!(
            set(json, "/z=ROOM-7").unwrap(),
            r#"{"z":"ROOM-7","a":{"u":"https:\/\/x", "l":[1, {"k":null}]}}"#
        );
    }

    #[test]
    fn a_member_that_is_not_there_is_added_with_what_leads_to_it() {
        assert_eq!(set(r#"{"a":1}"#, "/b/c=true").unwrap(), r#"{"a":1,"b":{"c":true}}"#);
        assert_eq!(append("{}", "x", "1").unwrap(), r#"{"x":1}"#);
    }

    #[test]
    fn pointers_are_unescaped() {
        assert_eq!(set(r#"{"a/b":{"~":1}}"#, "/a~1b/~0=2").unwrap(), r#"{"a/b":{"~":2}}"#);
    }

    #[test]
    fn what_cannot_be_replaced_is_refused() {
        assert!(set("[1]", "/1=2").is_err());
        assert!(set("[1]", "/-=2").is_err());
        assert!(set(r#"{"a":1}"#, "/a/b=2").is_err());
        assert!(set("not json", "/a=1").is_err());
        assert!(Edit::parse("a=1").is_err());
        assert!(Edit::parse("/a").is_err());
    }
}

//! `--set /pointer=value`: replaces one value of a JSON text and leaves every other byte where it is, because some
//! senders sign what a tree written anew would not give back.

use crate::config::nearest::{nearest, one_of};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, ops::Range};

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

    /// Returns `json` with the value replaced, or says what there is instead.
    pub(super) fn apply(&self, json: &str) -> Result<String, String> {
        let place = find(json, &self.steps)?;
        let mut edited = json.to_owned();
        edited.replace_range(place, &self.value);
        Ok(edited)
    }
}

/// Returns where the value stands that the steps lead to.
fn find(json: &str, steps: &[String]) -> Result<Range<usize>, String> {
    let mut value: &RawValue = serde_json::from_str(json).map_err(|_| "the body is not JSON")?;
    for step in steps {
        value = child(value.get(), step)?;
    }
    // Borrowed from `json`, the value stands where its address says.
    let start = value.get().as_ptr().addr().saturating_sub(json.as_ptr().addr());
    Ok(start..start + value.get().len())
}

fn child<'a>(json: &'a str, step: &str) -> Result<&'a RawValue, String> {
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        return members.get(step).copied().ok_or_else(|| {
            let names = || members.keys().map(String::as_str);
            let near = nearest(step, names()).map(|near| format!("did you mean {near:?}?"));
            let near = near.unwrap_or_else(|| format!("there is {}", one_of(names())));
            format!("the body has no member {step:?} here: {near}")
        });
    }
    let items: Vec<&RawValue> =
        serde_json::from_str(json).map_err(|_| format!("there is nothing below a plain value: {step:?}"))?;
    // RFC 6901 knows one writing of each number.
    let place = step.parse().ok().filter(|place: &usize| place.to_string() == step);
    let item = place.and_then(|place| items.get(place).copied());
    item.ok_or_else(|| format!("the list has {} items, and no item {step:?}", items.len()))
}

/// Returns a JSON object with one more member at its end; `None` for what is no object.
pub(super) fn append(json: &str, name: &str, value: &str) -> Option<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
    let open = json.trim_end().strip_suffix('}')?;
    let comma = if members.is_empty() { "" } else { "," };
    Some(format!("{open}{comma}{}:{value}}}", serde_json::Value::from(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn values() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from)
        ];
        scalar.prop_recursive(4, 24, 4, |inner| {
            let name = prop_oneof![
                Just("a".to_owned()),
                Just("b/c".to_owned()),
                Just("d~1".to_owned()),
                "[0-2]",
                ".{0,2}"
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Returns the pointers of all values below the root.
    fn pointers(value: &Value, at: &str) -> Vec<String> {
        let below: Vec<(String, &Value)> = match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(place, item)| (place.to_string(), item)).collect()
            }
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        let each = |(step, value): (String, &Value)| {
            let own = format!("{at}/{step}");
            let mut all = pointers(value, &own);
            all.push(own);
            all
        };
        below.into_iter().flat_map(each).collect()
    }

    proptest! {
        #[test]
        fn what_a_tree_reads_at_a_pointer_is_what_is_replaced(document in values(), at: prop::sample::Index, pretty: bool) {
            // `=` ends a pointer, so that no name with one can be reached.
            let all: Vec<String> = pointers(&document, "").into_iter().filter(|pointer| !pointer.contains('=')).collect();
            prop_assume!(!all.is_empty());
            let pointer = at.get(&all);
            let text = if pretty { format!("{document:#}") } else { document.to_string() };
            let edited = set(&text, &format!("{pointer}={}", json!({ "new": 1 }))).unwrap();
            let mut expected = document.clone();
            *expected.pointer_mut(pointer).unwrap() = json!({ "new": 1 });
            prop_assert_eq!(serde_json::from_str::<Value>(&edited).unwrap(), expected);
            let (before, behind) = edited.split_once(r#"{"new":1}"#).unwrap();
            prop_assert!(text.starts_with(before) && text.ends_with(behind), "all other bytes are where they were");
        }

        #[test]
        fn what_no_tree_holds_at_a_pointer_is_not_replaced(
            document in values(), steps in prop::collection::vec(prop::sample::select(vec!["a", "0", "1", "01", "+1", "-", "~1", "é"]), 1..4),
        ) {
            let pointer = format!("/{}", steps.join("/"));
            let edited = set(&document.to_string(), &format!("{pointer}=1"));
            prop_assert_eq!(edited.is_ok(), document.pointer(&pointer).is_some(), "{} at {}: {:?}", document, pointer, edited);
        }
    }

    fn set(json: &str, edit: &str) -> Result<String, String> {
        Edit::parse(edit).unwrap().apply(json)
    }

    #[test]
    fn only_the_named_value_changes() {
        let json = r#"{"z": 1.0, "a":{"u":"https:\/\/x", "l":[1, {"k":null}]}}"#;
        assert_eq!(set(json, "/a/l/1/k=7").unwrap(), json.replace("null", "7"));
        assert_eq!(set(json, "/z=ROOM-7").unwrap(), json.replace("1.0", "\"ROOM-7\""));
        assert_eq!(set(json, "/a/l=[]").unwrap(), json.replace("[1, {\"k\":null}]", "[]"));
    }

    #[test]
    fn pointers_are_unescaped_and_names_too() {
        assert_eq!(set(r#"{"a/b":{"~":1}}"#, "/a~1b/~0=2").unwrap(), r#"{"a/b":{"~":2}}"#);
        assert_eq!(set(r#"{"\u0061":1}"#, "/a=2").unwrap(), r#"{"\u0061":2}"#);
    }

    #[test]
    fn a_member_that_is_not_there_is_an_error_that_names_the_nearest() {
        let json = r#"{"event":"a","order":{"id":1}}"#;
        assert!(set(json, "/evnt=1").unwrap_err().contains("did you mean \"event\"?"));
        assert!(set(json, "/order/idd=1").unwrap_err().contains("did you mean \"id\"?"));
        assert!(set(json, "/zzzzzz=1").unwrap_err().contains("order"));
        assert!(set("[null,null]", "/01=1").is_err(), "a place in a list has no leading zero");
    }

    #[test]
    fn what_cannot_be_replaced_is_refused() {
        for (json, edit) in
            [("[1]", "/1=2"), ("[1]", "/-=2"), (r#"{"a":1}"#, "/a/b=2"), ("not json", "/a=1"), ("{}", "/a=1")]
        {
            assert!(set(json, edit).is_err(), "{json} {edit}");
        }
        assert!(Edit::parse("a=1").is_err());
        assert!(Edit::parse("/a").is_err());
    }

    #[test]
    fn a_member_is_added_at_the_end_of_an_object_only() {
        assert_eq!(append("{}", "x", "1").unwrap(), r#"{"x":1}"#);
        assert_eq!(append("{ \"a\": 1 }\n", "x", "1").unwrap(), r#"{ "a": 1 ,"x":1}"#);
        assert_eq!(append("[1]", "x", "1"), None);
    }
}

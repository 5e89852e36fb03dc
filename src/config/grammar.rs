//! Holds a document to its JSON Schema, once, from the root to the leaves.
//!
//! Every unknown key and every value of a wrong form is reported with its place and taken out of the tree, so
//! that what is left can be read whatever was wrong. The schema is the one that is published: what an editor
//! underlines is what the loader refuses.

mod form;

use super::{
    keypath::KeyPath,
    nearest::{nearest, one_of},
    problem::Report,
};
use form::Form;
use serde_json::{Map, Value};

/// The grammar of one kind of document.
#[derive(Debug)]
pub(super) struct Grammar {
    schema: Value,
}

impl Grammar {
    /// Takes a JSON Schema as [`schema`](super::schema()) makes it.
    pub(super) fn new(schema: Value) -> Self {
        Self { schema }
    }

    /// Reports all that does not fit, and takes it out. An empty document is an empty map.
    pub(super) fn hold(&self, tree: &mut Value, at: &KeyPath, report: &mut Report<'_>) {
        if tree.is_null() || !self.fits(&self.schema, tree, at, None, report) {
            *tree = Value::Object(Map::new());
        }
    }

    /// Follows a reference into the schema's definitions.
    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let name =
            schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
        match name.and_then(|name| self.schema.get("$defs")?.get(name)) {
            Some(definition) => self.resolve(definition),
            None => schema,
        }
    }

    /// Returns the schemas of which a value must fit one; `null` (the value is left out) is not among them.
    fn alternatives<'s>(&'s self, schema: &'s Value) -> Vec<&'s Value> {
        let listed = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
        let Some(listed) = listed else { return vec![schema] };
        listed
            .iter()
            .map(|alternative| self.resolve(alternative))
            .filter(|alternative| alternative.get("type").and_then(Value::as_str) != Some("null"))
            .flat_map(|alternative| self.alternatives(alternative))
            .collect()
    }

    /// Reports what does not fit in `value` and takes it out; returns false where all of it must go.
    fn fits(
        &self,
        schema: &Value,
        value: &mut Value,
        at: &KeyPath,
        hint: Option<&str>,
        report: &mut Report<'_>,
    ) -> bool {
        let schema = self.resolve(schema);
        let hint = hint.or_else(|| schema.get("description").and_then(Value::as_str));
        let forms: Vec<Form<'_>> = self.alternatives(schema).into_iter().flat_map(Form::of).collect();
        let Some(form) = forms.iter().find(|form| form.takes(value)) else {
            let (message, fix) = form::mismatch(&forms, value, at, hint);
            report.unreadable(at, message, fix);
            return false;
        };
        match (form, value) {
            (Form::Map(schema), Value::Object(map)) => self.hold_map(schema, map, at, report),
            (Form::List(schema), Value::Array(items)) => {
                let schema = schema.get("items").unwrap_or(&Value::Bool(true));
                for (n, item) in items.iter_mut().enumerate() {
                    if !self.fits(schema, item, &at.index(n), hint, report) {
                        *item = self.stand_in(schema);
                    }
                }
            }
            _ => {}
        }
        true
    }

    fn hold_map(&self, schema: &Value, map: &mut Map<String, Value>, at: &KeyPath, report: &mut Report<'_>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let keys: Vec<String> = map.keys().cloned().collect();
        for key in keys {
            let Some(value) = map.get_mut(&key) else { continue };
            let place = at.key(&key);
            if let Some(property) = properties.and_then(|properties| properties.get(&key)) {
                let hint = property.get("description").and_then(Value::as_str);
                // A key without a value is the same as no key.
                if value.is_null() || !self.fits(property, value, &place, hint, report) {
                    map.remove(&key);
                }
            } else if let Some(entry) = schema.get("additionalProperties").filter(|entry| entry.is_object()) {
                if !self.fits(entry, value, &place, None, report) {
                    *value = self.stand_in(entry);
                }
            } else {
                let known = || properties.into_iter().flat_map(Map::keys).map(String::as_str);
                report_unknown(&key, known, at, report);
                map.remove(&key);
            }
        }
    }

    /// Returns a value that can be read in place of one that cannot, so that what stands beside it keeps its
    /// place. Rules keep silent about it.
    fn stand_in(&self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        self.alternatives(schema)
            .into_iter()
            .flat_map(Form::of)
            .next()
            .map_or(Value::Null, |form| form.stand_in())
    }
}

fn report_unknown<'k, Keys: Iterator<Item = &'k str>>(
    key: &str,
    known: impl Fn() -> Keys,
    at: &KeyPath,
    report: &mut Report<'_>,
) {
    let glued = key.split_once(':').filter(|(name, _)| known().any(|known| known == *name));
    let fix = if let Some((name, _)) = glued {
        report.silence(at.key(name));
        format!("a blank is missing behind the colon: write `{name}: ...`")
    } else if let Some(meant) = nearest(key, known()) {
        report.silence(at.key(meant));
        format!("did you mean `{meant}`?")
    } else {
        format!("take it out; the keys here are {}", one_of(known()))
    };
    report.unreadable(&at.key(key), "unknown key", fix);
}

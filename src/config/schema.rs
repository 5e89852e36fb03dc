//! The JSON Schema of what an operator writes. It is also the grammar to which a configuration is held when it
//! is loaded, so that schema and loader cannot disagree.

use super::Config;
use crate::senders::SenderSpec;
use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::transform_subschemas};
use serde_json::Value;

/// Returns the JSON Schema of the configuration, as it stands in `schemas/hookway.schema.json`.
pub fn schema() -> Value {
    let mut schema = closed::<Config>();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "Hookway configuration".into());
    }
    schema
}

/// Returns the JSON Schema of a sender document: a preset, or what a source states of its sender.
pub fn sender_schema() -> Value {
    closed::<SenderSpec>()
}

fn closed<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with_transform(close);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Allows no property that is not listed.
fn close(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".into(), false.into());
    }
    transform_subschemas(&mut close, schema);
}

//! How `to:` is written: the word `drop`, one target, or a list of targets.

use super::{TargetConfig, ToConfig};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor, value};
use std::{borrow::Cow, fmt};

impl ToConfig {
    /// Returns the targets; none for `drop`.
    pub fn targets(&self) -> &[TargetConfig] {
        match self {
            Self::Drop => &[],
            Self::One(target) => std::slice::from_ref(target),
            Self::Many(targets) => targets,
        }
    }
}

impl<'de> Deserialize<'de> for ToConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ToVisitor)
    }
}

/// Written by hand because serde's untagged enums forget in which alternative an error was.
struct ToVisitor;

impl<'de> Visitor<'de> for ToVisitor {
    type Value = ToConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the word `drop`, a target or a list of targets")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<ToConfig, E> {
        if word == "drop" {
            Ok(ToConfig::Drop)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(word), &self))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ToConfig, A::Error> {
        TargetConfig::deserialize(value::MapAccessDeserializer::new(map)).map(ToConfig::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ToConfig, A::Error> {
        Vec::deserialize(value::SeqAccessDeserializer::new(list)).map(ToConfig::Many)
    }
}

impl JsonSchema for ToConfig {
    fn schema_name() -> Cow<'static, str> {
        "ToConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let target = generator.subschema_for::<TargetConfig>();
        json_schema!({
            "description": "Where a route leads: a target, a list of targets (a 2xx waits for all), or `drop`.",
            "oneOf": [
                { "const": "drop", "type": "string", "description": "Counted and dropped." },
                target,
                { "type": "array", "items": target, "minItems": 1, "description": "Several targets." },
            ],
        })
    }
}

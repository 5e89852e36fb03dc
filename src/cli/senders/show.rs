//! `hookway senders show`: the document of a preset as it is embedded, or the effective one of a variant.

use crate::{
    cli::{
        exit::{Exit, Stop},
        out::Out,
    },
    config, senders,
};
use serde_json::{Map, Value};

/// The order in which documents state their fields.
const ORDER: [&str; 14] = [
    "sender",
    "about",
    "params",
    "verify",
    "respond",
    "event",
    "dedup",
    "reply",
    "deadline",
    "max_body",
    "max_in_flight",
    "retries",
    "samples",
    "variants",
];

pub(super) fn run(name: &str, out: &mut Out) -> Result<Exit, Stop> {
    let preset = senders::find(name).ok_or_else(|| {
        Stop::usage(format!("there is no preset {name:?}: {}", config::unknown_preset_fix(name)))
    })?;
    let effective = || config::preset_document(name).map_err(Stop::from);
    match preset.variant {
        _ if out.is_json() => out.object(&effective()?)?,
        None => out.bytes(preset.text.as_bytes())?,
        Some(variant) => {
            out.line(format!("# {variant}: the preset {} with the fields of its variant.", preset.document))?;
            out.bytes(yaml(effective()?)?.as_bytes())?;
        }
    }
    Ok(Exit::Well)
}

/// Writes a document in the order in which documents are written.
fn yaml(document: Value) -> Result<String, Stop> {
    let Value::Object(mut fields) = document else { return Ok(String::new()) };
    let mut text = String::new();
    let rest: Vec<String> = fields.keys().filter(|key| !ORDER.contains(&key.as_str())).cloned().collect();
    for key in ORDER.into_iter().chain(rest.iter().map(String::as_str)) {
        let Some(value) = fields.remove(key) else { continue };
        let field = Value::Object(Map::from_iter([(key.to_owned(), value)]));
        let field = serde_saphyr::to_string(&field)
            .map_err(|error| Stop::new(Exit::Bug, format!("the field {key} can't be written: {error}")))?;
        text.push_str(&field);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_as_it_was() {
        for name in senders::all_names() {
            let document = config::preset_document(name).unwrap();
            let text = yaml(document.clone()).unwrap();
            let read: Value =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
            assert_eq!(read, document, "{name}\n{text}");
        }
    }

    #[test]
    fn fields_stand_in_the_order_of_the_documents() {
        let text =
            yaml(serde_json::json!({ "deadline": "1s", "sender": "a", "event": { "type": "b" } })).unwrap();
        let keys: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(keys, ["sender: a", "event:", "deadline: 1s"]);
    }
}

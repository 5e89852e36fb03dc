//! What a journal holds, each envelope held to the published schema.

use hookway::{
    journal::{Claim, Journal, Options, Reader},
    record::Record,
};
use jsonschema::Validator;
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, path::Path, sync::LazyLock};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value =
        serde_json::from_str(include_str!("../../schemas/envelope.schema.json")).expect("a JSON document");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a valid schema")
});

/// One stored event.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) record: Record,
    pub(crate) envelope: Value,
}

impl Stored {
    /// Returns the bytes of the envelope's `data`, its last member.
    pub(crate) fn data(&self) -> &[u8] {
        let marker = b",\"data\":";
        let value = &self.record.value;
        let at =
            value.windows(marker.len()).position(|window| window == marker).expect("an envelope with data");
        &value[at + marker.len()..value.len() - 1]
    }
}

/// Reads an envelope. Its `data` may be JSON that no tree can hold (a number beyond every float, half a surrogate
/// pair): the sender's grammar is checked, its meaning is not ours.
fn envelope(value: &[u8]) -> Value {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(value).expect("an envelope is JSON");
    let tree = |(name, raw): (String, &RawValue)| match serde_json::from_str(raw.get()) {
        Ok(value) => (name, value),
        Err(_) if name == "data" => (name, Value::Null),
        Err(error) => panic!("{name} is {}: {error}", raw.get()),
    };
    Value::Object(members.into_iter().map(tree).collect())
}

/// Opens a journal for writing.
pub(crate) fn open(dir: &Path, options: Options) -> Journal {
    let claim = Claim::take(dir).expect("a journal can be taken");
    let found = claim.recover().expect("a journal can be read");
    claim.open(&found, options).expect("a journal can be opened")
}

/// Returns all that a journal holds, in order; each envelope fits the schema.
pub(crate) fn events(dir: &Path) -> Vec<Stored> {
    let mut reader = Reader::open(dir, 0).expect("a journal");
    let mut events = Vec::new();
    while let Some(entry) = reader.read().expect("a readable journal") {
        let envelope = envelope(&entry.record.value);
        let wrong: Vec<String> = SCHEMA.iter_errors(&envelope).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "the schema refuses {envelope}:\n{}", wrong.join("\n"));
        events.push(Stored { record: entry.record, envelope });
    }
    assert_eq!(reader.lost(), 0, "nothing of a journal is lost");
    events
}

//! The forms a single value may have, and what is said of one that has none of them.

use crate::config::{
    NotAReference, SecretRef,
    keypath::KeyPath,
    nearest::{did_you_mean, nearest, one_of},
    secrets::WEAK_BELOW_BYTES,
    sinks::is_sensitive,
    units,
};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// What a schema without alternatives asks of a value.
pub(super) enum Form<'s> {
    /// Whatever stands there.
    Any,
    /// A map, by the rules of its schema.
    Map(&'s Value),
    /// A list, likewise.
    List(&'s Value),
    /// One of some words.
    Words(Vec<&'s str>),
    /// Text of a certain kind.
    Text(&'static Kind),
    /// A whole number, from, to.
    Number(i64, i64),
    /// `true` or `false`.
    Truth,
}

pub(super) struct Kind {
    /// The name by which a schema asks for it; empty for any text.
    format: &'static str,
    takes: fn(&str) -> bool,
    expected: &'static str,
    fix: Option<&'static str>,
    stand_in: &'static str,
}

const ADDRESS_FIX: &str = "write both, as 0.0.0.0:8080; an IPv6 address stands in brackets, as [::]:8080";

const SECRET: &str = "secret-reference";

/// The kinds, the plain one last.
static KINDS: [Kind; 5] = [
    Kind {
        format: "socket-address",
        takes: |text| text.parse::<SocketAddr>().is_ok(),
        expected: "an IP address and a port",
        fix: Some(ADDRESS_FIX),
        stand_in: "127.0.0.1:0",
    },
    Kind {
        format: "duration-with-unit",
        takes: |text| units::duration(text).is_some(),
        expected: "a duration",
        fix: Some(units::DURATION_FIX),
        stand_in: "0s",
    },
    Kind {
        format: "size",
        takes: |text| units::size(text).is_some(),
        expected: "a size",
        fix: Some(units::SIZE_FIX),
        stand_in: "0B",
    },
    Kind {
        format: SECRET,
        takes: |text| text.parse::<SecretRef>().is_ok(),
        expected: "a reference to a secret",
        fix: Some(NotAReference::FIX),
        stand_in: "env:UNREADABLE",
    },
    Kind { format: "", takes: |_| true, expected: "text", fix: None, stand_in: "" },
];

impl<'s> Form<'s> {
    /// Returns the forms that a schema allows; `null` is not among them.
    pub(super) fn of(schema: &'s Value) -> Vec<Self> {
        let words = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        let words: Vec<&str> = words.chain(schema.get("const")).filter_map(Value::as_str).collect();
        match schema.get("type") {
            _ if !words.is_empty() => vec![Self::Words(words)],
            Some(Value::String(name)) => Self::named(name, schema).into_iter().collect(),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).filter_map(|name| Self::named(name, schema)).collect()
            }
            _ => vec![Self::Any],
        }
    }

    fn named(name: &str, schema: &'s Value) -> Option<Self> {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        match name {
            "object" => Some(Self::Map(schema)),
            "array" => Some(Self::List(schema)),
            "boolean" => Some(Self::Truth),
            "string" => {
                KINDS.iter().find(|kind| kind.format == format || kind.format.is_empty()).map(Self::Text)
            }
            "integer" => {
                let (from, to) = match format {
                    "uint8" => (0, u8::MAX.into()),
                    "uint16" => (0, u16::MAX.into()),
                    "uint32" => (0, u32::MAX.into()),
                    _ => (i64::MIN, i64::MAX),
                };
                let bound = |name| schema.get(name).and_then(Value::as_i64);
                Some(Self::Number(bound("minimum").unwrap_or(from), bound("maximum").unwrap_or(to)))
            }
            _ => None,
        }
    }

    /// Returns true where the value itself is of this form; what stands in it is another question.
    pub(super) fn takes(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Map(_) => value.is_object(),
            Self::List(_) => value.is_array(),
            Self::Words(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Self::Text(kind) => value.as_str().is_some_and(kind.takes),
            Self::Number(from, to) => value.as_i64().is_some_and(|number| (*from..=*to).contains(&number)),
            Self::Truth => value.is_boolean(),
        }
    }

    /// Returns some value of this form.
    pub(super) fn stand_in(&self) -> Value {
        match self {
            Self::Any => Value::Null,
            Self::Map(_) => Value::Object(Map::new()),
            Self::List(_) => json!([]),
            Self::Words(words) => json!(words.first()),
            Self::Text(kind) => json!(kind.stand_in),
            Self::Number(..) => json!(0),
            Self::Truth => json!(false),
        }
    }

    fn expected(&self) -> String {
        match self {
            Self::Any => "a value".into(),
            Self::Map(_) => "a map".into(),
            Self::List(_) => "a list".into(),
            Self::Words(words) => one_of(words.iter().copied()),
            Self::Text(kind) => kind.expected.into(),
            Self::Number(i64::MIN, i64::MAX) => "a whole number".into(),
            Self::Number(from, to) => format!("a whole number from {from} to {to}"),
            Self::Truth => "true or false".into(),
        }
    }
}

/// Says what was expected and what was found, and how to mend it.
pub(super) fn mismatch(
    forms: &[Form<'_>],
    value: &Value,
    at: &KeyPath,
    hint: Option<&str>,
) -> (String, String) {
    let words: Vec<&str> = words_of(forms).collect();
    let mut expected: Vec<String> =
        forms.iter().filter(|form| !matches!(form, Form::Words(_))).map(Form::expected).collect();
    expected.extend(words.iter().map(|word| format!("`{word}`")));
    expected.dedup();
    let expected = one_of(expected.iter().map(String::as_str));
    let texts =
        || forms.iter().filter_map(|form| if let Form::Text(kind) = form { Some(*kind) } else { None });
    let kind = texts().find_map(|kind| kind.fix);
    let plain = texts().any(|kind| kind.format.is_empty());

    if texts().any(|kind| kind.format == SECRET) {
        let message = "a secret must be a reference (what stands here is not shown)";
        let fix = value.as_str().and_then(SecretRef::of_shell);
        return (message.into(), fix.unwrap_or_else(|| NotAReference::FIX.into()));
    }
    let message = format!("expected {expected}, found {}", shown(value, at, forms));
    let meant = value.as_str().and_then(|text| nearest(text, words.iter().copied()));
    let kind = value.as_str().and_then(units::port_fix).filter(|_| kind.is_some()).or(kind);
    let fix = match (meant, kind, hint) {
        (Some(meant), ..) => did_you_mean(meant, &words),
        (None, Some(fix), _) => fix.to_owned(),
        _ if forms.iter().all(|form| matches!(form, Form::List(_))) => "write a list, as [ a, b ]".into(),
        _ if forms.iter().all(|form| matches!(form, Form::Map(_))) => {
            let about = hint.map(|hint| format!(": {}", first_line(hint))).unwrap_or_default();
            format!("write a map, as {{ key: value }}{about}")
        }
        _ if plain && (value.is_number() || value.is_boolean()) => format!("write it in quotes: \"{value}\""),
        (None, None, Some(hint)) => {
            let key = at.keys().last().map(|key| format!("`{key}`: ")).unwrap_or_default();
            format!("{key}{}", first_line(hint))
        }
        (None, None, None) => format!("write {expected}"),
    };
    (message, fix)
}

/// Returns the words that are wanted.
fn words_of<'f>(forms: &'f [Form<'_>]) -> impl Iterator<Item = &'f str> {
    forms.iter().flat_map(|form| if let Form::Words(words) = form { words.as_slice() } else { &[] }).copied()
}

fn first_line(text: &str) -> String {
    text.split("\n\n").next().unwrap_or(text).replace('\n', " ")
}

/// Returns what stands there, as far as it may be shown: nothing that is or may be a secret.
fn shown(value: &Value, at: &KeyPath, forms: &[Form<'_>]) -> String {
    let wanted_scalar = !forms.iter().all(|form| matches!(form, Form::Map(_) | Form::List(_)));
    let hidden = at.keys().any(is_sensitive);
    match value {
        Value::Null => "nothing".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
        Value::Bool(_) | Value::Number(_) if hidden => "a value that is not shown".into(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if wanted_scalar && !hidden && is_harmless(text, forms) => {
            format!("\"{}\"", text.escape_debug())
        }
        Value::String(_) if wanted_scalar => "something else (it is not shown)".into(),
        Value::String(_) => "text".into(),
    }
}

/// True for text that cannot be a secret: almost one of the wanted words, or, where a number, a time or an address is
/// wanted, too short for one.
fn is_harmless(text: &str, forms: &[Form<'_>]) -> bool {
    if words_of(forms).next().is_some() {
        return nearest(text, words_of(forms)).is_some();
    }
    text.len() < WEAK_BELOW_BYTES && !text.contains('@')
}

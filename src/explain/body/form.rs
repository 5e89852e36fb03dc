//! A form (`application/x-www-form-urlencoded`) that was parsed and written again: which characters are escaped, how
//! a blank is written, in which case the escapes stand, in which order the fields.

use super::Variant;
use crate::request::slot::form::{self, Pair};
use http::{HeaderMap, header};
use std::fmt::Write as _;

/// Characters besides letters and digits that a library leaves as they are, and whose habit that is.
const KEPT: [(&str, &str); 5] = [
    ("-._~", "RFC 3986"),
    ("*-._", "the URL standard, Java and Python's older libraries"),
    ("-._", "PHP"),
    ("-._~!*'()", "JavaScript's encodeURIComponent"),
    ("-._~!*'();:@$,/?", "a client that escapes only what it must"),
];

/// Returns the form as other libraries write it; nothing for a body that is no form.
pub(super) fn variants(body: &[u8], headers: &HeaderMap) -> impl Iterator<Item = Variant> {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = named.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields: Vec<Pair<'_>> = if is_form { form::pairs(body).collect() } else { Vec::new() };
    let mut sorted = fields.clone();
    sorted.sort();
    let orders = [(fields, "in the order in which they came"), (sorted, "sorted by name")];
    let orders = orders.into_iter().filter(|(fields, _)| !fields.is_empty());
    orders.flat_map(|(fields, order)| {
        styles().map(move |(whose, style)| {
            let fits = format!("written as a form by the habits of {whose}, its fields {order}");
            Variant::new("body_form", fits, style.write(&fields))
        })
    })
}

/// How a library writes a form.
struct Style {
    kept: &'static str,
    plus: bool,
    upper: bool,
}

/// Returns each style, and whose it is.
fn styles() -> impl Iterator<Item = (&'static str, Style)> {
    let cases = [(true, true), (false, true), (true, false), (false, false)];
    KEPT.into_iter()
        .flat_map(move |(kept, whose)| cases.map(|(plus, upper)| (whose, Style { kept, plus, upper })))
}

impl Style {
    fn write(&self, fields: &[Pair<'_>]) -> Vec<u8> {
        let fields =
            fields.iter().map(|(name, value)| format!("{}={}", self.escaped(name), self.escaped(value)));
        fields.collect::<Vec<_>>().join("&").into_bytes()
    }

    fn escaped(&self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        for byte in bytes {
            let char = char::from(*byte);
            if byte.is_ascii_alphanumeric() || (byte.is_ascii() && self.kept.contains(char)) {
                text.push(char);
            } else if *byte == b' ' && self.plus {
                text.push('+');
            } else {
                // Writing to a String cannot fail.
                let _written =
                    if self.upper { write!(text, "%{byte:02X}") } else { write!(text, "%{byte:02x}") };
            }
        }
        text
    }
}

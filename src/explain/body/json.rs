//! JSON that was parsed and written again: with other blanks, other escapes, its members sorted. The tokens are
//! rewritten one by one, so that numbers keep their digits and members their order.

mod escape;

use super::Variant;
use escape::Escape;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// How a writer sets blanks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// As they stand.
    Kept,
    /// Between a colon and its value, behind a comma: each may be empty.
    Line(&'static str, &'static str),
    /// One member a line, indented by this.
    Pretty(&'static str),
}

const LAYOUTS: [(Layout, &str); 8] = [
    (Layout::Line(":", ","), "as compact JSON"),
    (Layout::Line(": ", ", "), "as JSON with blanks behind `:` and `,`, as Python writes it"),
    (Layout::Pretty("  "), "as JSON indented by 2"),
    (Layout::Pretty("    "), "as JSON indented by 4"),
    (Layout::Pretty("\t"), "as JSON indented by tabs"),
    (Layout::Line(": ", ","), "as JSON with blanks behind `:`"),
    (Layout::Line(":", ", "), "as JSON with blanks behind `,`"),
    (Layout::Kept, "as JSON with its blanks as they are"),
];

/// Returns the body as other writers of JSON write it; nothing for a body that is no JSON object or array.
pub(super) fn variants(body: &[u8]) -> impl Iterator<Item = Variant> {
    let text = std::str::from_utf8(body).ok().map(str::trim).filter(|text| text.starts_with(['{', '[']));
    let raw = text.and_then(|text| serde_json::from_str::<&RawValue>(text).ok()).map(RawValue::get);
    let as_sent = raw.map(|raw| (raw.to_owned(), ""));
    let sorted = raw.and_then(sorted).map(|sorted| (sorted, ", its members sorted by name"));
    let orders = as_sent.into_iter().chain(sorted);
    let own = body.to_vec();
    orders
        .flat_map(|(text, order)| {
            let escapes = Escape::ALL.into_iter();
            escapes.flat_map(move |escape| {
                let text = text.clone();
                LAYOUTS.into_iter().map(move |(layout, name)| {
                    let fits = format!("written {name}{}{order}", escape.described);
                    (fits, write(&text, layout, escape))
                })
            })
        })
        .flat_map(|(fits, text)| {
            let ended = Variant::new(
                "body_json",
                format!("{fits}, with a line end behind it"),
                [text.as_bytes(), b"\n"].concat(),
            );
            [Variant::new("body_json", fits, text.into_bytes()), ended]
        })
        .filter(move |variant| variant.body != own)
}

/// Writes a JSON text again; it must be one.
fn write(text: &str, layout: Layout, escape: Escape) -> String {
    let mut writer = Writer { out: String::with_capacity(text.len() * 2), layout, depth: 0, opened: false };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = token(rest, first);
        let Some((token, tail)) = rest.split_at_checked(end) else { break };
        writer.token(token, first, escape);
        rest = tail;
    }
    writer.out
}

/// Returns where the first token of a JSON text ends; blanks are one.
fn token(text: &str, first: char) -> usize {
    match first {
        '"' => {
            let mut escaped = false;
            let close = text.bytes().skip(1).position(|byte| {
                let closes = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                closes
            });
            close.map_or(text.len(), |close| close + 2)
        }
        '{' | '}' | '[' | ']' | ':' | ',' => 1,
        ' ' | '\t' | '\n' | '\r' => {
            text.find(|char| !matches!(char, ' ' | '\t' | '\n' | '\r')).unwrap_or(text.len())
        }
        _ => text.find(['}', ']', ',', ' ', '\t', '\n', '\r']).unwrap_or(text.len()),
    }
}

struct Writer {
    out: String,
    layout: Layout,
    depth: usize,
    /// True behind an opening bracket, where an empty pair stays on its line.
    opened: bool,
}

impl Writer {
    fn token(&mut self, token: &str, first: char, escape: Escape) {
        match first {
            ' ' | '\t' | '\n' | '\r' => {
                if self.layout == Layout::Kept {
                    self.out.push_str(token);
                }
            }
            '{' | '[' => {
                self.open();
                self.out.push(first);
                self.depth += 1;
                self.opened = true;
            }
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                if !std::mem::take(&mut self.opened) {
                    self.line();
                }
                self.out.push(first);
            }
            ':' => self.out.push_str(match self.layout {
                Layout::Kept => ":",
                Layout::Line(colon, _) => colon,
                Layout::Pretty(_) => ": ",
            }),
            ',' => {
                self.out.push_str(if let Layout::Line(_, comma) = self.layout { comma } else { "," });
                self.line();
            }
            '"' => {
                self.open();
                escape.write(token, &mut self.out);
            }
            _ => {
                self.open();
                self.out.push_str(token);
            }
        }
    }

    /// Begins the first element of a pair of brackets.
    fn open(&mut self) {
        if std::mem::take(&mut self.opened) {
            self.line();
        }
    }

    fn line(&mut self) {
        if let Layout::Pretty(indent) = self.layout {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(indent, self.depth));
        }
    }
}

/// Writes a JSON text compactly, with the members of all objects sorted by name; `None` where one stands twice.
fn sorted(text: &str) -> Option<String> {
    match text.bytes().next()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let members = members.into_iter().map(|(name, value)| {
                Some(format!("{}:{}", serde_json::to_string(&name).ok()?, sorted(value.get())?))
            });
            Some(format!("{{{}}}", members.collect::<Option<Vec<_>>>()?.join(",")))
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            let elements = elements.into_iter().map(|element| sorted(element.get()));
            Some(format!("[{}]", elements.collect::<Option<Vec<_>>>()?.join(",")))
        }
        _ => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = r#"{"b":[1.50,{}, [] ],"a" : "é/\u00e9<","n":{"x":null}}"#;

    #[test]
    fn every_layout_is_what_its_writer_prints() {
        let text = |layout| write(TEXT, layout, Escape::KEPT);
        assert_eq!(text(Layout::Kept), TEXT);
        assert_eq!(text(Layout::Line(":", ",")), r#"{"b":[1.50,{},[]],"a":"é/\u00e9<","n":{"x":null}}"#);
        assert_eq!(
            text(Layout::Line(": ", ", ")),
            r#"{"b": [1.50, {}, []], "a": "é/\u00e9<", "n": {"x": null}}"#
        );
        let pretty = "{\n  \"b\": [\n    1.50,\n    {},\n    []\n  ],\n  \"a\": \"é/\\u00e9<\",\n  \"n\": {\n    \"x\": null\n  }\n}";
        assert_eq!(text(Layout::Pretty("  ")), pretty);
    }

    #[test]
    fn sorting_reaches_every_object_and_keeps_the_digits() {
        assert_eq!(
            sorted(r#"{"b":1.50,"a":[{"z":1e2,"y":""}]}"#).unwrap(),
            r#"{"a":[{"y":"","z":1e2}],"b":1.50}"#
        );
    }

    #[test]
    fn a_body_that_is_no_json_has_no_variants() {
        for body in [&b"a=b"[..], b"{", b"\xff", b"", b"\"a\""] {
            assert_eq!(variants(body).count(), 0);
        }
    }

    proptest! {
        #[test]
        fn writing_again_changes_the_writing_and_never_the_value(text in r#"\{"[a-z]{1,4}":("([a-zäß<>&'/ ]|\\n|\\u00e9){0,9}"|-?[1-9][0-9]{0,5}|\[1, 2 ,\{\}\]|null)\}"#) {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            for variant in variants(text.as_bytes()) {
                prop_assert_eq!(&serde_json::from_slice::<serde_json::Value>(&variant.body).unwrap(), &value);
            }
        }
    }
}

//! The tables of docs/senders.md, as far as the documents themselves say it: how they verify and shake hands; where the
//! time is read, the largest body, the window of a signed time, the retries, each with who says so. `UPDATE_FIXTURES=1`
//! writes the cells of the second.

use super::{is_updating, presets, source};
use hookway::senders;
use serde_json::Value;
use std::fs;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/senders.md");

/// What the rows of the tables begin behind.
const FIRST: &str = "| preset | variants |";
const HEAD: &str = "| preset | the id |";

/// Pauses that are written out.
const WRITTEN: usize = 8;

/// Returns the text that stands behind `key` in a preset's document, and the comment behind it; the variant's own first.
fn said(name: &str, key: &str) -> Option<(String, String)> {
    let preset = senders::find(name).unwrap();
    let (shared, variants) = preset.text.split_once("\nvariants:\n").unwrap_or((preset.text, ""));
    let own = variants.split_once(&format!("  {name}:\n")).map(|(_, rest)| rest);
    let own = own.into_iter().flat_map(|rest| rest.lines().take_while(|line| line.starts_with("    ")));
    let line = own.map(str::trim).chain(shared.lines()).find(|line| line.contains(key))?;
    let (text, comment) = line.split_once('#').unwrap_or((line, ""));
    Some((text.replacen(key, "", 1).trim().to_owned(), comment.trim().replace('|', "/")))
}

/// Joins a value and who says it.
fn with(value: String, source: &str) -> String {
    if source.is_empty() { value } else { format!("{value}: {source}") }
}

/// Writes a template as places of which the first counts, and how well the events are known.
fn time(name: &str, document: &Value) -> String {
    let Some(time) = document["event"]["time"].as_str() else { return "receipt".to_owned() };
    let slot = time.strip_prefix('{').and_then(|slot| slot.strip_suffix('}')).unwrap_or(time);
    let places: Vec<String> = slot.split('|').map(|place| format!("`{place}`")).collect();
    let known = said(name, "event:").map(|(_, comment)| comment).unwrap_or_default();
    with(
        places.join(", else "),
        known.split(' ').next().filter(|mark| mark.starts_with('[')).unwrap_or_default(),
    )
}

fn window(name: &str, document: &Value) -> String {
    let verify = &document["verify"];
    let Some(timestamp) = verify["timestamp"].as_object() else {
        return match (verify["algorithm"].as_str(), verify["jwt"]["max_age"].as_str()) {
            (Some("jwt"), Some(age)) => {
                let source = said(name, "max_age: ").map(|(_, comment)| comment).unwrap_or_default();
                with(format!("{age} of `iat`"), &source)
            }
            (Some("jwt"), None) => "`exp`".to_owned(),
            _ => "none".to_owned(),
        };
    };
    let tolerance = timestamp.get("tolerance").and_then(Value::as_str).unwrap_or("5m");
    let comment = said(name, "tolerance: ").map(|(_, comment)| comment).unwrap_or_default();
    with(tolerance.to_owned(), timestamp.get("prescribed").and_then(Value::as_str).unwrap_or(&comment))
}

fn retries(name: &str, document: &Value) -> String {
    let Some(pauses) = document["retries"]["after"].as_array() else { return "not said".to_owned() };
    let pauses: Vec<&str> = pauses.iter().map(|pause| pause.as_str().unwrap()).collect();
    let written = match pauses.as_slice() {
        [] => "none".to_owned(),
        [first, .., last] if pauses.len() > WRITTEN => format!("{first} … {last}, {} times", pauses.len()),
        all => all.join(", "),
    };
    with(written, &said(name, "retries:").map(|(_, comment)| comment).unwrap_or_default())
}

/// Returns the cells that a preset's document fills.
fn cells(name: &str) -> [String; 4] {
    let document = source::effective(name);
    let (size, source) = said(name, "max_body: ").unwrap_or_else(|| panic!("{name} has no max_body"));
    [time(name, &document), with(size, &source), window(name, &document), retries(name, &document)]
}

/// Returns the presets that a row is about: names in its first cell, of which those with a hyphen in front are endings.
fn named(cell: &str) -> Vec<String> {
    let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    let whole = |name: &&str| match name.strip_prefix('-') {
        Some(end) => format!("{}-{end}", names[0]),
        None => (*name).to_owned(),
    };
    names.iter().map(whole).collect()
}

/// Returns a row with the cells of its presets; those that differ say of whom they are.
fn filled(row: &str) -> String {
    let kept: Vec<&str> = row.trim_matches('|').split(" | ").collect();
    assert_eq!(kept.len(), 10, "{row}");
    let names = named(kept[0]);
    let mut cells: Vec<[String; 4]> = names.iter().map(|name| cells(name)).collect();
    let first = cells.remove(0);
    let joined = (0..4).map(|at| {
        let others = names.iter().skip(1).zip(&cells).filter(|(_, other)| other[at] != first[at]);
        let others = others.map(|(name, other)| format!("of `{name}`: {}", other[at]));
        std::iter::once(first[at].clone()).chain(others).collect::<Vec<_>>().join("; ")
    });
    let kept = kept[..6].iter().map(|cell| cell.trim().to_owned());
    format!("| {} |", kept.chain(joined).collect::<Vec<_>>().join(" | "))
}

#[test]
fn the_first_table_has_a_row_for_every_document_and_names_its_variants_scheme_and_handshakes() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, table) = page.split_at(page.find(FIRST).expect("the table"));
    let mut rows = table.split("\n\n").next().unwrap().lines().skip(2);
    for name in senders::names() {
        let document = source::effective(name);
        let variants: Vec<String> = senders::variants(name).map(|variant| format!("`{variant}`")).collect();
        let scheme = document["verify"]["algorithm"].as_str();
        let scheme = scheme.map_or_else(|| "yours to say".to_owned(), |scheme| format!("`{scheme}`"));
        let handshakes = document["respond"].as_array().into_iter().flatten();
        let handshakes: Vec<&str> = handshakes.map(|one| one["name"].as_str().unwrap()).collect();
        let (variants, handshakes) = (variants.join(", "), handshakes.join(", "));
        let cells = format!("| `{name}` | {variants} | {scheme} | {handshakes} | ");
        let row = rows.next().unwrap_or_default();
        assert!(row.starts_with(&cells), "{row}\n{cells}");
    }
    assert_eq!(rows.next(), None);
}

#[test]
fn the_table_has_a_row_for_every_preset_and_says_what_its_document_says() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, table) = page.split_at(page.find(HEAD).expect("the table"));
    let (table, behind) = table.split_at(table.find("\n\n").expect("its end"));
    let head = table.lines().take(2).map(str::to_owned);
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let listed: Vec<String> = rows.iter().flat_map(|row| named(row.split(" | ").next().unwrap())).collect();
    let missing: Vec<&str> =
        presets().into_iter().filter(|name| !listed.iter().any(|listed| listed == name)).collect();
    assert_eq!(missing, [""; 0], "presets without a row");
    let right: Vec<String> = head.chain(rows.iter().map(|row| filled(row))).collect();
    if is_updating() {
        fs::write(PAGE, format!("{before}{}{behind}", right.join("\n"))).unwrap();
        return;
    }
    for (right, row) in right.iter().zip(table.lines()) {
        assert_eq!(row, right, "UPDATE_FIXTURES=1 writes what the documents say");
    }
}

//! Line ends, blanks, byte order marks and character sets.

use super::Variant;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the body with the usual changes of text undone.
pub(super) fn variants(body: &[u8]) -> impl Iterator<Item = Variant> {
    line_ends_behind(body)
        .chain(line_ends(body))
        .chain(mark(body))
        .chain(blanks(body))
        .chain(characters(body))
}

/// Returns the body with a line end behind it, or without one.
pub(super) fn line_ends_behind(body: &[u8]) -> impl Iterator<Item = Variant> {
    let without = body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n"));
    let without =
        without.map(|less| Variant::new("body_newline", "without the line end behind it", less.to_vec()));
    let with = [("\n", "LF"), ("\r\n", "CR LF")].map(|(end, name)| {
        Variant::new(
            "body_newline",
            format!("with a line end ({name}) behind it, which is missing here"),
            [body, end.as_bytes()].concat(),
        )
    });
    without.into_iter().chain(with)
}

fn line_ends(body: &[u8]) -> impl Iterator<Item = Variant> {
    let unix: Vec<u8> = without_returns(body);
    let windows: Vec<u8> =
        unix.iter().flat_map(|byte| if *byte == b'\n' { b"\r\n".to_vec() } else { vec![*byte] }).collect();
    let forms = [
        (windows, "with CR LF line ends; they were converted to LF"),
        (unix, "with LF line ends; they were converted to CR LF"),
    ];
    forms
        .into_iter()
        .filter(move |(form, _)| form != body)
        .map(|(form, fits)| Variant::new("body_line_ends", fits, form))
        .collect::<Vec<_>>()
        .into_iter()
}

fn without_returns(body: &[u8]) -> Vec<u8> {
    let next = body.iter().skip(1).map(Some).chain([None]);
    body.iter()
        .zip(next)
        .filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n')))
        .map(|(byte, _)| *byte)
        .collect()
}

fn mark(body: &[u8]) -> impl Iterator<Item = Variant> {
    let variant = match body.strip_prefix(MARK) {
        Some(bare) => Variant::new("body_mark", "without the byte order mark in front", bare.to_vec()),
        None => Variant::new(
            "body_mark",
            "with a byte order mark in front, which was taken away",
            [MARK, body].concat(),
        ),
    };
    std::iter::once(variant)
}

fn blanks(body: &[u8]) -> impl Iterator<Item = Variant> {
    let trimmed = body.trim_ascii();
    (trimmed.len() < body.len())
        .then(|| Variant::new("body_blanks", "without the blanks and line ends around it", trimmed.to_vec()))
        .into_iter()
}

/// Undoes a reading of UTF-8 as Latin-1 and the reverse.
fn characters(body: &[u8]) -> impl Iterator<Item = Variant> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii());
    let narrow = text.and_then(|text| text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect());
    let narrow = narrow.map(|bytes: Vec<u8>| {
        Variant::new(
            "body_characters",
            "in its own character set; it was read as Latin-1 and written as UTF-8",
            bytes,
        )
    });
    let wide = (!body.is_ascii()).then(|| body.iter().map(|byte| char::from(*byte)).collect::<String>());
    let wide = wide.map(|text| {
        Variant::new("body_characters", "in UTF-8; it was written as Latin-1", text.into_bytes())
    });
    narrow.into_iter().chain(wide)
}

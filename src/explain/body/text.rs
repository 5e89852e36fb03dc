//! Line ends, blanks, byte order marks and character sets.

use super::Variant;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// A change of text that is undone; `None` where it can't have been made.
type Undone = fn(&[u8]) -> Option<Vec<u8>>;

/// The changes, with code and words of each.
const CHANGES: [(&str, &str, Undone); 10] = [
    ("body_newline", "without the line end behind it", |body| {
        body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n")).map(<[u8]>::to_vec)
    }),
    ("body_newline", "with a line end (LF) behind it, which is missing here", |body| {
        Some([body, b"\n"].concat())
    }),
    ("body_newline", "with a line end (CR LF) behind it, which is missing here", |body| {
        Some([body, b"\r\n"].concat())
    }),
    ("body_line_ends", "with CR LF line ends; they were converted to LF", |body| {
        let unix = without_returns(body);
        Some(unix.split_inclusive(|byte| *byte == b'\n').flat_map(with_return).collect())
    }),
    ("body_line_ends", "with LF line ends; they were converted to CR LF", |body| Some(without_returns(body))),
    ("body_mark", "without the byte order mark in front", |body| body.strip_prefix(MARK).map(<[u8]>::to_vec)),
    ("body_mark", "with a byte order mark in front, which was taken away", |body| {
        (!body.starts_with(MARK)).then(|| [MARK, body].concat())
    }),
    ("body_blanks", "without the blanks and line ends around it", |body| Some(body.trim_ascii().to_vec())),
    ("body_characters", "in its own character set; it was read as Latin-1 and written as UTF-8", |body| {
        std::str::from_utf8(body).ok()?.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect()
    }),
    ("body_characters", "in UTF-8; it was written as Latin-1", |body| {
        Some(body.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes())
    }),
];

/// Returns the body with the usual changes of text undone.
pub(super) fn variants(body: &[u8]) -> impl Iterator<Item = Variant> {
    undone(body, CHANGES.len())
}

/// Returns the body with a line end behind it, or without one.
pub(super) fn line_ends_behind(body: &[u8]) -> impl Iterator<Item = Variant> {
    undone(body, 3)
}

fn undone(body: &[u8], first: usize) -> impl Iterator<Item = Variant> {
    CHANGES.into_iter().take(first).filter_map(move |(code, fits, undone)| {
        undone(body).filter(|other| other != body).map(|other| Variant::new(code, fits, other))
    })
}

fn without_returns(body: &[u8]) -> Vec<u8> {
    let next = body.iter().skip(1).map(Some).chain([None]);
    body.iter()
        .zip(next)
        .filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n')))
        .map(|(byte, _)| *byte)
        .collect()
}

/// Returns a line with CR LF at its end where that has LF.
fn with_return(line: &[u8]) -> Vec<u8> {
    line.strip_suffix(b"\n").map_or_else(|| line.to_vec(), |line| [line, b"\r\n"].concat())
}

//! Fields of a form and parameters of a query: `application/x-www-form-urlencoded`, as the URL standard parses it
//! (url.spec.whatwg.org, section 5.1).

use crate::request::unmarked;
use http::{HeaderMap, header};
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// A name and its value, decoded; copied only where something had to be decoded.
pub type Pair<'t> = (Cow<'t, [u8]>, Cow<'t, [u8]>);

/// Returns the fields in the order in which they stand; a `%` that begins no escape stands for itself.
pub fn pairs(text: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    encoded(text).map(|(name, value)| (decode(name), decode(value)))
}

fn encoded(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    unmarked(text).split(|byte| *byte == b'&').filter(|field| !field.is_empty()).map(|field| {
        let mut halves = field.splitn(2, |byte| *byte == b'=');
        (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
    })
}

/// Fields at most: a form has dozens, and strangers make us walk over all of them.
const MOST_FIELDS: usize = 10_000;

/// Tells whether a body is a form, or one of its types says so. The text of another body may look like a form's field, and
/// then it is somebody's text.
pub fn is_form(headers: &HeaderMap) -> bool {
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data"];
    let kinds = headers.get_all(header::CONTENT_TYPE).iter().filter_map(|kind| kind.to_str().ok());
    kinds.map(essence).any(|essence| forms.iter().any(|form| essence.eq_ignore_ascii_case(form)))
}

/// Returns the media type of a body without its parameters.
pub fn essence_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok().map(essence)
}

/// Returns a media type without its parameters.
pub fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Returns the values of the fields `wanted`, or what is wrong with the text.
pub(super) fn values<'t>(text: &'t [u8], wanted: &[u8]) -> Result<Vec<Cow<'t, [u8]>>, &'static str> {
    let mut found = Vec::new();
    for (number, (name, value)) in encoded(text).enumerate() {
        if number == MOST_FIELDS {
            return Err("has too many fields");
        }
        // A name is decoded only where it can be the one, since each byte of it stands for one byte or three.
        if name.len() <= 3 * wanted.len() && *decode(name) == *wanted {
            found.push(decode(value));
        }
    }
    Ok(found)
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        return Cow::Owned(percent_decode(&spaced).collect());
    }
    percent_decode(text).into()
}

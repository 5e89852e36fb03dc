//! Fields of a form and parameters of a query: `application/x-www-form-urlencoded`, as the URL standard parses it
//! (url.spec.whatwg.org, section 5.1).

use super::super::mark::unmarked;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// A name and its value, decoded; copied only where something had to be decoded.
pub type Pair<'t> = (Cow<'t, [u8]>, Cow<'t, [u8]>);

/// Returns the fields in the order in which they stand; a `%` that begins no escape stands for itself.
pub fn pairs(text: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    unmarked(text).split(|byte| *byte == b'&').filter(|field| !field.is_empty()).map(|field| {
        let mut halves = field.splitn(2, |byte| *byte == b'=');
        let mut half = || decode(halves.next().unwrap_or_default());
        (half(), half())
    })
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        return Cow::Owned(percent_decode(&spaced).collect());
    }
    percent_decode(text).into()
}

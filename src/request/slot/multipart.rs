//! Fields of a `multipart/form-data` body (RFC 7578), which senders post as soon as a file goes along. A file is no
//! field. What two readers could divide in two ways is refused.

use super::form::essence_of;
use http::{HeaderMap, header};
use memchr::memmem::find;

/// Parts at most: a form has dozens, and all are walked over for every slot.
const MOST_PARTS: usize = 1000;

/// Bytes of a part's head at most.
const LONGEST_HEAD: usize = 16 << 10;

/// Bytes of all heads at most.
const LONGEST_HEADS: usize = 256 << 10;

/// The longest boundary (RFC 2046, 5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// The end of a line, and of a head.
const LINE: &[u8] = b"\r\n";
const BLANK: &[u8] = b"\r\n\r\n";

/// Returns what parts the fields of such a form; `None` where the body is none, an empty text where nothing is named.
pub(super) fn boundary(headers: &HeaderMap) -> Option<Vec<u8>> {
    let kind = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let is_multipart = essence_of(headers)?.eq_ignore_ascii_case("multipart/form-data");
    is_multipart.then(|| parameter(kind, b"boundary").ok().flatten().unwrap_or_default())
}

/// Returns the values of the fields `wanted`, or what is wrong with the body.
pub(super) fn fields<'b>(
    body: &'b [u8],
    boundary: &[u8],
    wanted: &[u8],
) -> Result<Vec<&'b [u8]>, &'static str> {
    if boundary.is_empty() || boundary.len() > LONGEST_BOUNDARY {
        return Err("names no boundary of its parts");
    }
    let delimiter = [b"\r\n--", boundary].concat();
    let split = |text: &'b [u8]| {
        let (before, rest) = text.split_at_checked(find(text, &delimiter)?)?;
        Some((before, rest.get(delimiter.len()..)?))
    };
    let cut = "is not divided as its boundary says";
    // The first delimiter may begin the body; what stands in front of it belongs to nobody.
    let first = delimiter.get(LINE.len()..).and_then(|first| body.strip_prefix(first));
    let mut rest = first.or_else(|| split(body).map(|(_, rest)| rest)).ok_or(cut)?;
    let (mut values, mut room) = (Vec::new(), LONGEST_HEADS);
    for _ in 0..MOST_PARTS {
        if rest.starts_with(b"--") {
            return Ok(values);
        }
        let padding = rest.iter().take_while(|byte| b" \t".contains(byte)).count();
        let line = rest.get(padding..).filter(|line| line.starts_with(LINE)).ok_or(cut)?;
        let (part, behind) = split(line).ok_or(cut)?;
        let head = find(part.get(..LONGEST_HEAD).unwrap_or(part), BLANK).ok_or(cut)?;
        let (head, value) = part.split_at_checked(head).ok_or(cut)?;
        room = room.checked_sub(head.len()).ok_or("has heads that are too long")?;
        if names(head, wanted).ok_or("has a part whose head cannot be read")? {
            values.push(value.get(BLANK.len()..).unwrap_or_default());
        }
        rest = behind;
    }
    Err("has too many parts")
}

/// Tells whether a part with this head is the field `wanted`; `None` where two readers could disagree about that. What else
/// they disagree about is another field's matter.
fn names(head: &[u8], wanted: &[u8]) -> Option<bool> {
    let is_blank = |byte: &u8| b" \t".contains(byte);
    let lines = head.split(|byte| b"\r\n".contains(byte)).filter(|line| !line.is_empty());
    let lines: Vec<&[u8]> = lines.collect();
    let mut found = None;
    for (at, line) in lines.iter().enumerate() {
        let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':').unwrap_or(0))?;
        if !name.trim_ascii().eq_ignore_ascii_case(b"content-disposition") {
            continue;
        }
        let is_plain = name.trim_ascii() == name && found.is_none();
        let folded = lines.iter().skip(at + 1).take_while(|line| line.first().is_some_and(is_blank));
        found =
            is_plain.then_some((value, folded.flat_map(|line| line.iter().copied()).collect::<Vec<u8>>()));
        found.as_ref()?;
    }
    let Some((first, folded)) = found else { return Some(false) };
    let whole = [first, &folded].concat();
    // A reader may leave out a line that goes on, or take `\` as it is; the second only where the first finds no end.
    let mut readings: Vec<_> = [first, &whole].map(|value| parameters(value, true)).into();
    if readings.iter().any(|(_, is_whole)| !is_whole) {
        readings.extend([first, &whole].map(|value| parameters(value, false)));
    }
    let judged = readings.iter().map(|(found, is_whole)| {
        let mut names = found.iter().filter(|(name, _)| name == b"name").map(|(_, text)| text);
        let name = names.next();
        let is_file = found.iter().any(|(name, _)| [&b"filename"[..], b"filename*"].contains(&&**name));
        let is_wanted = name.is_some_and(|name| name == wanted);
        // Once a name is read, an end that is none belongs to what stands behind it.
        let is_clear = names.next().is_none() && (*is_whole || (name.is_some() && !is_wanted));
        is_clear.then_some((is_wanted, is_wanted && !is_file))
    });
    let judged = judged.collect::<Option<Vec<_>>>()?;
    let (_, is_field) = *judged.first()?;
    let is_wanted = judged.iter().any(|(is_wanted, _)| *is_wanted);
    (!is_wanted || judged.iter().all(|other| Some(other) == judged.first())).then_some(is_field)
}

/// Returns the parameter of a header's value, as `name="a b"`, or an error where it stands twice or has no end.
fn parameter(value: &[u8], wanted: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let (found, is_whole) = parameters(value, true);
    let mut found = found.into_iter().filter(|(name, _)| name == wanted).map(|(_, text)| text);
    let first = found.next();
    if is_whole && found.next().is_none() { Ok(first) } else { Err(()) }
}

type Parameter = (Vec<u8>, Vec<u8>);

/// Returns the parameters of a header's value by their names in small letters, and whether all have an end.
fn parameters(value: &[u8], is_escaped: bool) -> (Vec<Parameter>, bool) {
    let mut found = Vec::new();
    let mut bytes = value.iter().copied().skip_while(|byte| *byte != b';').skip(1).peekable();
    while bytes.peek().is_some() {
        let name: Vec<u8> = std::iter::from_fn(|| bytes.next_if(|byte| !b"=;".contains(byte))).collect();
        let mut text = Vec::new();
        bytes.next_if_eq(&b'=');
        if bytes.next_if_eq(&b'"').is_some() {
            loop {
                match bytes.next() {
                    None => return (found, false),
                    Some(b'"') => break,
                    // A browser leaves `\` alone, all others put it in front of a quote.
                    Some(b'\\') if is_escaped => {
                        text.push(bytes.next_if(|byte| b"\"\\".contains(byte)).unwrap_or(b'\\'));
                    }
                    Some(byte) => text.push(byte),
                }
            }
        }
        let bare: Vec<u8> = std::iter::from_fn(|| bytes.next_if(|byte| *byte != b';')).collect();
        text.extend(bare.trim_ascii());
        bytes.next();
        found.push((name.trim_ascii().to_ascii_lowercase(), text));
    }
    (found, true)
}

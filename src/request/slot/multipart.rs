//! Fields of a `multipart/form-data` body (RFC 7578), which senders post as soon as a file goes along. A file is no
//! field. What two readers could divide in two ways is refused.

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
    let essence = kind.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_multipart = essence.eq_ignore_ascii_case(b"multipart/form-data");
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

/// Tells whether a part with this head is the field `wanted`; `None` where two readers could disagree.
fn names(head: &[u8], wanted: &[u8]) -> Option<bool> {
    let mut dispositions = head.split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
        name.eq_ignore_ascii_case(b"content-disposition").then_some(value)
    });
    let is_folded = find(head, b"\n ").is_some() || find(head, b"\n\t").is_some();
    match (dispositions.next(), dispositions.next()) {
        (_, Some(_)) => None,
        _ if is_folded => None,
        (None, None) => Some(false),
        (Some(disposition), None) => {
            let is_file = parameter(disposition, b"filename").ok()?.is_some()
                || parameter(disposition, b"filename*").ok()?.is_some();
            Some(parameter(disposition, b"name").ok()?.is_some_and(|name| name == wanted) && !is_file)
        }
    }
}

/// Returns the parameter of a header's value, as `name="a b"`, or an error where it stands twice or has no end.
fn parameter(value: &[u8], wanted: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let mut found = None;
    let mut bytes = value.iter().copied().skip_while(|byte| *byte != b';').skip(1).peekable();
    while bytes.peek().is_some() {
        let name: Vec<u8> = std::iter::from_fn(|| bytes.next_if(|byte| !b"=;".contains(byte))).collect();
        let mut text = Vec::new();
        bytes.next_if_eq(&b'=');
        if bytes.next_if_eq(&b'"').is_some() {
            loop {
                match bytes.next().ok_or(())? {
                    b'"' => break,
                    // A browser leaves `\` alone, all others put it in front of a quote.
                    b'\\' => text.push(bytes.next_if(|byte| b"\"\\".contains(byte)).unwrap_or(b'\\')),
                    byte => text.push(byte),
                }
            }
        }
        let bare: Vec<u8> = std::iter::from_fn(|| bytes.next_if(|byte| *byte != b';')).collect();
        text.extend(bare.trim_ascii());
        bytes.next();
        if name.trim_ascii().eq_ignore_ascii_case(wanted) && found.replace(text).is_some() {
            return Err(());
        }
    }
    Ok(found)
}

//! How templates are written: literal text, slots in braces, and, where brackets mean something, parts in them that are
//! left out where a slot in them is absent. Signed messages, events and answers each have slots of their own, and fill
//! them in their own way.

/// What means something in a template of text and slots.
pub const BRACES: &[char] = &['{', '}'];

/// And in one that has parts in brackets.
pub const BRACES_AND_BRACKETS: &[char] = &['{', '}', '[', ']'];

/// A part of a template; `S` is a slot as its reader has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<S> {
    /// Text as it is.
    Text(Box<str>),
    /// What stands in braces.
    Slot(S),
    /// Left out where a slot in it is absent.
    Optional(Vec<Part<S>>),
}

/// Reads a template, each slot by `slot`, or says what is wrong with it.
pub fn parse<S>(
    text: &str,
    marks: &[char],
    slot: &mut dyn FnMut(&str) -> Result<S, String>,
) -> Result<Vec<Part<S>>, String> {
    let mut rest = text;
    sequence(&mut rest, false, marks, slot)
}

/// Reads up to the end, or to the closing bracket when `inside` one.
fn sequence<S>(
    rest: &mut &str,
    inside: bool,
    marks: &[char],
    slot: &mut dyn FnMut(&str) -> Result<S, String>,
) -> Result<Vec<Part<S>>, String> {
    let mut parts = Vec::new();
    loop {
        let (literal, tail) = rest.split_at(rest.find(marks).unwrap_or(rest.len()));
        parts.extend((!literal.is_empty()).then(|| Part::Text(literal.into())));
        let mut characters = tail.chars();
        let mark = characters.next();
        *rest = characters.as_str();
        match mark {
            Some('{') => {
                // Of a quote without an end the slot's reader tells.
                let ends = cut(rest, '}').or_else(|| rest.split_once('}'));
                let (read, behind) = ends.ok_or("a `{` is not closed by `}`")?;
                parts.push(Part::Slot(slot(read)?));
                *rest = behind;
            }
            Some('[') if !inside => parts.push(Part::Optional(sequence(rest, true, marks, slot)?)),
            Some(']') if inside => return Ok(parts),
            None if !inside => return Ok(parts),
            Some(mark) => return Err(format!("a `{mark}` stands where none belongs")),
            None => return Err("a `[` is not closed by `]`".to_owned()),
        }
    }
}

/// Returns the slots between bars.
pub fn alternatives(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (slot, behind) = cut(rest?, '|').map_or((rest?, None), |(slot, behind)| (slot, Some(behind)));
        rest = behind;
        Some(slot.trim())
    })
}

/// Cuts a text at a character outside of constants in quotes; one of these begins a slot.
fn cut(text: &str, at: char) -> Option<(&str, &str)> {
    let (mut is_quoted, mut begins) = (false, true);
    let place = text.find(|c: char| {
        let is_here = c == at && !is_quoted;
        is_quoted ^= c == '\'' && (is_quoted || begins);
        begins = c == '|' || (begins && c == ' ');
        is_here
    })?;
    Some((text.get(..place)?, text.get(place + at.len_utf8()..)?))
}

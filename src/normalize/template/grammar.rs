//! Reads templates: literal text, slots in braces with alternatives between bars, and brackets around what may be
//! left out. Pointers are gathered in tries, so that a scan finds all of them in one pass.

use super::{Part, Place};
use crate::{delivery::slot::Slot, normalize::json::Pointers};

/// Hex digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// The pointers of a sender, by what they begin at.
#[derive(Debug, Default)]
pub(in crate::normalize) struct Tries {
    /// The body.
    pub(in crate::normalize) whole: Pointers,
    /// One element of a divided body.
    pub(in crate::normalize) element: Pointers,
    /// The value that an element was taken from.
    pub(in crate::normalize) around: Pointers,
}

/// Reads the templates of one sender.
pub(in crate::normalize) struct Grammar<'c> {
    /// What was gathered so far.
    pub(in crate::normalize) tries: Tries,
    /// Where `./` begins, within the body or the element.
    pub(in crate::normalize) root: String,
    /// True where bodies are divided.
    pub(in crate::normalize) is_split: bool,
    /// Whether verification covers what a slot reads.
    pub(in crate::normalize) covers: &'c dyn Fn(&Slot) -> bool,
    /// True once a slot has named a segment of the path.
    pub(in crate::normalize) reads_path: bool,
}

impl Grammar<'_> {
    /// Reads a whole template; one that begins as a slot is one.
    pub(super) fn template(&mut self, text: &str) -> Result<Vec<Part>, String> {
        if begins_a_slot(text) {
            return Ok(vec![Part::Slot(self.alternatives(text)?)]);
        }
        let mut rest = text;
        self.parts(&mut rest, false)
    }

    /// Reads up to the end, or to the closing bracket when `inside` one.
    fn parts(&mut self, rest: &mut &str, inside: bool) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        loop {
            let at = rest.find(['{', '}', '[', ']']).unwrap_or(rest.len());
            let (literal, tail) = rest.split_at(at);
            if !literal.is_empty() {
                parts.push(Part::Text(literal.to_owned()));
            }
            let mut characters = tail.chars();
            let mark = characters.next();
            *rest = characters.as_str();
            match mark {
                Some('{') => {
                    let (slot, behind) = rest.split_once('}').ok_or("a `{` is not closed by `}`")?;
                    parts.push(Part::Slot(self.alternatives(slot)?));
                    *rest = behind;
                }
                Some('[') if !inside => parts.push(Part::Optional(self.parts(rest, true)?)),
                Some(']') if inside => return Ok(parts),
                Some(mark) => return Err(format!("a `{mark}` stands where none belongs")),
                None if inside => return Err("a `[` is not closed by `]`".to_owned()),
                None => return Ok(parts),
            }
        }
    }

    /// Reads the alternatives of one slot.
    pub(in crate::normalize) fn alternatives(&mut self, slot: &str) -> Result<Vec<Place>, String> {
        slot.split('|').map(|place| self.place(place.trim())).collect()
    }

    fn place(&mut self, place: &str) -> Result<Place, String> {
        if place.starts_with('/') {
            return Ok(Place::Whole(self.tries.whole.add(place)));
        }
        if let Some(below) = place.strip_prefix('.').filter(|below| below.starts_with('/')) {
            let pointer = format!("{}{below}", self.root);
            return Ok(if self.is_split {
                Place::Element(self.tries.element.add(&pointer))
            } else {
                Place::Whole(self.tries.whole.add(&pointer))
            });
        }
        if let Some(pointer) = place.strip_prefix("..").filter(|pointer| pointer.starts_with('/')) {
            self.of_a_split(place)?;
            return Ok(Place::Around(self.tries.around.add(pointer)));
        }
        match place.split_once(':').unwrap_or((place, "")) {
            ("uuid", "") => Ok(Place::Fresh),
            ("index", "") => self.of_a_split(place).map(|()| Place::Index),
            ("sha256", "") => Ok(Place::Digest(DIGEST_DIGITS)),
            ("sha256", digits) => match digits.parse() {
                Ok(digits) if (16..=DIGEST_DIGITS).contains(&digits) => Ok(Place::Digest(digits)),
                Ok(_) | Err(_) => Err(format!("`{place}`: expected 16 to {DIGEST_DIGITS} digits")),
            },
            _ => self.of_request(place),
        }
    }

    fn of_a_split(&self, place: &str) -> Result<(), String> {
        self.is_split.then_some(()).ok_or_else(|| format!("`{place}` needs a split body: state `each`"))
    }

    fn of_request(&mut self, place: &str) -> Result<Place, String> {
        if !begins_a_slot(place) && !place.starts_with('\'') {
            return Err(format!(
                "`{place}` is not a slot: expected a pointer as `/data/id`, `./id` or `../id`, `header:NAME`, \
                 `query:NAME`, `form:NAME`, `path:N`, `param:NAME`, `'text'`, `index`, `sha256` or `uuid`"
            ));
        }
        let slot = Slot::parse(place)?;
        self.reads_path |= matches!(slot, Slot::Path(_));
        let is_covered = (self.covers)(&slot);
        Ok(Place::Request { slot, is_covered })
    }
}

/// Tells whether a template is a slot without braces.
pub(super) fn begins_a_slot(text: &str) -> bool {
    ["/", "./", "../", "header:", "query:", "form:", "path:", "param:"]
        .iter()
        .any(|start| text.starts_with(start))
}

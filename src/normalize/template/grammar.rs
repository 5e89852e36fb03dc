//! Reads templates: literal text, slots in braces with alternatives between bars, and brackets around what may be
//! left out. Pointers are gathered in tries, so that a scan finds all of them in one pass.

use crate::{
    normalize::{
        json::Pointers,
        place::{Place, Within},
    },
    request::slot::{
        Slot, Standing,
        template::{self, BRACES_AND_BRACKETS, Part},
    },
};

/// Hex digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// The pointers of a sender, by what they begin at.
#[derive(Debug, Default)]
pub(in crate::normalize) struct Tries {
    pub(in crate::normalize) whole: Pointers,
    pub(in crate::normalize) element: Pointers,
    pub(in crate::normalize) around: Pointers,
}

pub(in crate::normalize) struct Grammar<'c> {
    pub(in crate::normalize) tries: Tries,
    /// Where `./` begins, within the body or the element.
    pub(in crate::normalize) root: String,
    /// How bodies are divided, where they are.
    pub(in crate::normalize) each: Option<&'c str>,
    /// See [`Setting`](crate::normalize::Setting).
    pub(in crate::normalize) standing: &'c dyn Fn(&[Slot], Option<&str>) -> Standing,
    /// True once a slot has named a segment of the path.
    pub(in crate::normalize) reads_path: bool,
}

impl<'c> Grammar<'c> {
    /// Reads a whole template; one that begins as a slot is one, also as the constant `'text'`.
    pub(super) fn template(&mut self, text: &str) -> Result<Vec<Part<Vec<Place>>>, String> {
        if begins_a_slot(text) || text.starts_with('\'') {
            return Ok(vec![Part::Slot(self.alternatives(text)?)]);
        }
        template::parse(text, BRACES_AND_BRACKETS, &mut |slot| self.alternatives(slot))
    }

    /// Reads the alternatives of one slot.
    pub(in crate::normalize) fn alternatives(&mut self, slot: &str) -> Result<Vec<Place>, String> {
        let (mut before, mut of) = (Vec::new(), None);
        template::alternatives(slot).map(|place| self.place(place, (&mut before, &mut of))).collect()
    }

    /// Reads one place; `before` holds the slots in front of it, which are relative to `of`.
    fn place(
        &mut self,
        place: &str,
        (before, of): (&mut Vec<Slot>, &mut Option<&'c str>),
    ) -> Result<Place, String> {
        let (slot, within) = if place.starts_with('/') {
            (Slot::parse(place)?, Some(Within::Whole))
        } else if let Some(below) = place.strip_prefix('.').filter(|below| below.starts_with('/')) {
            let within = if self.each.is_some() { Within::Element } else { Within::Whole };
            (Slot::parse(&format!("{}{below}", self.root))?, Some(within))
        } else if let Some(below) = place.strip_prefix("..").filter(|below| below.starts_with('/')) {
            self.of_a_split(place)?;
            (Slot::parse(below)?, Some(Within::Around))
        } else {
            match place.split_once(':').unwrap_or((place, "")) {
                ("uuid", "") => return Ok(Place::Fresh),
                ("index", "") => return self.of_a_split(place).map(|()| Place::Index),
                ("sha256", digits) => return digest(place, digits),
                _ => (self.of_request(place)?, None),
            }
        };
        let own = match within {
            Some(Within::Element) => self.each,
            // No scheme looks there, and a pointer of the body must not be taken for it.
            Some(Within::Around) => Some(".."),
            Some(Within::Whole) | None => None,
        };
        if *of != own && !before.is_empty() {
            // No message has an empty text between bars: such a list is no scheme's.
            before.insert(0, Slot::Text("".into()));
        }
        *of = own;
        before.push(slot.clone());
        let standing = (self.standing)(before, own);
        let tries = match within {
            Some(Within::Whole) => &mut self.tries.whole,
            Some(Within::Element) => &mut self.tries.element,
            Some(Within::Around) => &mut self.tries.around,
            None => return Ok(Place::Request { slot, standing }),
        };
        let (leaf, within) = (tries.add(&slot.to_string()), within.unwrap_or(Within::Whole));
        Ok(Place::Body { within, leaf, standing })
    }

    fn of_a_split(&self, place: &str) -> Result<(), String> {
        self.each.map(|_| ()).ok_or_else(|| format!("`{place}` needs a split body: state `each`"))
    }

    fn of_request(&mut self, place: &str) -> Result<Slot, String> {
        if !begins_a_slot(place) && !place.starts_with('\'') {
            return Err(format!(
                "`{place}` is not a slot: expected a pointer as `/data/id`, `./id` or `../id`, `header:NAME`, \
                 `query:NAME`, `form:NAME`, `path:N`, `param:NAME`, `'text'`, `index`, `sha256` or `uuid`"
            ));
        }
        let slot = Slot::parse(place)?;
        self.reads_path |= matches!(slot, Slot::Path(_));
        Ok(slot)
    }
}

fn digest(place: &str, digits: &str) -> Result<Place, String> {
    let digits = if digits.is_empty() { Ok(DIGEST_DIGITS) } else { digits.parse() };
    match digits {
        Ok(digits) if (16..=DIGEST_DIGITS).contains(&digits) => Ok(Place::Digest(digits)),
        Ok(_) | Err(_) => Err(format!("`{place}`: expected 16 to {DIGEST_DIGITS} digits")),
    }
}

/// Tells whether a template is a slot without braces.
pub(super) fn begins_a_slot(text: &str) -> bool {
    ["/", "./", "../", "header:", "query:", "form:", "path:", "param:"]
        .iter()
        .any(|start| text.starts_with(start))
}

//! The walk of one JSON text to what is wanted of it: values on the way are entered, all others are skipped without a
//! stack, and every one is checked for JSON's grammar. A [`Pointer`](super::Pointer) walks alone; `normalize` walks along
//! all pointers of a sender at once.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{collections::BTreeSet, fmt};

/// What is wanted of one value.
pub trait Wanted: Copy {
    /// The number of its text, where that is wanted.
    fn text(self) -> Option<usize>;
    /// True where something below it is wanted.
    fn leads_on(self) -> bool;
    /// What is wanted of a member of it, and that member's number among those that are.
    fn member(self, name: &str) -> Option<(usize, Self)>;
    /// What is wanted of an element of it.
    fn element(self, at: usize) -> Option<Self>;
}

/// What takes down what is found.
pub trait Finder<'de, W> {
    /// Takes a text that is wanted.
    fn found(&mut self, number: usize, text: &'de RawValue);
    /// Takes note of a wanted member that stands twice.
    fn repeated(&mut self, of: W, member: usize);
}

/// Reads the value of which something is wanted.
#[derive(Debug)]
pub struct Walk<'f, W, F> {
    /// What.
    pub wanted: W,
    /// What takes it down.
    pub finder: &'f mut F,
}

/// Returns the index that a token of a pointer is: digits without a zero in front.
pub fn index(token: &str) -> Option<usize> {
    let is_index =
        token == "0" || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
    is_index.then(|| token.parse().ok()).flatten()
}

/// Passes over scalars: nothing stands below one.
macro_rules! pass_over {
    ($($visit:ident: $scalar:ty),*) => { $(fn $visit<E>(self, _: $scalar) -> Result<(), E> { Ok(()) })* };
}

impl<'de, W: Wanted, F: Finder<'de, W>> DeserializeSeed<'de> for Walk<'_, W, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(number) = self.wanted.text() else { return deserializer.deserialize_any(self) };
        let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
        self.finder.found(number, raw);
        if !self.wanted.leads_on() {
            return Ok(());
        }
        // A pointer that leads on below another one: the same text is read once more, a level deeper.
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        inner.deserialize_any(self).map_err(serde::de::Error::custom)
    }
}

impl<'de, W: Wanted, F: Finder<'de, W>> Visitor<'de> for Walk<'_, W, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(member) = map.next_key_seed(Name(self.wanted))? {
            let Some((number, wanted)) = member else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if !seen.insert(number) {
                self.finder.repeated(self.wanted, number);
            }
            map.next_value_seed(Walk { wanted, finder: &mut *self.finder })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for at in 0_usize.. {
            let more = match self.wanted.element(at) {
                Some(wanted) => seq.next_element_seed(Walk { wanted, finder: &mut *self.finder })?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    pass_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
}

/// Reads a member's name, without copying it.
struct Name<W>(W);

impl<'de, W: Wanted> DeserializeSeed<'de> for Name<W> {
    type Value = Option<(usize, W)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<W: Wanted> Visitor<'_> for Name<W> {
    type Value = Option<(usize, W)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.member(name))
    }
}

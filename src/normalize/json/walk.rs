//! The walk of one JSON text along the trie of pointers: values on the way to a pointer are entered, all others
//! are skipped, and every value is checked for JSON's grammar.

use super::{Found, Node, Pointers};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Reads the value that belongs to one node of the trie.
pub(super) struct Walk<'t, 'f, 'de> {
    pub(super) pointers: &'t Pointers,
    pub(super) node: usize,
    pub(super) found: &'f mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(node) = self.pointers.node(self.node) else { return Ok(()) };
        let Some(leaf) = node.leaf else { return deserializer.deserialize_any(self) };
        let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
        if let Some(value) = self.found.values.get_mut(leaf) {
            *value = Some(raw);
        }
        if node.children.is_empty() {
            return Ok(());
        }
        // A pointer that leads on below another one: the same text is read once more, a level deeper.
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        inner.deserialize_any(self).map_err(serde::de::Error::custom)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(node) = self.pointers.node(self.node) else { return Ok(()) };
        let mut seen = 0_u64;
        while let Some(child) = map.next_key_seed(Child(node))? {
            let Some((index, child)) = child else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let bit = 1_u64.checked_shl(u32::try_from(index).unwrap_or(u32::MAX)).unwrap_or(0);
            if seen & bit != 0 && self.found.repeated.is_none() {
                self.found.repeated = node.children.get(index).map(|(name, _)| name.clone());
            }
            seen |= bit;
            map.next_value_seed(Walk { pointers: self.pointers, node: child, found: &mut *self.found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some(node) = self.pointers.node(self.node) else { return Ok(()) };
        let mut index = 0_usize;
        loop {
            let name = index.to_string();
            let more = match node.children.iter().find(|(child, _)| *child == name) {
                Some((_, child)) => seq
                    .next_element_seed(Walk {
                        pointers: self.pointers,
                        node: *child,
                        found: &mut *self.found,
                    })?
                    .is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a member's name as the child of a node that it leads to, if any, without copying it.
struct Child<'t>(&'t Node);

impl<'de> DeserializeSeed<'de> for Child<'_> {
    type Value = Option<(usize, usize)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Child<'_> {
    type Value = Option<(usize, usize)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self
            .0
            .children
            .iter()
            .enumerate()
            .find(|(_, (child, _))| child == name)
            .map(|(i, (_, node))| (i, *node)))
    }
}

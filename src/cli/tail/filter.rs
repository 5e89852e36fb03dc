//! Which records are shown: globs over what they say of themselves.

use super::row::Row;
use std::{convert::Infallible, str::FromStr};
use wildmatch::WildMatch;

/// A pattern in which `*` stands for any text and `?` for one character.
#[derive(Debug, Clone)]
pub(super) struct Glob(WildMatch);

impl Glob {
    /// Tells whether the whole text fits.
    pub(super) fn takes(&self, text: &str) -> bool {
        self.0.matches(text)
    }
}

impl FromStr for Glob {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(WildMatch::new(text)))
    }
}

/// All patterns of one call; what is left out takes everything.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) source: Option<Glob>,
    pub(super) kind: Option<Glob>,
    pub(super) key: Option<Glob>,
    pub(super) topic: Option<Glob>,
}

impl Filter {
    /// True where nothing is left out.
    pub(super) fn takes_all(&self) -> bool {
        self.source.is_none() && self.kind.is_none() && self.key.is_none() && self.topic.is_none()
    }

    /// Tells whether a record is shown.
    pub(super) fn takes(&self, row: &Row) -> bool {
        if self.takes_all() {
            return true;
        }
        let attributes = row.attributes();
        let fits = |glob: &Option<Glob>, text: Option<&str>| {
            glob.as_ref().is_none_or(|glob| text.is_some_and(|text| glob.takes(text)))
        };
        fits(&self.topic, Some(&row.destination))
            && fits(&self.source, attributes.get("hookwaysource"))
            && fits(&self.kind, attributes.get("type"))
            && fits(&self.key, row.key.as_deref().or(attributes.get("partitionkey")))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::row::Place, *};

    fn row() -> Row {
        let value = br#"{"specversion":"1.0","type":"com.acme.order.paid","hookwaysource":"shop","partitionkey":"order:7"}"#;
        Row {
            destination: "shop.orders".to_owned(),
            place: Place::Journal { sequence: 1 },
            key: Some("order:7".to_owned()),
            headers: Vec::new(),
            value: value.as_slice().into(),
            timestamp_ms: 0,
        }
    }

    fn glob(text: &str) -> Option<Glob> {
        text.parse().ok()
    }

    #[test]
    fn all_given_patterns_must_fit() {
        let takes = |filter: Filter| filter.takes(&row());
        assert!(takes(Filter::default()));
        assert!(takes(Filter {
            source: glob("shop"),
            kind: glob("*.order.*"),
            key: glob("order:?"),
            topic: glob("shop.*")
        }));
        assert!(!takes(Filter { source: glob("shop"), kind: glob("*.refund.*"), ..Filter::default() }));
        assert!(!takes(Filter { topic: glob("orders"), ..Filter::default() }));
    }

    #[test]
    fn what_a_record_does_not_say_fits_no_pattern() {
        let bare = Row { key: None, value: bytes::Bytes::from_static(b"hello"), ..row() };
        assert!(!Filter { key: glob("*"), ..Filter::default() }.takes(&bare));
    }
}

//! Which records are shown: globs over what they say of themselves.

use super::row::Row;
use clap::{
    Args,
    builder::{StringValueParser, TypedValueParser},
};
use wildmatch::WildMatch;

/// All patterns of one call; what is left out takes everything.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Filter {
    /// Only events of these sources; `*` stands for any text
    #[arg(long, value_name = "GLOB", value_parser = glob())]
    source: Option<WildMatch>,
    /// Only events of these types
    #[arg(long = "type", value_name = "GLOB", value_parser = glob())]
    kind: Option<WildMatch>,
    /// Only events with these keys
    #[arg(long, value_name = "GLOB", value_parser = glob())]
    key: Option<WildMatch>,
    /// Only records in these topics or subjects
    #[arg(long, visible_alias = "subject", value_name = "GLOB", value_parser = glob())]
    pub(in crate::cli) topic: Option<WildMatch>,
}

fn glob() -> impl TypedValueParser<Value = WildMatch> {
    StringValueParser::new().map(|text| WildMatch::new(&text))
}

impl Filter {
    /// True where nothing is left out.
    pub(in crate::cli) fn takes_all(&self) -> bool {
        self.source.is_none() && self.kind.is_none() && self.key.is_none() && self.topic.is_none()
    }

    /// Tells whether a record is shown.
    pub(in crate::cli) fn takes(&self, row: &Row) -> bool {
        if self.takes_all() {
            return true;
        }
        let attributes = row.attributes();
        let fits = |glob: &Option<WildMatch>, text: Option<&str>| {
            glob.as_ref().is_none_or(|glob| text.is_some_and(|text| glob.matches(text)))
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

    #[test]
    fn all_given_patterns_must_fit() {
        let takes = |filter: Filter| filter.takes(&row());
        assert!(takes(Filter::default()));
        assert!(takes(Filter {
            source: Some(WildMatch::new("shop")),
            kind: Some(WildMatch::new("*.order.*")),
            key: Some(WildMatch::new("order:?")),
            topic: Some(WildMatch::new("shop.*"))
        }));
        assert!(!takes(Filter {
            source: Some(WildMatch::new("shop")),
            kind: Some(WildMatch::new("*.refund.*")),
            ..Filter::default()
        }));
        assert!(!takes(Filter { topic: Some(WildMatch::new("orders")), ..Filter::default() }));
    }

    #[test]
    fn what_a_record_does_not_say_fits_no_pattern() {
        let bare = Row { key: None, value: bytes::Bytes::from_static(b"hello"), ..row() };
        assert!(!Filter { key: Some(WildMatch::new("*")), ..Filter::default() }.takes(&bare));
    }
}

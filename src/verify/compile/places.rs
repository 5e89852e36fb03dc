//! Reads where a signature stands and how it is written there.

use super::Reader;
use crate::{
    request::slot::Texts,
    verify::{grammar::Prefix, place::Place, spec::MissingHash, value::fill},
};
use http::HeaderName;

impl Reader<'_> {
    /// Returns where the signature or token stands; `default` is its header where none is named.
    pub(super) fn place(&mut self, default: Option<&'static str>) -> Option<Place> {
        let spec = self.spec;
        if spec.member.is_none() && spec.missing_hash.is_some() {
            self.report("missing_hash", "it is about a `member`, and none is named", "take it away");
        }
        match (&spec.header, spec.from.as_deref(), spec.member.as_deref()) {
            (None, None, Some("")) => {
                self.report("member", "it is empty", "name the body's member that holds the digest");
                None
            }
            (None, None, Some(member)) => {
                let may_lack = spec.missing_hash == Some(MissingHash::AcceptUnverified);
                Some(Place::Member { name: member.into(), may_lack })
            }
            (None, Some(from), None) => self.slots("from", from).map(Place::Slot),
            (Some(header), None, None) => self.headers(header),
            (None, None, None) => {
                if default.is_none() {
                    self.report("header", "it is not set", "name the header in which the sender puts it");
                }
                default.map(|name| Place::Headers(Box::new([HeaderName::from_static(name)])))
            }
            (_, _, member) => {
                let field = if member.is_some() { "member" } else { "from" };
                let problem = "a signature stands in a `header`, a `member` or a slot, not in two";
                self.report(field, problem, "keep one");
                None
            }
        }
    }

    fn headers(&mut self, names: &Texts) -> Option<Place> {
        if let Texts::One(name) = names
            && let Some(beginning) = name.strip_suffix('*')
        {
            return self
                .header("header", Some(&format!("{beginning}1")))
                .map(|_| Place::Numbered(beginning.to_ascii_lowercase().into()));
        }
        let names: Option<Vec<HeaderName>> =
            names.iter().map(|name| self.header("header", Some(name))).collect();
        let names = names.filter(|names| !names.is_empty())?;
        Some(Place::Headers(names.into()))
    }

    pub(super) fn header(&mut self, field: &'static str, name: Option<&str>) -> Option<HeaderName> {
        let parsed = name.and_then(|name| HeaderName::try_from(name).ok());
        match name {
            Some(name) if parsed.is_none() => {
                self.report(field, format!("`{name}` is not a header's name"), "write it as `x-signature`");
            }
            None => self.report(field, "it is not set", "name the header in which the sender puts it"),
            Some(_) => {}
        }
        parsed
    }

    pub(super) fn prefix(&mut self, default: &str) -> Prefix {
        let text = self.spec.prefix.as_deref().unwrap_or(default);
        let text = fill(text, self.params).unwrap_or_else(|problem| {
            self.report("prefix", problem, "set the constant, or take it out of the prefix");
            String::new()
        });
        let is_optional = self.spec.prefix_optional.unwrap_or_default();
        if is_optional && text.is_empty() {
            let problem = "there is no `prefix` to leave out";
            self.report("prefix_optional", problem, "set `prefix`, or take it away");
        }
        Prefix { text: text.into(), is_optional }
    }

    pub(super) fn separator(&mut self) -> Option<Box<str>> {
        let separator = self.spec.separator.as_deref()?;
        if separator.is_empty() {
            let fix = "write what stands between two signatures, or take it away";
            self.report("separator", "it is empty", fix);
        }
        Some(separator.into())
    }
}

//! Where a signature or token stands in a request: in a header, in one of several, in a slot, or in a member of the
//! body that it signs. Reads it for the check.

use super::{
    VerifyError, demanded_header,
    member::{self, Found},
    value::{OneOf, Subject},
};
use crate::request::Withheld;
use http::HeaderName;
use std::borrow::Cow;

pub(super) enum Place {
    /// The first of these headers that is there.
    Headers(Box<[HeaderName]>),
    /// Every header with this beginning and a number behind it, as `x-docusign-signature-1`.
    Numbered(Box<str>),
    Slot(OneOf),
    /// A member of the body, which the message leaves out.
    Member {
        name: Box<str>,
        /// True where a body without it is taken, as unverified.
        may_lack: bool,
    },
}

pub(super) enum Claimed<'r> {
    Text(Cow<'r, str>),
    Lines(Vec<&'r str>),
    Member(Found<'r>),
    /// Nothing, and that is allowed.
    Nothing,
}

impl Claimed<'_> {
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let (one, several) = match self {
            Self::Text(text) => (Some(&**text), [].as_slice()),
            Self::Member(found) => (Some(&*found.value), [].as_slice()),
            Self::Lines(lines) => (None, lines.as_slice()),
            Self::Nothing => (None, [].as_slice()),
        };
        one.into_iter().chain(several.iter().copied())
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Lines(_) | Self::Member(_) | Self::Nothing => None,
        }
    }

    /// Returns the member that is to be cut out.
    pub(super) fn found(&self) -> Option<&Found<'_>> {
        match self {
            Self::Member(found) => Some(found),
            Self::Text(_) | Self::Lines(_) | Self::Nothing => None,
        }
    }
}

impl Place {
    /// Returns the name of the body's member that the message does not hold.
    pub(super) fn member(&self) -> Option<&str> {
        match self {
            Self::Member { name, .. } => Some(name),
            Self::Headers(_) | Self::Numbered(_) | Self::Slot(_) => None,
        }
    }

    /// Adds where a credential may stand outside the body.
    pub(super) fn withhold(&self, withheld: &mut Withheld) {
        match self {
            Self::Headers(names) => withheld.headers.extend(names.iter().cloned()),
            Self::Slot(slots) => slots.withhold(withheld),
            Self::Numbered(_) | Self::Member { .. } => {}
        }
    }

    pub(super) fn read<'r>(&'r self, subject: Subject<'r>) -> Result<Claimed<'r>, VerifyError> {
        let request = subject.request;
        match self {
            Self::Headers(names) => {
                let there = names.iter().find(|name| request.headers.contains_key(*name));
                // Which one is missing is said of the first.
                let Some(name) = there.or(names.first()) else { return Ok(Claimed::Nothing) };
                demanded_header(&request.headers, name).map(|text| Claimed::Text(text.into()))
            }
            Self::Numbered(beginning) => {
                let is_wanted = |name: &HeaderName| {
                    let number = name.as_str().strip_prefix(&**beginning);
                    number.is_some_and(|number| {
                        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                    })
                };
                let lines = request.headers.iter().filter(|(name, _)| is_wanted(name));
                let lines: Vec<&str> =
                    lines.filter_map(|(_, line)| std::str::from_utf8(line.as_bytes()).ok()).collect();
                if lines.is_empty() {
                    return Err(VerifyError::Missing(format!("header `{beginning}1`")));
                }
                Ok(Claimed::Lines(lines))
            }
            Self::Slot(slots) => slots.demand(subject).map(Claimed::Text),
            Self::Member { name, may_lack } => match member::find(&request.body, name)? {
                Some(found) => Ok(Claimed::Member(found)),
                None if *may_lack => Ok(Claimed::Nothing),
                None => Err(VerifyError::Missing(format!("member `{name}`"))),
            },
        }
    }
}

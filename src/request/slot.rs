//! Slots: the one small language in which a sender document names a value of a request. Signed messages, where
//! a signature stands, handshakes and events all read a request through it.
//!
//! | slot | value |
//! |---|---|
//! | `header:NAME` | a header that stands once |
//! | `query:NAME`, `form:NAME` | a parameter of the query, a field of a form body (urlencoded or multipart), decoded |
//! | `form:NAME/pointer` | a value in the JSON text that a form field holds |
//! | `path:N` | the N-th segment of the path behind `/hooks/<source>`, decoded |
//! | `/pointer` | a scalar of the JSON body, by RFC 6901 |
//! | `param:NAME` | a constant of the configuration |
//! | `'text'` | a constant of the document |
//!
//! Whatever stands twice is refused and never chosen from: two readers of one request could choose differently.

pub mod form;
mod multipart;
mod pointer;
pub mod template;
mod texts;
pub mod walk;

pub use pointer::{Pointer, scalar};
pub use texts::Texts;

use super::Request;
use http::{HeaderName, header};
use percent_encoding::percent_decode_str;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The segments of a path that lead to a source: what is in front of `/`, `hooks`, and the source's name.
pub(super) const SOURCE_SEGMENTS: usize = 3;

/// The last segment that a slot may name.
const MOST_SEGMENTS: usize = 8;

/// The constants of a document and its source, by name.
pub type Params = BTreeMap<Box<str>, Box<str>>;

/// Where one value of a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// A header.
    Header(HeaderName),
    /// A parameter of the query.
    Query(Box<str>),
    /// A field of a form body, or a value in the JSON text that it holds.
    Form(Box<str>, Option<Pointer>),
    /// A segment of the path behind the source's own, from 1.
    Path(usize),
    /// A scalar of a JSON body.
    Json(Pointer),
    /// A constant of the configuration.
    Param(Box<str>),
    /// A constant.
    Text(Box<str>),
}

/// Why a slot gives no value, though something stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// It stands more than once.
    #[error("{0} stands more than once")]
    Repeated(String),
    /// It is not written the way its place prescribes.
    #[error("{0}")]
    Malformed(String),
}

/// How far a value can be believed; less towards the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is signed: a changed value fails the check.
    Signed,
    /// Nothing is signed, and a secret proves who sent it.
    Vouched,
    /// Nobody was proven.
    Unproven,
    /// It is not signed, and something else is: whoever has one request can change it and send it again.
    Open,
}

impl Slot {
    /// Reads one slot, as `header:x-id`, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Pointer::parse(text).map(Self::Json);
        }
        if let Some(inner) = text.strip_prefix('\'') {
            let inner = inner.strip_suffix('\'').ok_or_else(|| format!("`{text}` lacks its second `'`"))?;
            if inner.contains('\'') {
                return Err(format!("`{text}`: a text between `'` holds no further `'`"));
            }
            return Ok(Self::Text(inner.into()));
        }
        match text.split_once(':').filter(|(_, name)| !name.is_empty()) {
            Some(("header", name)) => HeaderName::try_from(name)
                .map(Self::Header)
                .map_err(|_| format!("`{text}` does not name a header")),
            Some(("query", name)) => Ok(Self::Query(name.into())),
            Some(("form", name)) => match name.find('/').and_then(|at| name.split_at_checked(at)) {
                Some((name, pointer)) => Ok(Self::Form(name.into(), Some(Pointer::parse(pointer)?))),
                None => Ok(Self::Form(name.into(), None)),
            },
            Some(("path", number)) => match number.parse() {
                Ok(number) if (1..=MOST_SEGMENTS).contains(&number) => Ok(Self::Path(number)),
                Ok(_) | Err(_) => Err(format!("`{text}`: expected a number from 1 to {MOST_SEGMENTS}")),
            },
            Some(("param", name)) => Ok(Self::Param(name.into())),
            _ => Err(format!(
                "`{text}` is not a slot: expected `header:NAME`, `query:NAME`, `form:NAME`, `path:N`, \
                 `param:NAME`, a pointer as `/data/id`, or `'text'`"
            )),
        }
    }

    /// True where it stands in the body.
    pub fn is_in_body(&self) -> bool {
        matches!(self, Self::Form(..) | Self::Json(_))
    }

    /// Returns the value that stands there: `None` where there is none, where a JSON value is `null`, and where
    /// it is no scalar.
    pub fn read<'r>(
        &'r self,
        request: &'r Request,
        params: &'r Params,
    ) -> Result<Option<Cow<'r, str>>, SlotError> {
        match self {
            Self::Header(name) => {
                let mut lines = request.headers.get_all(name).iter();
                let Some(line) = lines.next() else { return Ok(None) };
                let value =
                    std::str::from_utf8(line.as_bytes()).map_err(|_| self.malformed("is not text"))?;
                self.once(lines.next().is_none(), value.into())
            }
            Self::Query(name) => self.field(request.uri.query().unwrap_or_default().as_bytes(), name),
            Self::Form(name, None) => self.form(request, name),
            Self::Form(name, Some(pointer)) => {
                let Some(text) = self.form(request, name)? else { return Ok(None) };
                let value = pointer.scalar(&text).map_err(|error| self.inside(error))?;
                Ok(value.map(|value| Cow::Owned(value.into_owned())))
            }
            Self::Path(number) => {
                let segments = request.uri.path().split('/').skip(SOURCE_SEGMENTS);
                let Some(segment) = segments.filter(|segment| !segment.is_empty()).nth(number - 1) else {
                    return Ok(None);
                };
                let decoded = percent_decode_str(segment).decode_utf8();
                decoded.map(Some).map_err(|_| self.malformed("is not UTF-8"))
            }
            Self::Json(pointer) => {
                let text = std::str::from_utf8(&request.body);
                let text = text.map_err(|_| SlotError::Malformed("the body is not UTF-8".to_owned()))?;
                pointer.scalar(text)
            }
            Self::Param(name) => Ok(params.get(name).map(|value| Cow::Borrowed(&**value))),
            Self::Text(text) => Ok(Some(Cow::Borrowed(text))),
        }
    }

    /// Returns the one field of this name in a form.
    fn form<'r>(&self, request: &'r Request, name: &str) -> Result<Option<Cow<'r, str>>, SlotError> {
        if !form::is_form(&request.headers) {
            return Ok(None);
        }
        if request.headers.get_all(header::CONTENT_TYPE).iter().nth(1).is_some() {
            return Err(SlotError::Repeated("`header:content-type` of a form".to_owned()));
        }
        let Some(boundary) = multipart::boundary(&request.headers) else {
            return self.field(&request.body, name);
        };
        let fields = multipart::fields(&request.body, &boundary, name.as_bytes());
        let fields = fields.map_err(|problem| SlotError::Malformed(format!("the form {problem}")))?;
        self.only(fields.into_iter().map(Cow::Borrowed))
    }

    /// Returns the one field of this name in an encoded text.
    fn field<'r>(&self, text: &'r [u8], name: &str) -> Result<Option<Cow<'r, str>>, SlotError> {
        let fields = form::values(text, name.as_bytes()).map_err(|problem| self.malformed(problem))?;
        self.only(fields.into_iter())
    }

    fn only<'r>(
        &self,
        mut fields: impl Iterator<Item = Cow<'r, [u8]>>,
    ) -> Result<Option<Cow<'r, str>>, SlotError> {
        let Some(value) = fields.next() else { return Ok(None) };
        let value = match value {
            Cow::Borrowed(value) => std::str::from_utf8(value).ok().map(Cow::Borrowed),
            Cow::Owned(value) => String::from_utf8(value).ok().map(Cow::Owned),
        };
        self.once(fields.next().is_none(), value.ok_or_else(|| self.malformed("is not UTF-8"))?)
    }

    fn once<'r>(&self, is_once: bool, value: Cow<'r, str>) -> Result<Option<Cow<'r, str>>, SlotError> {
        if is_once { Ok(Some(value)) } else { Err(SlotError::Repeated(format!("`{self}`"))) }
    }

    fn malformed(&self, what: &str) -> SlotError {
        SlotError::Malformed(format!("`{self}` {what}"))
    }

    fn inside(&self, error: SlotError) -> SlotError {
        match error {
            SlotError::Repeated(what) => SlotError::Repeated(format!("{what} in `{self}`")),
            SlotError::Malformed(_) => self.malformed("does not hold JSON"),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Form(name, None) => write!(f, "form:{name}"),
            Self::Form(name, Some(pointer)) => write!(f, "form:{name}{pointer}"),
            Self::Path(number) => write!(f, "path:{number}"),
            Self::Json(pointer) => pointer.fmt(f),
            Self::Param(name) => write!(f, "param:{name}"),
            Self::Text(text) => write!(f, "'{text}'"),
        }
    }
}

#[cfg(test)]
mod tests;

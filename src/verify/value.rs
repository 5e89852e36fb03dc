//! Values of a request that a scheme reads: the slots of the whole project, and two that only a check knows:
//! `field:NAME`, an entry of the signature's own list, and `./pointer`, relative to the element that is checked.

use super::{VerifyError, header};
use crate::request::{
    Request, Withheld,
    slot::{Params, Pointer, Slot, SlotError, template::alternatives},
};
use http::HeaderName;
use std::{borrow::Cow, fmt};

/// What one check reads.
#[derive(Clone, Copy)]
pub(super) struct Subject<'r> {
    pub(super) request: &'r Request,
    /// The JSON text of the element, for a scheme that checks one by one.
    pub(super) element: Option<&'r str>,
    /// The signature's list, for a scheme that has one.
    pub(super) fields: Option<Fields<'r>>,
}

/// A list of entries, as `t=1,v1=abc`.
#[derive(Clone, Copy)]
pub(super) struct Fields<'r> {
    pub(super) text: &'r str,
    pub(super) separator: &'r str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Slot(Slot),
    Field(Box<str>),
    Element(Pointer),
}

/// Places between bars: the first that holds something counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OneOf(pub(super) Box<[Value]>);

/// The constants of slots were put in their place when the scheme was compiled.
static NO_PARAMS: Params = Params::new();

impl<'r> Subject<'r> {
    pub(super) fn new(request: &'r Request) -> Self {
        Self { request, element: None, fields: None }
    }
}

impl<'r> Fields<'r> {
    /// Returns the value of the entry `name=`, which must stand once.
    fn get(self, name: &str) -> Result<Option<&'r str>, VerifyError> {
        let value = |entry: &'r str| entry.trim_ascii().strip_prefix(name)?.strip_prefix('=');
        let mut values = self.text.split(self.separator).filter_map(value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(VerifyError::Repeated(format!("`{name}=` of the signature"))),
        }
    }
}

impl Value {
    /// Reads one place, or says what is wrong with it; constants are taken from `params`.
    fn parse(text: &str, params: &Params) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("field:").filter(|name| !name.is_empty()) {
            return Ok(Self::Field(name.into()));
        }
        if let Some(pointer) = text.strip_prefix('.').filter(|rest| rest.starts_with('/')) {
            return Pointer::parse(pointer).map(Self::Element);
        }
        match Slot::parse(text)? {
            Slot::Param(name) => match params.get(&name) {
                Some(value) => Ok(Self::Slot(Slot::Text(value.clone()))),
                None => Err(format!("the constant `{name}` is not set: add it to `params`")),
            },
            slot @ (Slot::Header(_)
            | Slot::Query(_)
            | Slot::Form(..)
            | Slot::Path(_)
            | Slot::Json(_)
            | Slot::Text(_)) => Ok(Self::Slot(slot)),
        }
    }

    fn read<'r>(&'r self, subject: Subject<'r>) -> Result<Option<Cow<'r, str>>, VerifyError> {
        match self {
            Self::Slot(Slot::Header(name)) => Ok(header(&subject.request.headers, name)?.map(Cow::Borrowed)),
            Self::Slot(slot) => Ok(slot.read(subject.request, &NO_PARAMS)?),
            Self::Field(name) => match subject.fields {
                Some(fields) => Ok(fields.get(name)?.map(Cow::Borrowed)),
                None => Ok(None),
            },
            Self::Element(pointer) => match subject.element {
                Some(element) => Ok(pointer.scalar(element)?),
                None => Ok(None),
            },
        }
    }
}

impl OneOf {
    pub(super) fn parse(text: &str, params: &Params) -> Result<Self, String> {
        alternatives(text).map(|place| Value::parse(place, params)).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the first value that is there; an empty one is there.
    pub(super) fn read<'r>(&'r self, subject: Subject<'r>) -> Result<Option<Cow<'r, str>>, VerifyError> {
        for value in &self.0 {
            if let Some(text) = value.read(subject)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    pub(super) fn demand<'r>(&'r self, subject: Subject<'r>) -> Result<Cow<'r, str>, VerifyError> {
        self.read(subject)?.ok_or_else(|| VerifyError::Missing(self.to_string()))
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter().filter_map(|value| match value {
            Value::Slot(Slot::Header(name)) => Some(name),
            Value::Slot(_) | Value::Field(_) | Value::Element(_) => None,
        })
    }

    /// Adds the places, or that the body is one.
    pub(super) fn withhold(&self, withheld: &mut Withheld) {
        for value in &self.0 {
            match value {
                Value::Slot(slot) => withheld.add(slot),
                Value::Element(_) => withheld.body = true,
                Value::Field(_) => {}
            }
        }
    }

    /// Returns the header that counts whatever else stands in the request.
    pub(super) fn first_header(&self) -> Option<&HeaderName> {
        match self.0.first() {
            Some(Value::Slot(Slot::Header(name))) => Some(name),
            Some(Value::Slot(_) | Value::Field(_) | Value::Element(_)) | None => None,
        }
    }

    /// True where one of the places stands in the body as JSON.
    pub(super) fn is_in_json(&self) -> bool {
        self.0.iter().all(|value| matches!(value, Value::Slot(Slot::Json(_)) | Value::Element(_)))
    }

    /// Returns the names of the list's entries among the places.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|value| match value {
            Value::Field(name) => Some(&**name),
            Value::Slot(_) | Value::Element(_) => None,
        })
    }

    pub(super) fn is_relative(&self) -> bool {
        self.0.iter().any(|value| matches!(value, Value::Element(_)))
    }
}

impl fmt::Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, value) in self.0.iter().enumerate() {
            let bar = if at == 0 { "" } else { "|" };
            match value {
                // It may have come from a parameter, which may be a secret.
                Value::Slot(Slot::Text(_)) => write!(f, "{bar}'…'")?,
                Value::Slot(slot) => write!(f, "{bar}{slot}")?,
                Value::Field(name) => write!(f, "{bar}field:{name}")?,
                Value::Element(pointer) => write!(f, "{bar}.{pointer}")?,
            }
        }
        Ok(())
    }
}

impl From<SlotError> for VerifyError {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::Repeated(what) => Self::Repeated(what),
            SlotError::Malformed(what) => Self::Malformed(what),
        }
    }
}

/// Fills `{param:NAME}` into a text, or says which constant is not set.
pub(super) fn fill(text: &str, params: &Params) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((literal, tail)) = rest.split_once("{param:") {
        let (name, tail) =
            tail.split_once('}').ok_or_else(|| format!("`{text}` has a brace that is not closed"))?;
        let value = params
            .get(name)
            .ok_or_else(|| format!("the constant `{name}` is not set: add it to `params`"))?;
        filled.push_str(literal);
        filled.push_str(value);
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

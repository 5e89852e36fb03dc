//! Which requests a handshake takes: slots that must have a value, a certain text, or a certain form.

use super::{RespondError, spec::ValueForm, value::Value};
use crate::{
    request::{
        Request,
        slot::{Params, Slot},
    },
    verify::{is_equal, is_token},
};
use std::borrow::Cow;

/// What must hold for a request besides its method.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) has: Vec<Value>,
    pub(super) is: Vec<(Value, Vec<Expected>)>,
    pub(super) matches: Vec<(Value, ValueForm)>,
}

#[derive(Debug)]
pub(super) enum Expected {
    Text(Box<str>),
    Param(Box<str>),
}

impl Condition {
    /// Returns true where a request is the handshake. What can't be read, or stands twice, is not it.
    pub(super) fn holds(&self, request: &Request, params: &Params) -> Result<bool, RespondError> {
        let read = |value| present(value, request, params);
        if !self.has.iter().all(|value| read(value).is_some_and(|value| !value.is_empty())) {
            return Ok(false);
        }
        if !self.matches.iter().all(|(value, form)| read(value).is_some_and(|value| form.fits(&value))) {
            return Ok(false);
        }
        let mut unset = None;
        for (value, expected) in &self.is {
            let Some(value) = read(value) else { return Ok(false) };
            let texts = expected.iter().filter_map(|expected| expected.text(params));
            // Every text is compared: the time must not tell which one is right.
            let is_one = texts.fold(false, |hit, text| is_equal(&value, text) | hit);
            let lacking = expected.iter().find(|expected| expected.text(params).is_none());
            match lacking.and_then(Expected::param) {
                _ if is_one => {}
                Some(name) => unset = Some(name),
                None => return Ok(false),
            }
        }
        // Asked for last: what is no handshake must not fail for the lack of a constant.
        unset.map_or(Ok(true), |name| Err(RespondError::Unset(name.into())))
    }

    /// Returns where a word stands that only the operator and the sender know.
    pub(super) fn words(&self) -> impl Iterator<Item = &Value> {
        let known = self.is.iter().filter(|(_, texts)| texts.iter().any(|text| text.param().is_some()));
        known.map(|(value, _)| value)
    }
}

impl Expected {
    /// Reads `{param:NAME}`, or takes the text as it is.
    pub(super) fn parse(text: &str) -> Self {
        let param = text.strip_prefix("{param:").and_then(|text| text.strip_suffix('}'));
        param.map_or_else(|| Self::Text(text.into()), |name| Self::Param(name.into()))
    }

    fn text<'p>(&'p self, params: &'p Params) -> Option<&'p str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Param(name) => params.get(name).map(|value| &**value),
        }
    }

    pub(super) fn param(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Param(name) => Some(name),
        }
    }
}

impl ValueForm {
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Hex => {
                (1..=64).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            Self::Token => is_token(value.bytes()),
        }
    }
}

/// Returns what stands at the first present of some slots; nothing where one on the way can't be read.
fn present<'r>(value: &'r Value, request: &'r Request, params: &'r Params) -> Option<Cow<'r, str>> {
    let read = |slot: &'r Slot| slot.read(request, params).transpose();
    value.slots().find_map(read)?.ok()
}

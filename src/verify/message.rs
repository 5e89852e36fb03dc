//! What a sender signs: a template over the request, a form that only code can make, or the body as it was before
//! the signature's member was added. Verifying and signing share it.
//!
//! The message is handed on as slices of the request, so a body is never copied to be hashed.

mod address;
mod sns;
mod template;
mod twilio;

pub(super) use address::Url;
pub(super) use template::Part;
use twilio::Addresses;

use super::{
    VerifyError,
    place::Claimed,
    rewrite::rewrite,
    value::{OneOf, Subject, Value},
};
use crate::request::slot::{Params, Slot};
use std::borrow::Cow;

/// How many parts a template may have, those in brackets counted.
pub(super) const MOST_PARTS: usize = 28;

/// A message as slices to be hashed in turn.
pub(super) struct Pieces<'r> {
    held: [Cow<'r, [u8]>; MOST_PARTS],
    used: usize,
}

impl<'r> Pieces<'r> {
    fn none() -> Self {
        Self { held: [const { Cow::Borrowed(&[]) }; MOST_PARTS], used: 0 }
    }

    /// Adds a piece; a template that could have too many was refused when it was compiled.
    fn push(&mut self, piece: impl Into<Cow<'r, [u8]>>) {
        if let Some(place) = self.held.get_mut(self.used) {
            *place = piece.into();
            self.used += 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.held.iter().take(self.used).map(|piece| &**piece)
    }

    /// Returns the message in one piece, for what cannot hash piece by piece; a copy only where there are several.
    pub(super) fn joined(&self) -> Cow<'_, [u8]> {
        match self.held.get(..self.used) {
            Some([piece]) => Cow::Borrowed(piece),
            Some(pieces) => Cow::Owned(pieces.concat()),
            None => Cow::Borrowed(&[]),
        }
    }
}

pub(super) enum Message {
    Template(Vec<Part>),
    /// The body's bytes less the signature's member.
    Cut,
    /// The body as JavaScript would write it again, less the signature's member where there is one.
    Written,
    /// Twilio's address and sorted form.
    Twilio(Addresses),
    /// The lines that Amazon SNS signs.
    Sns,
}

impl Message {
    /// Reads the `message` of a sender document, or says what is wrong with it.
    pub(super) fn parse(text: &str, url: Option<&Url>, params: &Params) -> Result<Self, String> {
        match (text, url) {
            ("raw_cut", _) => Ok(Self::Cut),
            ("json_stringify", _) => Ok(Self::Written),
            ("sns", _) => Ok(Self::Sns),
            ("twilio", Some(url)) => Ok(Self::Twilio(Addresses::of(url))),
            ("twilio", None) => Err(template::NO_URL.to_owned()),
            _ => template::parse(text, url, params).map(Self::Template),
        }
    }

    /// True for a form that leaves out the signature's member.
    pub(super) fn suits_member(&self) -> bool {
        matches!(self, Self::Cut | Self::Written)
    }

    /// True for a form that takes the body as it is.
    pub(super) fn suits_header(&self) -> bool {
        !matches!(self, Self::Cut)
    }

    /// True where the body cannot be changed without changing the message.
    pub(super) fn covers_body(&self) -> bool {
        match self {
            Self::Cut | Self::Written | Self::Twilio(_) => true,
            Self::Sns => false,
            Self::Template(parts) => parts.iter().any(Part::covers_body),
        }
    }

    /// True where the message holds what stands at one of these places.
    pub(super) fn covers(&self, wanted: &OneOf) -> bool {
        let is_line_of_sns = || matches!(self, Self::Sns) && wanted.0.iter().all(sns::covers);
        (wanted.is_in_json() && self.covers_body())
            || is_line_of_sns()
            // The same places in the same order: where one is absent, both must look at the same next one.
            || self.slots().any(|slots| slots == wanted)
    }

    /// True where a changed value of the last of these slots changes the message, if those before it are absent; slots of
    /// the element that is checked, where `is_of_element`.
    pub(super) fn holds(&self, slots: &[Slot], is_of_element: bool) -> bool {
        let is_same = |(slot, value): (&Slot, &Value)| match value {
            Value::Slot(own) => !is_of_element && own == slot,
            Value::Element(pointer) => is_of_element && *slot == Slot::Json(pointer.clone()),
            Value::Field(_) => false,
        };
        let is_line_of_sns =
            |slot: &Slot| matches!(self, Self::Sns) && sns::covers(&Value::Slot(slot.clone()));
        slots.last().is_some_and(is_line_of_sns)
            // The same places in the same order: where one is absent, both look at the same next one.
            || self.every_slot().any(|own| own.0.len() >= slots.len() && slots.iter().zip(&own.0).all(is_same))
    }

    /// Returns the headers, if any, that are glued to the next part without a literal that marks their end, and the slots
    /// that are that part.
    pub(super) fn unfenced(&self) -> impl Iterator<Item = (&OneOf, Option<&OneOf>)> {
        template::unfenced(self.parts())
    }

    /// Returns all slots of the template.
    pub(super) fn slots(&self) -> impl Iterator<Item = &OneOf> {
        self.parts().iter().filter_map(Part::slots)
    }

    /// Likewise, with those in brackets.
    fn every_slot(&self) -> impl Iterator<Item = &OneOf> {
        fn own(part: &Part) -> &[Part] {
            if let Part::Optional(inner) = part { inner } else { std::slice::from_ref(part) }
        }
        self.parts().iter().flat_map(own).filter_map(Part::slots)
    }

    fn parts(&self) -> &[Part] {
        match self {
            Self::Template(parts) => parts,
            Self::Cut | Self::Written | Self::Twilio(_) | Self::Sns => &[],
        }
    }

    /// Returns how many messages the sender may have meant: each is tried.
    pub(super) fn variants(&self) -> usize {
        match self {
            Self::Twilio(addresses) => addresses.len(),
            Self::Template(_) | Self::Cut | Self::Written | Self::Sns => 1,
        }
    }

    /// Returns the message of a request that is to be verified, or (with nothing claimed) signed.
    ///
    /// `member` is the name of the signature's member.
    pub(super) fn pieces<'r>(
        &'r self,
        subject: Subject<'r>,
        member: Option<&str>,
        claimed: &'r Claimed<'r>,
        variant: usize,
    ) -> Result<Pieces<'r>, VerifyError> {
        let request = subject.request;
        let mut pieces = Pieces::none();
        match (self, claimed.found()) {
            (Self::Cut, Some(found)) => {
                pieces.push(found.before);
                pieces.push(found.after);
            }
            (Self::Cut, None) => pieces.push(&*request.body),
            (Self::Written, _) => {
                let again = std::str::from_utf8(&request.body).ok().and_then(|text| rewrite(text, member));
                pieces
                    .push(again.ok_or_else(|| VerifyError::malformed("the body is not JSON, or too deep"))?);
            }
            (Self::Template(parts), _) => template::render(parts, subject, &mut pieces, false)?,
            (Self::Twilio(addresses), _) => pieces.push(addresses.message(request, variant)?),
            (Self::Sns, _) => pieces.push(sns::message(&request.body)?),
        }
        Ok(pieces)
    }
}

//! One way to verify a request, compiled: what must stand in it, whether it is checked whole or element by element,
//! and the check itself.

use super::{
    Proof, SpecProblem, VerifyError, is_equal,
    jwt::{self, Jwt},
    signature::Signature,
    token::Token,
    value::{OneOf, Subject},
};
use crate::request::{
    Request, Withheld,
    slot::{Pointer, Slot, Standing},
};
use secrecy::{ExposeSecret, SecretString};

pub(super) struct Scheme {
    pub(super) required: Vec<Required>,
    pub(super) each: Option<Each>,
    pub(super) check: Check,
}

/// The kinds of check that all schemes come down to.
pub(super) enum Check {
    Nothing,
    Token(Token),
    Signature(Box<Signature>),
    Jwt(Box<Jwt>),
}

/// A place and the values it may have.
pub(super) struct Required {
    pub(super) at: OneOf,
    pub(super) values: Vec<String>,
    /// True where a constant is among them: a word that only the sender may know.
    pub(super) is_word: bool,
}

/// The elements that are checked one by one.
#[derive(PartialEq)]
pub(super) struct Each {
    pub(super) all: Pointer,
    /// The same up to its last `*`: as many must stand there, so that none is passed over.
    pub(super) parents: Pointer,
}

impl Scheme {
    pub(super) fn verify(&self, request: &Request) -> Result<Proof, VerifyError> {
        match &self.each {
            Some(each) => each.verify(request, |element| self.check_one(element)),
            None => self.check_one(Subject::new(request)),
        }
    }

    /// Checks the request, or one element of it.
    pub(super) fn check_one(&self, subject: Subject<'_>) -> Result<Proof, VerifyError> {
        for required in &self.required {
            let value = required.at.demand(subject)?;
            // Every value is compared: it may be a word that only the sender knows.
            let is_one = required.values.iter().fold(false, |hit, allowed| is_equal(&value, allowed) | hit);
            if !is_one {
                return Err(VerifyError::NotAllowed(required.at.to_string()));
            }
        }
        match &self.check {
            Check::Nothing => Ok(Proof::none()),
            Check::Token(token) => token.verify(subject),
            Check::Signature(signature) => signature.verify(subject),
            Check::Jwt(jwt) => jwt.verify(subject),
        }
    }

    /// Replaces the secrets; returns those that cannot be used, by their place.
    pub(super) fn set_secrets(&self, secrets: &[SecretString]) -> Vec<(usize, SpecProblem)> {
        match &self.check {
            Check::Nothing => {
                let first = secrets.iter().position(|secret| !secret.expose_secret().is_empty());
                first.map(|place| (place, SpecProblem::unchecked())).into_iter().collect()
            }
            Check::Token(token) => {
                token.set_secrets(secrets);
                Vec::new()
            }
            Check::Signature(signature) => signature.keys.set_secrets(secrets),
            Check::Jwt(jwt) => {
                jwt.set_secrets(secrets);
                Vec::new()
            }
        }
    }

    pub(super) fn checks_nothing(&self) -> bool {
        matches!(self.check, Check::Nothing)
    }

    pub(super) fn needs_secret(&self) -> bool {
        match &self.check {
            Check::Nothing => false,
            Check::Token(_) => true,
            Check::Signature(signature) => signature.keys.needs_secret(),
            Check::Jwt(jwt) => jwt.needs_secret(),
        }
    }

    pub(super) fn is_keyed(&self) -> bool {
        match &self.check {
            Check::Nothing => true,
            Check::Token(token) => token.ring.is_keyed(),
            Check::Signature(signature) => signature.keys.is_keyed(),
            Check::Jwt(jwt) => jwt.source.as_ref().is_some_and(jwt::Source::is_keyed) || jwt.ring.is_keyed(),
        }
    }

    pub(super) fn weak(&self) -> usize {
        match &self.check {
            Check::Nothing => 0,
            Check::Token(token) => token.ring.weak(),
            Check::Signature(signature) => signature.keys.weak(),
            Check::Jwt(jwt) => jwt.ring.weak(),
        }
    }

    /// Adds where a secret stands as it is.
    pub(super) fn withhold(&self, withheld: &mut Withheld) {
        match &self.check {
            Check::Token(token) => token.place.withhold(withheld),
            // A token can be used again by whoever reads it.
            Check::Jwt(jwt) => jwt.place.withhold(withheld),
            Check::Nothing | Check::Signature(_) => {}
        }
        for required in &self.required {
            // Where nothing else is checked, a text of the document is the sender's word too. One in the body tells as much
            // as the rest of it.
            let is_all = matches!(self.check, Check::Nothing) && !required.at.is_in_json();
            if required.is_word || is_all {
                required.at.withhold(withheld);
            }
        }
    }

    pub(super) fn covers_body(&self) -> bool {
        match &self.check {
            Check::Nothing | Check::Token(_) => false,
            Check::Signature(signature) => signature.message.covers_body() && self.each.is_none(),
            Check::Jwt(jwt) => jwt.expected.covers_body(),
        }
    }

    /// Returns how far the value of a slot can be believed, as [`super::Verifier::standing`] says.
    pub(super) fn standing(&self, slots: &[Slot], each: Option<&str>) -> Standing {
        let Some(slot) = slots.last() else { return Standing::Open };
        let of_elements = self.each.as_ref().map(|own| own.all.to_string());
        let is_of_elements = each.is_some() && each == of_elements.as_deref();
        let (is_signed, is_keyed) = match &self.check {
            Check::Nothing => return Standing::Unproven,
            Check::Token(_) => return Standing::Vouched,
            Check::Jwt(_) if !self.covers_body() => return Standing::Vouched,
            Check::Jwt(_) => (slot.is_in_body(), true),
            Check::Signature(signature) => {
                let is_signed = slot.is_in_body() && self.covers_body()
                    || (is_of_elements || each.is_none()) && signature.message.holds(slots, is_of_elements);
                (is_signed, signature.keys.is_keyed_scheme())
            }
        };
        match (slot, is_signed) {
            (Slot::Param(_) | Slot::Text(_), _) => Standing::Signed,
            (_, true) if is_keyed => Standing::Signed,
            (_, true) => Standing::Unproven,
            (_, false) => Standing::Open,
        }
    }
}

impl Each {
    /// Checks one element after the other: all must pass, and the whole is proven no better than the least of them.
    pub(super) fn verify<'r>(
        &self,
        request: &'r Request,
        check: impl Fn(Subject<'r>) -> Result<Proof, VerifyError>,
    ) -> Result<Proof, VerifyError> {
        let mut least: Option<Proof> = None;
        for element in self.elements(&request.body)? {
            let one = check(Subject { element: Some(element), ..Subject::new(request) })?;
            least = least.filter(|other| other.assurance >= one.assurance).or(Some(one));
        }
        least.ok_or_else(|| VerifyError::Missing(format!("an element at `{}`", self.all)))
    }

    pub(super) fn elements<'r>(&self, body: &'r [u8]) -> Result<Vec<&'r str>, VerifyError> {
        let text = std::str::from_utf8(body).map_err(|_| VerifyError::malformed("the body is not UTF-8"))?;
        let elements = self.all.all(text)?;
        if elements.len() != self.parents.all(text)?.len() {
            return Err(VerifyError::Malformed(format!("not every element has what `{}` names", self.all)));
        }
        Ok(elements)
    }
}

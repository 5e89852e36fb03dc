//! Handshakes: requests with which a sender proves that an address is ours, asks whether it may send, or hands over
//! its secret, before it sends events. They are answered from the sender document alone and are never published.
//!
//! [`Responders`] are compiled once per source and pure: a request, the constants and the source's [`Verifier`], which
//! signs, make a [`Handshake`]. What one needs beyond its answer is an [`Effect`]: a secret that [`Capture`] stores, or an
//! address that is fetched. `pipeline` carries them out, before verification or behind it, as the document says.

mod capture;
mod compile;
mod condition;
mod confirm;
mod responder;
mod spec;
mod template;
#[cfg(test)]
mod tests;
mod value;

pub use capture::{Capture, CaptureError};
pub use confirm::Confirmer;
pub use spec::{ConfirmSpec, HandshakeMethod, HandshakeReply, RespondSpec, ValueForm, WhenSpec};

use crate::{
    fetch::Target,
    request::{Request, Withheld, slot::Params},
    verify::{SpecProblem, Verifier},
};
use bytes::Bytes;
use confirm::Address;
use http::{HeaderMap, Method};
use responder::Responder;
use secrecy::SecretString;
use std::fmt;

/// When a handshake is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Before the request's signature is checked.
    Unverified,
    /// Behind the check.
    Verified,
}

/// A request that was recognised as a handshake.
#[derive(Debug)]
pub struct Handshake<'s> {
    /// Its name in the document.
    pub name: &'s str,
    /// What the sender hears, once the effect has worked.
    pub reply: Reply,
    /// What has to be done before.
    pub effect: Option<Effect>,
}

/// The answer to a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status, 200 to 299.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; may be empty.
    pub body: Bytes,
}

/// What a handshake needs beyond its answer.
#[derive(Debug)]
pub enum Effect {
    /// A secret that the sender hands over.
    Capture(SecretString),
    /// An address that has to be fetched to agree; its host is one of the document's.
    Confirm(Target),
}

/// Why a handshake can't be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RespondError {
    /// A value of the request is not one that is sent back or signed.
    #[error("{0}")]
    Unusable(&'static str),
    /// The answer is signed, and the source has no usable secret.
    #[error("the source has no usable secret")]
    Unkeyed,
    /// A constant that it needs can't be read at the moment.
    #[error("`params.{0}` has no value now")]
    Unset(Box<str>),
}

/// The handshakes of one source.
#[derive(Default)]
pub struct Responders {
    list: Vec<Responder>,
    params: Params,
}

impl Responders {
    /// Compiles the `respond` part of a document, or returns all that is wrong with it. `declared` tells which
    /// constants the document or the source states, `params` holds those that have a value now.
    pub fn compile(
        specs: &[RespondSpec],
        declared: &dyn Fn(&str) -> bool,
        params: Params,
    ) -> Result<Self, Vec<SpecProblem>> {
        compile::compile(specs, declared).map(|list| Self { list, params })
    }

    /// Returns the names of the handshakes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|responder| &*responder.name)
    }

    /// True where a handshake uses this method at this step.
    pub fn takes(&self, method: &Method, step: Step) -> bool {
        self.list.iter().any(|responder| responder.method == method && responder.step == step)
    }

    /// True where a handshake uses this method.
    pub fn uses(&self, method: &Method) -> bool {
        self.list.iter().any(|responder| responder.method == method)
    }

    /// Returns the methods that the source takes, for the header `Allow`: POST, and those of its handshakes.
    pub fn allowed(&self) -> String {
        let all = [Method::POST, Method::GET, Method::HEAD, Method::OPTIONS];
        let taken = all.iter().filter(|method| **method == Method::POST || self.uses(method));
        taken.map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Adds where a request hands over a secret, whoever takes it, an address that agrees, or a word that a constant must
    /// equal. A body is withheld where it holds one or may: that of an ordinary event can be explained.
    pub fn withhold(&self, request: &Request, keys: &Verifier, withheld: &mut Withheld) {
        for responder in &self.list {
            let secrets = responder.capture.iter().map(|value| (value, !keys.is_keyed()));
            let words = responder.confirm.iter().map(Address::at).chain(responder.condition.words());
            for (value, may_be) in secrets.chain(words.map(|value| (value, false))) {
                for slot in value.slots() {
                    let stands = || may_be || !matches!(slot.read(request, &self.params), Ok(None));
                    if !slot.is_in_body() || stands() {
                        withheld.add(slot);
                    }
                }
            }
        }
    }

    /// Returns the handshake that a request is at this step; `None` where it is none and goes the ordinary way.
    pub fn answer(
        &self,
        request: &Request,
        step: Step,
        keys: &Verifier,
    ) -> Result<Option<Handshake<'_>>, RespondError> {
        for responder in self.list.iter().filter(|responder| responder.step == step) {
            // With a secret there is nothing to hand over: whoever claims to is verified like everybody.
            let is_open = responder.capture.is_none() || !keys.is_keyed();
            if responder.method == request.method
                && is_open
                && responder.condition.holds(request, &self.params)?
            {
                return responder.answer(request, &self.params, keys).map(Some);
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Responders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The constants may be secret.
        f.debug_list().entries(self.names()).finish()
    }
}

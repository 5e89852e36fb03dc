//! What a handshake would be answered with. Its effects are not carried out: nothing is stored or fetched, and
//! whatever a handshake needs of the operator counts as given.

use crate::{
    request::Request,
    respond::{Effect, Reply, Responders, Step},
    verify::Verifier,
};
use http::Method;
use serde::Serialize;
use std::collections::BTreeMap;

/// An answer to a handshake.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// What a request is at one step of its way.
pub(super) enum Shaken {
    /// A handshake, answered so, and what would be done for it.
    Answered(Response, Option<&'static str>),
    /// A handshake that can't be answered.
    Refused(String),
    /// No handshake, and no event either: events are posted.
    Unanswered,
    /// No handshake: it goes on.
    GoesOn,
}

/// Looks whether a request is a handshake of this step.
pub(super) fn shake(responders: &Responders, request: &Request, step: Step, verifier: &Verifier) -> Shaken {
    match responders.answer(request, step, verifier) {
        Ok(Some(handshake)) => {
            let effect = handshake.effect.map(|effect| match effect {
                Effect::Capture(_) => {
                    "the secret that it hands over would be stored, where the source says `capture`"
                }
                Effect::Confirm(_) => {
                    "the address in it would be fetched, where the source says `confirm: true`"
                }
            });
            Shaken::Answered(response(&handshake.reply), effect)
        }
        Ok(None) => {
            let may_come = step == Step::Unverified && responders.takes(&request.method, Step::Verified);
            if request.method == Method::POST || may_come { Shaken::GoesOn } else { Shaken::Unanswered }
        }
        Err(error) => Shaken::Refused(format!("the handshake can't be answered: {error}")),
    }
}

fn response(reply: &Reply) -> Response {
    let headers = reply
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Response {
        status: reply.status,
        headers: headers.collect(),
        body: String::from_utf8_lossy(&reply.body).into_owned(),
    }
}

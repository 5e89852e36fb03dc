//! Handshakes on the path: what `respond` recognises is carried out and answered here, and goes no further.

use super::{Answer, source::Source};
use crate::{
    fetch::Target,
    refusal::Refusal,
    request::Request,
    respond::{Effect, RespondError, Step},
};
use http::Method;
use jiff::Timestamp;
use secrecy::SecretString;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// Said where a sender hands over a secret and nobody takes it.
const HOW_TO_CAPTURE: &str = "the sender hands over its secret: to take it, write at the source `secrets: [ file:PATH ]` \
     and `capture: { file: PATH, until: TIME }`, as until: 2026-01-31T18:00:00Z, and let it try again";

/// Said where a sender asks for agreement and the operator has not agreed.
const HOW_TO_CONFIRM: &str = "the sender asks for agreement by fetching an address of its own: to agree, write `confirm: true` at the source";

impl Source {
    /// Answers a handshake of this step; `None` for what is none and goes on along the path.
    pub(super) async fn shake(
        &self,
        request: &Request,
        step: Step,
        deadline: Instant,
    ) -> Result<Option<Answer>, Refusal> {
        let responders = &self.handshakes.responders;
        let Some(handshake) = responders.answer(request, step, &self.verifier)? else {
            let may_come = step == Step::Unverified && responders.takes(&request.method, Step::Verified);
            let is_event = request.method == Method::POST;
            return if is_event || may_come { Ok(None) } else { Err(Refusal::Unanswered) };
        };
        let done = match handshake.effect {
            None => Ok(()),
            // Rare, and so not worth room in the future of every request.
            Some(Effect::Capture(secret)) => {
                let captured = timeout_at(deadline, Box::pin(self.capture(secret, request.received))).await;
                captured.unwrap_or_else(|_| Err("it was not stored within the deadline".to_owned()))
            }
            Some(Effect::Confirm(target)) => Box::pin(self.confirm(target, deadline)).await,
        };
        done.map_err(|why| Refusal::Unready(format!("{}: {why}", handshake.name)))?;
        self.metrics.handshake(handshake.name);
        Ok(Some(Answer::Handshake { name: handshake.name.to_owned(), reply: handshake.reply }))
    }

    async fn capture(&self, secret: SecretString, now: Timestamp) -> Result<(), String> {
        let capture = self.handshakes.capture.as_ref().ok_or(HOW_TO_CAPTURE)?;
        let (storing, turn) = (Arc::clone(capture), capture.turn().await);
        let stored = tokio::task::spawn_blocking(move || {
            let _until_stored = turn;
            storing.store(&secret, now)
        });
        let stored = stored.await;
        stored.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        tracing::warn!(
            source = %self.name,
            file = %capture.file().display(),
            "the sender's secret was stored; take `capture` out of the configuration"
        );
        Ok(())
    }

    async fn confirm(&self, target: Target, deadline: Instant) -> Result<(), String> {
        let confirmer = self.handshakes.confirmer.as_ref().ok_or(HOW_TO_CONFIRM)?;
        let fetched = timeout_at(deadline, confirmer.confirm(target)).await;
        fetched.map_err(|_| "the address was not fetched within the deadline".to_owned())?
    }
}

impl From<RespondError> for Refusal {
    fn from(error: RespondError) -> Self {
        match error {
            RespondError::Unusable(what) => Self::Malformed(what.into()),
            RespondError::Unkeyed => Self::Unkeyed,
            RespondError::Unset(_) => Self::Unready(error.to_string()),
        }
    }
}

//! What became of a request: accepted with its events, or rejected with the causes.

use super::{
    follow::{self, Followed},
    handshake::{self, Response},
    head, measure,
    subject::Subject,
};
use crate::{
    cli::exit::Stop,
    explain::{Captured, Case, Reach, causes},
    refusal::Cause,
    request::{Request, slot::Params},
    respond::{Responders, Step},
    senders::Compiled,
    verify::{Verifier, VerifyError, VerifySpec},
};
use http::Method;
use serde::Serialize;

/// The result, as `--json` prints it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Verdict {
    /// `accept` or `reject`.
    #[serde(rename = "verdict")]
    outcome: &'static str,
    /// Why it is rejected.
    pub(super) reason: Option<String>,
    /// What a handshake is answered with.
    pub(super) response: Option<Response>,
    /// How verification failed, as the metric names it.
    pub(super) failure: Option<&'static str>,
    /// The causes: a proven one alone, or hints.
    pub(super) findings: Vec<Cause>,
    pub(super) checked: Checked,
    /// What an accepted request becomes.
    pub(super) events: Vec<Followed>,
    /// What is to be known about the capture and the keys.
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Checked {
    pub(super) source: String,
    pub(super) scheme: &'static str,
    /// What was proven, as it stands in the envelope.
    pub(super) verified: Option<&'static str>,
    /// Which key matched, counted from 1.
    pub(super) key: Option<usize>,
    pub(super) keys: usize,
    pub(super) body_bytes: usize,
    /// What was signed, with the length of each part in bytes.
    pub(super) message: Option<String>,
    pub(super) received: String,
}

impl Verdict {
    /// Takes a request along the way that it would go: handshakes, the check, handshakes again, its events.
    pub(super) fn of(subject: &Subject, captured: Captured, partitions: u32) -> Result<Self, Stop> {
        let request = &captured.request;
        let Compiled { scheme: spec, verifier, responders, normalizer } = subject.compile()?;
        subject.give_files(&verifier)?;
        let mut notes = [captured.notes.as_slice(), &subject.notes].concat();
        if let Err(problems) = verifier.set_secrets(subject.secrets.clone()) {
            notes.extend(problems.into_iter().map(|problem| format!("{}; {}", problem.problem, problem.fix)));
        }
        let is_alone = subject.loaded.is_none();
        let checked = Checked::of(subject, &spec, &verifier, request);
        let mut verdict = Self { outcome: "accept", checked, notes, ..Self::default() };
        if let Some(cause) = head::refused(&captured, subject, &responders, &mut verdict.notes) {
            verdict.reject(cause.code, cause.what.clone(), vec![cause]);
            return Ok(verdict);
        }
        if verdict.shaken(&responders, request, Step::Unverified, &verifier, is_alone) {
            return Ok(verdict);
        }
        match verifier.verify(request) {
            Ok(proof) => {
                verdict.checked.verified = Some(proof.assurance.name());
                verdict.checked.key = verifier.needs_secret().then_some(proof.key + 1);
                if !verdict.shaken(&responders, request, Step::Verified, &verifier, is_alone) {
                    verdict.events =
                        follow::events(subject, (&verifier, &normalizer), captured.request, partitions)?;
                }
            }
            Err(error) => verdict.rejected(subject, &spec, &captured, &error),
        }
        Ok(verdict)
    }

    /// Takes in what a request is as a handshake of this step; true where its way ends here. `is_alone`: a scheme is
    /// tried without a source that would answer.
    fn shaken(
        &mut self,
        responders: &Responders,
        request: &Request,
        step: Step,
        verifier: &Verifier,
        is_alone: bool,
    ) -> bool {
        let may_come = || step == Step::Unverified && responders.takes(&request.method, Step::Verified);
        match responders.answer(request, step, verifier) {
            Ok(Some(handshake)) => {
                self.response = Some(Response::from(&handshake.reply));
                self.notes.extend(handshake.effect.as_ref().map(|effect| handshake::told(effect).to_owned()));
            }
            Ok(None) if request.method == Method::POST || may_come() => return false,
            Ok(None) if is_alone => {
                let note = "a source takes events by POST: it would answer this method with 405";
                if !self.notes.iter().any(|known| known == note) {
                    self.notes.push(note.to_owned());
                }
                return false;
            }
            Ok(None) => {
                let why = "the request is no handshake of the sender's, and events are taken by POST only";
                self.reject("handshake", why.to_owned(), Vec::new());
            }
            Err(error) => {
                self.reject("handshake", format!("the handshake can't be answered: {error}"), Vec::new());
            }
        }
        true
    }

    fn reject(&mut self, failure: &'static str, reason: String, findings: Vec<Cause>) {
        (self.outcome, self.failure, self.reason) = ("reject", Some(failure), Some(reason));
        self.findings = findings;
    }

    /// Looks for the causes of a failed check.
    fn rejected(&mut self, subject: &Subject, spec: &VerifySpec, captured: &Captured, error: &VerifyError) {
        let (relatives, strangers) = (subject.relatives(), subject.strangers());
        let case = Case {
            spec,
            secrets: &subject.secrets,
            files: &subject.files,
            request: &captured.request,
            relatives: &relatives,
            strangers: &strangers,
            declared: captured.declared,
        };
        let findings = match head::withheld(captured) {
            Some(without) => vec![without],
            None => causes(&case, error, Reach::Whole),
        };
        let reason = findings.first().map_or_else(|| error.to_string(), |cause| cause.what.clone());
        self.reject(error.reason(), reason, findings);
    }

    /// True for a request that would be accepted.
    pub(super) fn is_accepted(&self) -> bool {
        self.outcome == "accept"
    }
}

/// Returns the message that the scheme signs, part by part.
fn signed(spec: &VerifySpec, request: &Request, params: &Params) -> Option<String> {
    let is_signed = spec.algorithm.is_some_and(|algorithm| algorithm.digest_bytes() > 0);
    let default = (is_signed && spec.member.is_none()).then_some("{body}");
    let message = spec.message.as_deref().or(default)?;
    Some(measure::message(message, request, params).unwrap_or_else(|| message.to_owned()))
}

impl Checked {
    fn of(subject: &Subject, spec: &VerifySpec, verifier: &Verifier, request: &Request) -> Self {
        Self {
            source: subject.name.clone(),
            scheme: verifier.scheme(),
            keys: subject.secrets.len(),
            body_bytes: request.body.len(),
            message: signed(spec, request, &subject.params),
            received: request.received.to_string(),
            ..Self::default()
        }
    }
}

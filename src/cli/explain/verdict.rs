//! What became of a request: accepted with its events, or rejected with the causes.

use super::{
    follow::{self, Followed},
    measure,
    subject::Subject,
};
use crate::{
    cli::exit::Stop,
    delivery::{Request, slot::Params},
    explain::{Case, Cause, Reach, causes},
    verify::{SpecProblem, Verifier, VerifySpec},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The result, as `--json` prints it.
#[derive(Debug, Serialize)]
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

/// What was looked at.
#[derive(Debug, Serialize)]
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

/// An answer to a handshake.
#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Verdict {
    /// Holds a request against its subject.
    pub(super) fn of(
        subject: &Subject,
        request: Request,
        partitions: u32,
        declared: Option<u64>,
        notes: Vec<String>,
    ) -> Result<Self, Stop> {
        let spec = subject.verify();
        let verifier = Verifier::compile(&spec).map_err(|problems| unbuildable(&subject.name, &problems))?;
        let mut notes: Vec<String> = notes.into_iter().chain(subject.notes.iter().cloned()).collect();
        if let Err(problems) = verifier.set_secrets(subject.secrets.clone()) {
            notes.extend(problems.into_iter().map(|problem| format!("{}; {}", problem.problem, problem.fix)));
        }
        let result = verifier.verify(&request);
        let checked = Checked {
            source: subject.name.clone(),
            scheme: verifier.scheme(),
            verified: result.as_ref().ok().map(|proof| proof.assurance.name()),
            key: result.as_ref().ok().filter(|_| verifier.needs_secret()).map(|proof| proof.key + 1),
            keys: subject.secrets.len(),
            body_bytes: request.body.len(),
            message: signed(&spec, &request, &subject.params),
            received: request.received.to_string(),
        };
        let mut verdict = Self {
            outcome: "accept",
            reason: None,
            response: None,
            failure: None,
            findings: Vec::new(),
            checked,
            events: Vec::new(),
            notes,
        };
        match result {
            Ok(_) => verdict.events = follow::events(subject, &verifier, request, partitions)?,
            Err(error) => {
                let (relatives, strangers) = (subject.relatives(), subject.strangers());
                let case = Case {
                    spec: &spec,
                    secrets: &subject.secrets,
                    request: &request,
                    relatives: &relatives,
                    strangers: &strangers,
                    declared,
                };
                verdict.outcome = "reject";
                verdict.failure = Some(error.reason());
                verdict.findings = causes(&case, &error, Reach::Whole);
                verdict.reason = Some(
                    verdict.findings.first().map_or_else(|| error.to_string(), |cause| cause.what.clone()),
                );
            }
        }
        Ok(verdict)
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

fn unbuildable(name: &str, problems: &[SpecProblem]) -> Stop {
    let problems = problems
        .iter()
        .map(|problem| format!("{name}: verify.{}: {}; {}", problem.field, problem.problem, problem.fix));
    let problems: Vec<String> = problems.collect();
    Stop::usage(format!("{}\n--discover tries what fits", problems.join("\n")))
}

//! Signs triggered requests as the source's sender would, or wrongly on purpose.

use super::{Break, edit};
use crate::{
    cli::exit::{Exit, Stop},
    config::{self, LoadError, Loaded, SecretRef, Secrets},
    request::Request,
    senders::{Compiled, SenderSpec},
    verify::{Algorithm, SpecProblem, Verifier},
};
use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;
use std::sync::Arc;

/// Signs the requests of one source.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    verifier: Arc<Verifier>,
    breaks: Option<Break>,
    /// Where the secret is kept that signs; `None` for a wrong one.
    pub(super) secret: Option<SecretRef>,
    /// Signs what is printed, where the scheme sends the secret as it is: with [`STAND_IN`] in its place.
    shown: Option<Arc<Verifier>>,
}

/// What stands for a secret until a reference to it is printed.
pub(super) const STAND_IN: &str = "hookway:the-secret-stands-here";

impl Signer {
    /// Reads the source's secrets; the first one signs.
    pub(super) fn new(
        loaded: &Loaded,
        source: &str,
        (references, spec): (&[SecretRef], &SenderSpec),
        breaks: Option<Break>,
    ) -> Result<Self, Stop> {
        let told = |problems: Vec<SpecProblem>| {
            let problems = loaded.document_problems(source, problems);
            Stop::from(LoadError { problems })
        };
        let of_scheme =
            |problems: Vec<SpecProblem>| told(problems.into_iter().map(SpecProblem::below_verify).collect());
        let compiled = Compiled::new(spec, source, &config::params(spec).values).map_err(told)?;
        let Compiled { scheme, verifier, .. } = compiled;
        let secrets = Secrets::read(references);
        let first = (0..references.len()).find(|at| secrets.missing.iter().all(|(missing, _)| missing != at));
        if verifier.needs_secret() && secrets.usable.is_empty() {
            let why = secrets
                .missing
                .first()
                .map_or("none is configured".to_owned(), |(_, error)| error.to_string());
            return Err(Stop::new(
                Exit::Config,
                format!("source {source:?} has no secret to sign with: {why}"),
            ));
        }
        let usable = if breaks == Some(Break::Signature) { vec![wrong_secret()] } else { secrets.usable };
        if verifier.needs_secret() {
            verifier.set_secrets(usable).map_err(|problems| match breaks {
                // The stand-in for a wrong secret is text, and no key of a pair.
                Some(Break::Signature) => Stop::usage(format!(
                    "the scheme {:?} signs with a private key, and there is no wrong one; try --break body",
                    verifier.scheme()
                )),
                None | Some(Break::Body | Break::Header) => of_scheme(problems),
            })?;
        }
        refuse_harmless(breaks, &verifier, source)?;
        let shown = matches!(scheme.algorithm, Some(Algorithm::Token | Algorithm::Basic)).then(|| {
            let shown = Verifier::compile(&scheme)?;
            shown.set_secrets(vec![STAND_IN.into()]).map(|()| Arc::new(shown))
        });
        Ok(Self {
            verifier: Arc::new(verifier),
            breaks,
            secret: first
                .and_then(|first| references.get(first))
                .filter(|_| breaks != Some(Break::Signature))
                .cloned(),
            shown: shown.transpose().map_err(of_scheme)?,
        })
    }

    /// Says how requests are signed, without the secret.
    pub(super) fn describe(&self) -> String {
        let scheme = self.verifier.scheme();
        let with =
            self.secret.as_ref().map_or_else(|| scheme.to_owned(), |secret| format!("{secret} ({scheme})"));
        match self.breaks {
            None if !self.verifier.needs_secret() && scheme == "none" => "not signed".to_owned(),
            None => format!("signed with {with}"),
            Some(Break::Signature) => format!("signed with a wrong secret ({scheme})"),
            Some(Break::Body) => format!("signed with {with}, body changed afterwards"),
            Some(Break::Header) => "not signed".to_owned(),
        }
    }

    pub(super) fn sign(&self, request: &mut Request, now: Timestamp) -> Result<(), Stop> {
        self.sign_with(&self.verifier, request, now)
    }

    /// Signs a request that is printed: it holds [`STAND_IN`] where the one that is sent holds the secret itself.
    pub(super) fn sign_shown(&self, request: &mut Request, now: Timestamp) -> Result<(), Stop> {
        let verifier = self.shown.as_ref().filter(|_| self.secret.is_some()).unwrap_or(&self.verifier);
        self.sign_with(verifier, request, now)
    }

    fn sign_with(&self, verifier: &Verifier, request: &mut Request, now: Timestamp) -> Result<(), Stop> {
        if self.breaks == Some(Break::Header) {
            return Ok(());
        }
        verifier.sign(request, now).map_err(|error| Stop::usage(error.to_string()))?;
        if self.breaks == Some(Break::Body) {
            request.body = tampered(&request.body);
        }
        Ok(())
    }
}

/// Returns a secret that nobody has, in a form that every scheme can decode: 64 hex digits are base64, too.
fn wrong_secret() -> SecretString {
    let half = || crate::clock::uuid().simple().to_string();
    format!("{}{}", half(), half()).into()
}

/// A break that the scheme would not notice shows nothing.
fn refuse_harmless(breaks: Option<Break>, verifier: &Verifier, source: &str) -> Result<(), Stop> {
    let scheme = verifier.scheme();
    let (harmless, fix) = match breaks {
        None => (false, ""),
        Some(Break::Header) => (scheme == "none", "; nothing is"),
        Some(Break::Signature) => (!verifier.needs_secret(), "; try --break body"),
        Some(Break::Body) => (!verifier.covers_body(), "; try --break signature"),
    };
    if harmless {
        return Err(Stop::usage(format!(
            "the scheme {scheme:?} of source {source:?} does not protect that{fix}"
        )));
    }
    Ok(())
}

/// Returns a body with one more member, or one more byte where it is no JSON object.
fn tampered(body: &[u8]) -> Bytes {
    let json = std::str::from_utf8(body).ok().and_then(|json| edit::append(json, "tampered", "true"));
    json.map_or_else(|| [body, b"!"].concat().into(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tampering_keeps_json_well_formed() {
        assert_eq!(tampered(br#"{"a":1}"#), r#"{"a":1,"tampered":true}"#);
        assert_eq!(tampered(b"[1]"), "[1]!");
        assert_eq!(tampered(b"\xff"), &b"\xff!"[..]);
    }

    #[test]
    fn no_two_wrong_secrets_are_equal() {
        use secrecy::ExposeSecret as _;
        let (one, other) = (wrong_secret(), wrong_secret());
        assert_eq!(one.expose_secret().len(), 64);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}

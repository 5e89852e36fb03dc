//! What can be wrong with a scheme or its secrets, told to the person who configures it; no text of a secret is
//! ever part of it.

use super::spec::{Algorithm, KeyForm};
use secrecy::{ExposeSecret, SecretString};

/// One thing that is wrong with a scheme, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecProblem {
    /// The field's path below `verify`, as `timestamp.header`.
    pub field: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub fix: String,
}

impl SpecProblem {
    pub(super) fn new(field: &'static str, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { field, problem: problem.into(), fix: fix.into() }
    }

    /// Secrets were given to a digest that has no place for them.
    pub(super) fn keyless(algorithm: Algorithm) -> Self {
        let problem =
            format!("secrets are given, but nothing says where the key stands in `{}`", algorithm.name());
        Self::new("key_position", problem, "set it to `prefix` or `suffix`, or take the secrets away")
    }

    /// The secret at `place` is not written in the form that the scheme prescribes.
    pub(super) fn undecodable(place: usize, form: KeyForm) -> Self {
        let wanted = match form {
            KeyForm::Utf8 => "text",
            KeyForm::Hex => "hexadecimal",
            KeyForm::Base64 => "base64",
            KeyForm::Whsec => "base64 with or without `whsec_` in front",
        };
        let problem = format!("secret number {} is not {wanted}", place + 1);
        Self::new("key", problem, "give the secret as the sender shows it, or set `key` to its form")
    }
}

/// Refuses secrets for a scheme that checks nothing.
pub(super) fn refuse_secrets(secrets: &[SecretString]) -> Result<(), Vec<SpecProblem>> {
    if secrets.iter().all(|secret| secret.expose_secret().is_empty()) {
        return Ok(());
    }
    let fix = "name the sender's algorithm, or take the secrets away";
    Err(vec![SpecProblem::new("algorithm", "secrets are given, but `none` checks nothing", fix)])
}

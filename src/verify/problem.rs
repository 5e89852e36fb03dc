//! What is wrong with a scheme or its secrets.

use super::spec::{Algorithm, KeyForm};
use crate::request::SpecProblem;

impl SpecProblem {
    /// Returns the problem with its path in a whole document.
    #[must_use]
    pub fn below_verify(self) -> Self {
        Self { field: format!("verify.{}", self.field).into(), ..self }
    }

    /// Returns the problem as one of the alternative at this place.
    pub(super) fn of_alternative(self, place: usize) -> Self {
        Self { field: format!("any_of.{place}.{}", self.field).into(), ..self }
    }

    pub(super) fn keyless(algorithm: Algorithm) -> Self {
        let problem =
            format!("secrets are given, but nothing says where the key stands in `{}`", algorithm.name());
        Self::new("key_position", problem, "set it to `prefix` or `suffix`, or take the secrets away")
    }

    pub(super) fn undecodable(place: usize, form: KeyForm) -> Self {
        let wanted = match form {
            KeyForm::Utf8 | KeyForm::Sha1 => "text",
            KeyForm::Hex => "hexadecimal",
            KeyForm::Base64 | KeyForm::Spki | KeyForm::Whpk => "base64",
            KeyForm::Whsec => "base64 with or without `whsec_` in front",
        };
        let problem = format!("secret number {} is not {wanted}", place + 1);
        Self::new("key", problem, "give the secret as the sender shows it, or set `key` to its form")
    }

    pub(super) fn no_public_key(place: usize, algorithm: Algorithm) -> Self {
        let problem = format!("secret number {} is not a key for `{}`", place + 1, algorithm.name());
        let fix =
            "give the sender's public key as PEM, base64 or hex, or (to trigger) a private key as PKCS#8";
        Self::new("key", problem, fix)
    }

    pub(super) fn certified() -> Self {
        let fix = "take the secrets away; certificates of your own stand in `certificate.files`";
        Self::new("algorithm", "secrets are given, but the keys of `rsa-x509` stand in certificates", fix)
    }

    pub(super) fn unchecked() -> Self {
        let fix = "name the sender's algorithm, or take the secrets away";
        Self::new("algorithm", "secrets are given, but `none` checks nothing", fix)
    }
}

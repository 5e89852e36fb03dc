//! The constants of a source: text, or references to what is kept elsewhere.

use super::{SecretError, SecretRef};
use crate::{request::slot::Params, senders::SenderSpec};
use secrecy::ExposeSecret as _;

/// The constants of one source as they are now.
#[derive(Default)]
pub struct ResolvedParams {
    /// Those that have a value.
    pub values: Params,
    /// Those whose reference leads nowhere, and why.
    pub missing: Vec<(String, SecretError)>,
}

/// Reads the constants of an effective sender document anew. A text that is no reference stands for itself.
pub fn params(sender: &SenderSpec) -> ResolvedParams {
    let mut resolved = ResolvedParams::default();
    for (name, text) in sender.params.iter().flatten() {
        let value = match text.parse::<SecretRef>() {
            Ok(reference) => reference.resolve().map(|secret| secret.expose_secret().into()),
            Err(_) => Ok(text.as_str().into()),
        };
        match value {
            Ok(value) => drop(resolved.values.insert(name.as_str().into(), value)),
            Err(error) => resolved.missing.push((name.clone(), error)),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_followed_and_a_text_stands_for_itself() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("token");
        std::fs::write(&file, "kept elsewhere\n").unwrap();
        let params = [
            ("plain", "a text: with a colon".to_owned()),
            ("kept", format!("file:{}", file.display())),
            ("lost", "env:NOBODY_SETS_THIS".to_owned()),
        ];
        let sender = SenderSpec {
            params: Some(params.map(|(name, text)| (name.to_owned(), text)).into()),
            ..SenderSpec::default()
        };
        let resolved = super::params(&sender);
        assert_eq!(&*resolved.values["plain"], "a text: with a colon");
        assert_eq!(&*resolved.values["kept"], "kept elsewhere");
        let missing: Vec<&str> = resolved.missing.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(missing, ["lost"]);
    }
}

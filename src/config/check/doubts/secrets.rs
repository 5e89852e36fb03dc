//! Secrets that are there and prove nothing, or too much. No value is ever told.

use super::{super::Source, Facts};
use crate::{
    config::{SecretRef, keypath::KeyPath, problem::Report},
    senders::SenderSpec,
};
use secrecy::{ExposeSecret as _, SecretString};

/// One secret of a source.
struct Held<'a> {
    source: &'a str,
    at: KeyPath,
    reference: &'a SecretRef,
    sender: &'a SenderSpec,
    value: Option<SecretString>,
}

/// Returns all secrets that are there.
fn held<'a>(facts: &Facts<'a>) -> Vec<Held<'a>> {
    let of = |Source { name: source, at, config, sender }: Source<'a>| {
        let secrets = config.secrets.iter().enumerate();
        secrets.map(move |(n, reference)| {
            let (at, value) = (at.key("secrets").index(n), reference.resolve().ok());
            Held { source, at, reference, sender, value }
        })
    };
    facts.sources().flat_map(of).collect()
}

/// A reference that stands twice. Two references may well lead to one value, as at the end of a rotation.
pub(super) fn references_differ(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (name, config) in &facts.config.sources {
        let at = KeyPath::of(["sources", name]);
        for (n, reference) in config.secrets.iter().enumerate() {
            if config.secrets.iter().take(n).any(|earlier| earlier == reference) {
                let at = at.key("secrets").index(n);
                let fix = "take one out; while a secret is rotated, the old and the new one stand here";
                report.warning(&at, "this reference stands twice", fix);
            }
        }
    }
}

/// One secret for two senders: each could sign in the other's name.
pub(super) fn senders_have_their_own(facts: &Facts<'_>, report: &mut Report<'_>) {
    let all = held(facts);
    for (n, one) in all.iter().enumerate() {
        let Some(sender) = &one.sender.sender else { continue };
        let is_same = |other: &&Held<'_>| {
            let values = one.value.as_ref().zip(other.value.as_ref());
            let is_equal = values.is_some_and(|(one, other)| one.expose_secret() == other.expose_secret());
            other.sender.sender.as_ref().is_some_and(|other| other != sender)
                && (is_equal || other.reference == one.reference)
        };
        if let Some(other) = all.iter().take(n).find(is_same) {
            let message = format!(
                "source `{}`, which is another sender, has the same secret: each could sign in the other's name",
                other.source
            );
            report.warning(&one.at, message, "agree on a secret of its own with each sender");
        }
    }
}

/// A blank at one end, as it comes from a clipboard.
pub(super) fn have_no_blanks(facts: &Facts<'_>, report: &mut Report<'_>) {
    for Held { at, value, .. } in held(facts) {
        let Some(value) = value else { continue };
        let text = value.expose_secret();
        // A key in lines is read as such.
        if text.trim() != text && !text.contains("-----BEGIN") {
            let fix = "store it without; one newline at the end of a file is not part of it";
            report.warning(&at, "this secret begins or ends with a blank, which is part of it", fix);
        }
    }
}

/// A secret that can't be the sender's, since all of those begin otherwise.
pub(super) fn begin_as_the_sender_s(facts: &Facts<'_>, report: &mut Report<'_>) {
    for Held { at, value, sender, .. } in held(facts) {
        if let (Some(prefix), Some(value)) = (&sender.secret_prefix, value)
            && !value.expose_secret().trim_start().starts_with(prefix)
        {
            let message = "this secret does not begin as this sender's do, which its `secret_prefix` says";
            report.warning(&at, message, "copy it once more from where the sender shows it, all of it");
        }
    }
}

//! The secret: copied with a blank or a line end, kept in quotes, decoded when it should not be, or another source's.

use super::{Cause, Lab, stated::stated};
use crate::verify::{Algorithm, KeyForm, VerifyError, VerifySpec};
use secrecy::{ExposeSecret as _, SecretString};

/// Returns every form that a key's text may have for a scheme, the commonest first.
pub(super) fn forms(algorithm: Option<Algorithm>) -> &'static [KeyForm] {
    match algorithm {
        Some(algorithm) if algorithm.is_public_key() => {
            &[KeyForm::Spki, KeyForm::Hex, KeyForm::Whpk, KeyForm::Base64]
        }
        _ => &[KeyForm::Utf8, KeyForm::Base64, KeyForm::Hex, KeyForm::Whsec, KeyForm::Sha1],
    }
}

fn meaning(form: KeyForm) -> &'static str {
    match form {
        KeyForm::Utf8 => "the text itself is the key; it is not decoded",
        KeyForm::Hex => "the key is the text read as hexadecimal",
        KeyForm::Base64 => "the key is the text read as base64",
        KeyForm::Whsec => "the key is the text behind `whsec_`, read as base64",
        KeyForm::Sha1 => "the key is the SHA-1 digest of the text",
        KeyForm::Spki => "the key is the text read as SubjectPublicKeyInfo, base64 or PEM",
        KeyForm::Whpk => "the key is the text behind `whpk_`, read as base64",
    }
}

/// A secret as it may have been meant, and what would then have happened to it.
type Meant = (String, &'static str);

/// Says that there is nothing to check with.
pub(super) fn absent(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    let is_bare = lab.case.secrets.iter().all(|secret| secret.expose_secret().is_empty());
    let mend = "name the source's `secrets`, or hand one over with --key env:NAME";
    let cause = || Cause::hint("no_key", "there is no key to check with", mend);
    (is_bare && matches!(error, VerifyError::Unkeyed)).then(cause)
}

/// Tries every slip with every key form.
pub(super) fn probe(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(error)?;
    if let Some(found) = blanks(lab, error) {
        return Some(found);
    }
    let spec = lab.case.spec;
    let all = forms(spec.algorithm);
    let fits = |form: KeyForm, secret: SecretString| {
        lab.fits_secrets(&VerifySpec { key: Some(form), ..spec.clone() }, &[secret])
    };
    let own = spec.key.unwrap_or(KeyForm::Utf8);
    lab.case.secrets.iter().enumerate().find_map(|(number, secret)| {
        let mut others = all.iter().copied().filter(|form| *form != own);
        if let Some(form) = others.find(|form| fits(*form, secret.clone())) {
            return Some(wrong_form(number, form));
        }
        let text = secret.expose_secret();
        let mut meant = slips(text).chain(wrappings(text));
        let found = meant.find(|(meant, _)| all.iter().any(|form| fits(*form, meant.clone().into())));
        found.map(|(_, slip)| slipped(number, slip))
    })
}

/// Tries blanks and line ends around the secret only.
pub(super) fn blanks(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(error)?;
    lab.case.secrets.iter().enumerate().find_map(|(number, secret)| {
        let fits = |meant: String| lab.fits_secrets(lab.case.spec, &[meant.into()]);
        slips(secret.expose_secret()).find_map(|(meant, slip)| fits(meant).then(|| slipped(number, slip)))
    })
}

/// Tries the secrets of other sources.
pub(super) fn strangers(lab: &Lab<'_>, error: &VerifyError) -> Option<Cause> {
    matters(error)?;
    let mut others = lab.case.strangers.iter();
    let (source, _) = others.find(|(_, secrets)| lab.fits_secrets(lab.case.spec, secrets))?;
    let what = format!("the sender signs with a secret of source `{source}`");
    let mend = "give the sender this source's URL and secret, or list that secret here, too";
    Some(Cause::proven("secret_other", what, mend))
}

fn matters(error: &VerifyError) -> Option<()> {
    matches!(error, VerifyError::Mismatch | VerifyError::Unkeyed).then_some(())
}

fn slipped(number: usize, slip: &str) -> Cause {
    let what = format!("secret number {} is not what the sender has: {slip}", number + 1);
    let mend = "store the secret again, character for character as the sender shows it";
    Cause::proven("secret_blank", what, mend)
}

fn wrong_form(number: usize, form: KeyForm) -> Cause {
    let what = format!("secret number {} is right, and decoded wrongly: {}", number + 1, meaning(form));
    Cause::proven("secret_form", what, format!("set `verify.key` to {}", stated(form)))
}

/// Returns the secret without, or with, blanks and line ends around it.
fn slips(text: &str) -> impl Iterator<Item = Meant> {
    let trimmed = text.trim();
    let bare = (trimmed.len() < text.len() && !trimmed.is_empty())
        .then(|| (trimmed.to_owned(), "ours has a blank or a line end around it"));
    let tails = [
        ("\n", "the sender's ends in a line end"),
        (" ", "the sender's ends in a blank"),
        ("\r\n", "the sender's ends in a line end"),
    ];
    let longer = tails.map(|(tail, slip)| (format!("{text}{tail}"), slip));
    let front = (format!(" {text}"), "the sender's begins with a blank");
    bare.into_iter().chain(longer).chain([front])
}

/// Returns the secret without, or with, what tools and people put around it.
fn wrappings(text: &str) -> impl Iterator<Item = Meant> {
    let trimmed = text.trim();
    let quotes = ['"', '\'', '`'].into_iter().filter_map(move |quote| {
        let inner = trimmed.strip_prefix(quote)?.strip_suffix(quote)?;
        Some((inner.to_owned(), "ours stands in quotes"))
    });
    let wrapped =
        ["\"", "'"].map(|quote| (format!("{quote}{trimmed}{quote}"), "the sender's stands in quotes"));
    let labels = ["whsec_", "Bearer ", "sha256=", "\u{feff}"];
    let unlabelled = labels.into_iter().filter_map(move |label| {
        Some((trimmed.strip_prefix(label)?.to_owned(), "ours has a label in front that is not part of it"))
    });
    let labelled = (format!("whsec_{trimmed}"), "ours lacks the `whsec_` in front, which is part of it");
    let escaped =
        trimmed.contains("\\n").then(|| (trimmed.replace("\\n", "\n"), "ours holds `\\n` as two characters"));
    let assigned = trimmed.split_once('=').filter(|(name, value)| {
        !value.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    });
    let assigned = assigned.map(|(_, value)| (value.to_owned(), "ours has the variable's name in front"));
    let cases = [trimmed.to_lowercase(), trimmed.to_uppercase()];
    let cases = cases
        .into_iter()
        .filter(move |text| text != trimmed)
        .map(|text| (text, "upper and lower case differ"));
    quotes.chain(wrapped).chain(unlabelled).chain([labelled]).chain(escaped).chain(assigned).chain(cases)
}

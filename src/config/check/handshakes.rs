//! Rules of handshakes and constants: what the operator agrees to, and what it is worth nothing without.

use super::{Facts, Source};
use crate::{
    config::{CaptureConfig, SecretRef, SourceConfig, keypath::KeyPath, params, problem::Report},
    request::slot::Params,
    senders::SenderSpec,
};
use jiff::Timestamp;

pub(super) fn check(facts: &Facts<'_>, report: &mut Report<'_>) {
    for Source { at, config: source, sender, .. } in facts.sources() {
        variants_are_presets(source, &at, report);
        constants_are_there(sender, &at, report);
        nothing_is_left_open(sender, &at, report);
        agreement_is_asked_for(source, sender, &at, report);
        if let Some(capture) = &source.capture {
            capture_is_of_use(capture, source, sender, &at.key("capture"), report);
        }
    }
}

fn variants_are_presets(source: &SourceConfig, at: &KeyPath, report: &mut Report<'_>) {
    if source.sender.variants.is_some() {
        let fix = "take them out, or name the fields at a source of its own";
        report.error(&at.key("variants"), "only a preset has variants", fix);
    }
}

fn constants_are_there(sender: &SenderSpec, at: &KeyPath, report: &mut Report<'_>) {
    for (name, error) in params(sender).missing {
        let fix = "provide it; until then what needs it is answered 503";
        report.warning(&at.key("params").key(&name), error.to_string(), fix);
    }
}

/// Refuses a sender whose signature proves who runs the service but not whose request it is, while nothing says whose
/// requests are wanted.
fn nothing_is_left_open(sender: &SenderSpec, at: &KeyPath, report: &mut Report<'_>) {
    for (slot, name) in sender.scheme(&Params::default()).undemanded() {
        let message =
            format!("every `{slot}` is taken: anybody with an account at this sender can send events");
        let fix = format!("write `params: {{ {name}: ... }}`, or the values at `verify.require`");
        report.error(&at.key("params").key(name), message, fix);
    }
}

fn agreement_is_asked_for(source: &SourceConfig, sender: &SenderSpec, at: &KeyPath, report: &mut Report<'_>) {
    let asks = sender.respond.iter().flatten().any(|handshake| handshake.confirm.is_some());
    if source.confirm && !asks {
        let message = "this sender asks for no agreement by an address";
        report.warning(&at.key("confirm"), message, "take it out");
    }
}

fn capture_is_of_use(
    capture: &CaptureConfig,
    source: &SourceConfig,
    sender: &SenderSpec,
    at: &KeyPath,
    report: &mut Report<'_>,
) {
    if !sender.respond.iter().flatten().any(|handshake| handshake.capture.is_some()) {
        report.warning(at, "this sender hands over no secret", "take it out");
    }
    if capture.file.as_os_str().is_empty() {
        let fix = "name the file that is to hold the secret";
        report.error(&at.key("file"), "expected the path of a file", fix);
    } else if !source.secrets.contains(&SecretRef::File(capture.file.clone())) {
        let fix = "add the same path to `secrets`, as file:PATH";
        report.error(&at.key("file"), "the source does not use this file as a secret", fix);
    }
    if capture.until.parse::<Timestamp>().is_err() {
        let fix = "write a time in RFC 3339, as 2026-01-31T18:00:00Z, a few hours from now";
        report.error(&at.key("until"), "expected the time until which a secret is taken", fix);
    }
}

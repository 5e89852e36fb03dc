//! Rules of the sources: their names, how they are verified, their bounds.

use super::{Facts, Source};
use crate::{
    config::{
        Limits, SourceConfig, SourceSettings, keypath::KeyPath, problem::Report, secrets::Secrets, units,
    },
    senders::SenderSpec,
    verify::{Algorithm, VerifySpec},
};
use std::time::Duration;

const SHORTEST_DEADLINE: Duration = Duration::from_millis(100);
const LONGEST_DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn check(facts: &Facts<'_>, report: &mut Report<'_>) {
    let all = KeyPath::of(["sources"]);
    if facts.config.sources.is_empty() {
        let fix = "name one, as `sources: { hotel: { preset: likemagic, secrets: [ env:HOTEL ] } }`";
        report.warning(&all, "there is no source, so every webhook is answered 404", fix);
    }
    for name in facts.config.sources.keys() {
        name_fits_a_url(name, &all.key(name), report);
    }
    let budget = Limits::from(&facts.config.limits).body_bytes;
    for Source { at, config: source, sender, .. } in facts.sources() {
        verification_is_chosen(source, sender, &at, report);
        secrets_are_there(source, sender, &at, report);
        let settings = SourceSettings::from(sender);
        deadline_is_sane(&settings, &at, report);
        bounds_are_sane(&settings, budget, &at, report);
        replies_promise_success(&settings, &at, report);
        pauses_are_durations(sender, &at, report);
    }
}

fn name_fits_a_url(name: &str, at: &KeyPath, report: &mut Report<'_>) {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.len() > 63 || !name.starts_with(lower) || !name.chars().all(|c| lower(c) || c == '-') {
        report.error(
            at,
            "expected a name of 1 to 63 lower-case letters, digits and hyphens that begins with a letter or digit",
            "rename the source; its webhooks arrive at /hooks/<name>",
        );
    }
}

fn verification_is_chosen(source: &SourceConfig, sender: &SenderSpec, at: &KeyPath, report: &mut Report<'_>) {
    if sender.verify.as_ref().is_some_and(VerifySpec::is_chosen) {
        return;
    }
    let message = match &source.preset {
        Some(preset) => {
            format!("preset `{preset}` leaves the algorithm to you, because the vendor does not say it")
        }
        None => "a source without preset must say how it is verified".to_owned(),
    };
    report.error(
        &at.key("verify").key("algorithm"),
        message,
        "write `verify: { algorithm: hmac-sha256 }` or another algorithm; `none` takes requests from anybody",
    );
}

fn secrets_are_there(source: &SourceConfig, sender: &SenderSpec, at: &KeyPath, report: &mut Report<'_>) {
    let at = at.key("secrets");
    let verify = sender.verify.clone().unwrap_or_default();
    if verify.algorithm == Some(Algorithm::None) && !source.secrets.is_empty() {
        let fix = "take the secrets out, or choose an algorithm that uses them";
        report.warning(&at, "the algorithm is `none`: these secrets are not used", fix);
        return;
    }
    // An unkeyed digest may do without: it proves that the body is whole, nothing more.
    if verify.needs_secret() && source.secrets.is_empty() {
        let fix = "write `secrets: [ env:NAME ]` or `secrets: [ file:PATH ]`";
        report.error(&at, "this source is verified with a secret, and has none", fix);
    }
    let secrets = Secrets::read(&source.secrets);
    for (n, error) in secrets.missing {
        let fix = "provide it; until then this source answers 503 unless another secret is there";
        report.warning(&at.index(n), error.to_string(), fix);
    }
    for n in secrets.weak {
        let fix = "agree on a longer one with the sender, as 32 random bytes";
        report.warning(&at.index(n), "this secret has fewer than 16 bytes and could be guessed", fix);
    }
}

fn deadline_is_sane(settings: &SourceSettings, at: &KeyPath, report: &mut Report<'_>) {
    if !(SHORTEST_DEADLINE..=LONGEST_DEADLINE).contains(&settings.deadline) {
        let message = format!("expected 100ms to 30s, found {:?}", settings.deadline);
        let fix = "leave it out for 4s, and stay below what the sender waits";
        report.error(&at.key("deadline"), message, fix);
    }
}

fn bounds_are_sane(settings: &SourceSettings, budget: u64, at: &KeyPath, report: &mut Report<'_>) {
    if settings.max_body == 0 || settings.max_body > budget {
        report.error(
            &at.key("max_body"),
            format!("expected 1 byte to limits.body_bytes ({budget}), found {} bytes", settings.max_body),
            "leave it out for 512KiB, or raise limits.body_bytes: one body must fit into what all share",
        );
    }
    if settings.max_in_flight == 0 {
        report.error(&at.key("max_in_flight"), "expected at least 1, found 0", "leave it out for 1024");
    }
    if settings.dedup_entries == 0 {
        let fix = "write `dedup: { window: 0s }` to switch deduplication off";
        report.error(&at.key("dedup").key("entries"), "expected at least 1, found 0", fix);
    }
}

fn replies_promise_success(settings: &SourceSettings, at: &KeyPath, report: &mut Report<'_>) {
    for (key, status) in [("success", settings.success), ("spooled", settings.spooled)] {
        if !(200..=299).contains(&status) {
            let message = format!("expected a status from 200 to 299, found {status}");
            let fix = "only a 2xx tells the sender that the event is safe";
            report.error(&at.key("reply").key(key), message, fix);
        }
    }
    if settings.body.as_ref().is_some_and(|body| !body.is_empty())
        && [settings.success, settings.spooled].contains(&204)
    {
        let fix = "take the body out, or answer with 200";
        report.error(&at.key("reply").key("body"), "a reply with status 204 has no body", fix);
    }
}

fn pauses_are_durations(sender: &SenderSpec, at: &KeyPath, report: &mut Report<'_>) {
    let pauses = sender.retries.iter().flat_map(|retries| retries.after.iter().flatten());
    for (n, pause) in pauses.enumerate() {
        if units::duration(pause).is_none() {
            let message = "expected a duration, found something else";
            report.error(&at.key("retries").key("after").index(n), message, units::DURATION_FIX);
        }
    }
}

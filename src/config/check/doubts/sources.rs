//! Times and bounds of a source that defeat their purpose.

use super::Facts;
use crate::{
    config::{Limits, SourceSettings, keypath::KeyPath, problem::Report, units},
    senders::SenderSpec,
};
use std::time::Duration;

/// A deadline above its preset's. That one leaves a fifth of what the sender waits for the way back.
pub(super) fn deadlines_end_before_senders_leave(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (name, source) in &facts.config.sources {
        let own = source.sender.deadline.as_deref().and_then(units::duration);
        let preset =
            facts.presets.get(name).and_then(|preset| preset.deadline.as_deref()).and_then(units::duration);
        let Some((own, preset)) = own.zip(preset) else { continue };
        if own >= preset.saturating_mul(5) / 4 {
            report.warning(
                &KeyPath::of(["sources", name, "deadline"]),
                format!("the sender has gone by then: its preset answers within {preset:?} for that reason"),
                "take it out, or write less",
            );
        }
    }
}

/// A window that ends before the sender's last retry, and before that of its preset.
pub(super) fn windows_last_as_long_as_retries(facts: &Facts<'_>, report: &mut Report<'_>) {
    let window = |sender: &SenderSpec| {
        sender.dedup.as_ref().and_then(|dedup| dedup.window.as_deref()).and_then(units::duration)
    };
    for (name, source) in &facts.config.sources {
        let Some(own) = window(&source.sender).filter(|own| !own.is_zero()) else { continue };
        let retries = facts.senders.get(name).and_then(|sender| sender.retries.as_ref());
        let pauses = retries.and_then(|retries| retries.after.as_deref()).unwrap_or_default();
        let last = pauses
            .iter()
            .filter_map(|pause| units::duration(pause))
            .fold(Duration::ZERO, Duration::saturating_add);
        // A preset's window may be shorter than its retries, where these last for days.
        let wanted = facts.presets.get(name).and_then(window).map_or(last, |preset| preset.min(last));
        if own < wanted {
            report.warning(
                &KeyPath::of(["sources", name, "dedup", "window"]),
                format!(
                    "the sender's retries go on for {last:?}: one that comes after {own:?} is published twice"
                ),
                format!("write at least {wanted:?}, or `0s` if consumers tell repeats by themselves"),
            );
        }
    }
}

/// Senders keep their connections open: with no more of them than sources, one sender shuts another out.
pub(super) fn each_source_has_a_connection(facts: &Facts<'_>, report: &mut Report<'_>) {
    let connections = Limits::from(&facts.config.limits).connections;
    if connections > 0 && connections <= facts.config.sources.len() {
        let message = "senders keep connections open: one of them would keep the others out";
        let fix = "leave it out for 10240";
        report.warning(&KeyPath::of(["limits", "connections"]), message, fix);
    }
}

/// Returns the bound on the bodies of a source.
pub(super) fn max_body(facts: &Facts<'_>, source: &str) -> u64 {
    facts.senders.get(source).map_or(0, |sender| SourceSettings::from(sender).max_body)
}

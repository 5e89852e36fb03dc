//! Sinks that are not reached as it is written, or take less than comes.

use super::{Facts, sources::max_body};
use crate::config::{keypath::KeyPath, problem::Report};

/// Credentials and certificates for a connection that uses none.
pub(super) fn logins_are_used(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (name, sink) in &facts.config.sinks {
        let Some(kafka) = &sink.kafka else { continue };
        let protocol = kafka.text("security.protocol");
        if protocol.is_none() && kafka.options.contains_key("security.protocol") {
            continue;
        }
        let protocol = protocol.unwrap_or_default().to_lowercase();
        for (family, needed) in [("sasl.", "sasl"), ("ssl.", "ssl")] {
            let first = kafka.options.keys().find(|option| option.starts_with(family));
            let Some(option) = first.filter(|_| !protocol.contains(needed)) else { continue };
            let stands = if protocol.is_empty() { "left out" } else { "another" };
            report.warning(
                &KeyPath::of(["sinks", name, "kafka", "options", option]),
                format!("this is not used: `security.protocol` is {stands}, so that the connection has no {needed}"),
                "write `security.protocol: sasl_ssl`, or `sasl_plaintext`, or `ssl`",
            );
        }
    }
}

/// A bound of a sink below the bodies that are taken for it.
pub(super) fn bodies_fit(facts: &Facts<'_>, report: &mut Report<'_>) {
    for (name, sink) in &facts.config.sinks {
        let kafka = sink.kafka.as_ref().and_then(|kafka| {
            let option = "message.max.bytes";
            Some((KeyPath::of(["kafka", "options", option]), kafka.text(option)?.parse().ok()?, "raise it"))
        });
        let journal = sink.journal.as_ref().and_then(|journal| {
            Some((KeyPath::of(["journal", "max_bytes"]), journal.max_bytes()?, "raise it far above that"))
        });
        let Some((key, limit, fix)) = kafka.or(journal).filter(|(_, limit, _)| *limit > 0) else { continue };
        let largest = sources_of(facts, name).map(|source| (max_body(facts, source), source)).max();
        let Some((largest, source)) = largest.filter(|(largest, _)| limit < *largest) else { continue };
        report.warning(
            &KeyPath::of(["sinks", name]).join(&key),
            format!("{limit} bytes are less than one body of source `{source}` may have ({largest} bytes)"),
            format!("{fix}, or lower the source's `max_body`"),
        );
    }
}

/// Returns the sources whose events may come to a sink. The quarantine may get those of all.
fn sources_of<'f>(facts: &'f Facts<'_>, sink: &'f str) -> impl Iterator<Item = &'f str> {
    let is_quarantine = facts.config.quarantine.as_ref().is_some_and(|target| target.sink == sink);
    let routed = facts
        .config
        .routes
        .iter()
        .filter(move |route| route.to.targets().iter().any(|target| target.sink == sink));
    let routed = routed.flat_map(|route| facts.taken(route.matches.source.as_deref()));
    routed.chain(facts.taken(None).filter(move |_| is_quarantine))
}

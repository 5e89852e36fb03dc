//! The result for people: the verdict first, then what was checked, then why, or where it goes.

use super::{follow::Followed, subject::Subject, verdict::Verdict};
use crate::cli::{
    exit::Stop,
    out::{Out, Style, printable},
};

pub(super) fn verdict(verdict: &Verdict, subject: &Subject, out: &mut Out) -> Result<(), Stop> {
    let head = if verdict.is_accepted() {
        let handshake =
            if verdict.response.is_some() { ": a handshake, answered and not published" } else { "" };
        format!("{}{handshake}", out.paint(Style::Good, "accepted"))
    } else {
        let reason = verdict.reason.as_deref().unwrap_or_default();
        format!("{}: {}", out.paint(Style::Bad, "rejected"), printable(reason))
    };
    out.line(head)?;
    for cause in &verdict.findings {
        if Some(&cause.what) != verdict.reason.as_ref() {
            out.line(format!("  perhaps  {}", printable(&cause.what)))?;
        }
        out.line(format!("  mend     {}", printable(&cause.mend)))?;
    }
    checked(verdict, subject, out)?;
    for note in &verdict.notes {
        out.line(format!("  note     {}", printable(note)))?;
    }
    if let Some(response) = &verdict.response {
        out.line(format!("  answer   {} {}", response.status, printable(&response.body)))?;
    }
    for event in &verdict.events {
        followed(event, out)?;
    }
    Ok(())
}

fn checked(verdict: &Verdict, subject: &Subject, out: &mut Out) -> Result<(), Stop> {
    let checked = &verdict.checked;
    let verify = subject.verify();
    let message = checked.message.as_ref().map_or_else(String::new, |message| format!(" over {message}"));
    let place = crate::explain::places(&verify);
    let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
    let keys = match (checked.key, checked.keys) {
        (Some(key), keys) => format!(", key {key} of {keys}"),
        (None, 0) => String::new(),
        (None, 1) => ", 1 key".to_owned(),
        (None, keys) => format!(", {keys} keys"),
    };
    let proven = checked.verified.map_or_else(String::new, |verified| format!(": {verified}"));
    let line = format!("{}{message}{place}{keys}{proven}", checked.scheme);
    out.line(format!("  checked  {}", printable(&line)))
}

fn followed(event: &Followed, out: &mut Out) -> Result<(), Stop> {
    let kind = out.paint(Style::Strong, &printable(&event.kind)).into_owned();
    out.line(format!(
        "  event    {kind}  {}",
        printable(event.subject.as_deref().unwrap_or("without subject"))
    ))?;
    if let Some(why) = &event.quarantine {
        let line = format!("  quarantine  {}: {}", why.reason, why.detail);
        out.line(out.paint(Style::Warning, &printable(&line)))?;
    }
    let key = event.key.as_deref().map_or_else(|| "none".to_owned(), |key| printable(key).into_owned());
    let partition = event.partition.map_or_else(String::new, |partition| format!(", partition {partition}"));
    out.line(format!("    key    {key}{partition}"))?;
    let dedup = match &event.dedup_id {
        Some(id) if event.is_repeat => {
            format!("{}, as an event before it: suppressed as a repeat", printable(id))
        }
        Some(id) => format!("{}, known for {} s", printable(id), event.dedup_window_s),
        None => format!("{}, and nothing tells a repeat from a new event", printable(&event.id)),
    };
    out.line(format!("    id     {dedup}"))?;
    for destination in &event.destinations {
        out.line(format!("    to     {} {}", destination.sink, printable(&destination.name)))?;
    }
    match &event.envelope {
        Some(envelope) => out.document(envelope),
        None => Ok(()),
    }
}

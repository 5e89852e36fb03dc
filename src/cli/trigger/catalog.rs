//! Lists what can be triggered: the samples of the configured sources, and the presets that could be configured.

use crate::{
    cli::{
        Common,
        exit::{Exit, Stop},
        out::{Out, Style},
    },
    config::{self, nearest::one_of},
    senders::{self, SenderSpec},
};
use serde::Serialize;

/// One sender and what it can send.
#[derive(Debug, Serialize)]
struct Entry {
    sender: String,
    /// The configured sources that have this sender.
    sources: Vec<String>,
    events: Vec<String>,
}

/// Prints all senders, or one with its events.
pub(super) fn run(sender: Option<&str>, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let entries = entries(common, out);
    let known = one_of(entries.iter().map(|entry| entry.sender.as_str()));
    let is_wanted = |entry: &Entry| {
        sender.is_none_or(|sender| entry.sender == sender || entry.sources.iter().any(|s| s == sender))
    };
    let wanted: Vec<&Entry> = entries.iter().filter(|entry| is_wanted(entry)).collect();
    if wanted.is_empty() {
        let sender = sender.unwrap_or_default();
        return Err(Stop::usage(format!("there is no sender {sender:?}: there are {known}")));
    }
    if out.is_json() {
        out.object(&wanted)?;
        return Ok(Exit::Well);
    }
    for entry in &wanted {
        print(entry, sender.is_some(), out)?;
    }
    out.note("send one with: hookway trigger SENDER.EVENT");
    Ok(Exit::Well)
}

fn print(entry: &Entry, whole: bool, out: &mut Out) -> Result<(), Stop> {
    const FEW: usize = 3;
    let sources = if entry.sources.is_empty() {
        "not configured".to_owned()
    } else {
        format!("source {}", one_of(entry.sources.iter().map(String::as_str)))
    };
    let sender = out.paint(Style::Strong, &entry.sender).into_owned();
    out.line(format!("{sender}  {}", out.paint(Style::Faint, &sources)))?;
    let shown = if whole { entry.events.len() } else { FEW };
    for event in entry.events.iter().take(shown) {
        out.line(format!("  {}.{event}", entry.sender))?;
    }
    match entry.events.len().saturating_sub(shown) {
        0 => Ok(()),
        more => out.line(format!("  … {more} more: hookway trigger {}", entry.sender)),
    }
}

/// Returns the senders of the configuration, then the presets that it does not use.
fn entries(common: &Common, out: &Out) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    match config::load(&common.config) {
        Ok(loaded) => {
            for (source, spec) in &loaded.senders {
                let preset = loaded.config.sources.get(source).and_then(|config| config.preset.clone());
                // A file's document goes by its sender's name: a path holds the dot that ends the name.
                let sender = preset
                    .filter(|preset| senders::find(preset).is_some())
                    .or_else(|| spec.sender.clone())
                    .unwrap_or_else(|| source.clone());
                if let Some(entry) = entries.iter_mut().find(|entry| entry.sender == sender) {
                    entry.sources.push(source.clone());
                } else {
                    entries.push(Entry { sender, sources: vec![source.clone()], events: events(spec) });
                }
            }
        }
        Err(_) => out.note(format!("{} can't be used; these are the presets", common.config.display())),
    }
    for name in senders::names() {
        if entries.iter().all(|entry| entry.sender != name) {
            let spec = senders::preset(name).and_then(|text| serde_saphyr::from_str::<SenderSpec>(text).ok());
            entries.push(Entry {
                sender: name.to_owned(),
                sources: Vec::new(),
                events: events(&spec.unwrap_or_default()),
            });
        }
    }
    entries
}

fn events(spec: &SenderSpec) -> Vec<String> {
    let samples = spec.samples.as_deref().unwrap_or_default();
    samples.iter().flat_map(|sample| sample.names.iter().cloned()).collect()
}

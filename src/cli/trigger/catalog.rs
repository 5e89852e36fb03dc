//! Lists what can be triggered: the samples of the configured sources, and with `--all` also the presets that could be
//! configured.

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

#[derive(Debug, Serialize)]
struct Entry {
    sender: String,
    /// The configured sources that have this sender.
    sources: Vec<String>,
    events: Vec<String>,
}

pub(super) enum Wanted<'w> {
    /// What the configuration has.
    Configured,
    /// That, and the presets that it does not use.
    All,
    /// One sender, by its name or that of its source, whole.
    Sender(&'w str),
    /// What one source sends.
    Source(&'w str),
}

impl Wanted<'_> {
    fn takes(&self, entry: &Entry) -> bool {
        let has = |name: &str| entry.sources.iter().any(|source| source == name);
        match self {
            Self::Configured => !entry.sources.is_empty(),
            Self::All => true,
            Self::Sender(name) => entry.sender == *name || has(name),
            Self::Source(name) => has(name),
        }
    }
}

pub(super) fn run(wanted: &Wanted<'_>, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let (entries, trouble) = entries(common);
    let shown: Vec<&Entry> = entries.iter().filter(|entry| wanted.takes(entry)).collect();
    match (wanted, trouble) {
        (Wanted::Configured | Wanted::Source(_), Some(trouble)) => return Err(trouble),
        (Wanted::Source(name), None) if shown.is_empty() => {
            let known = one_of(entries.iter().flat_map(|entry| &entry.sources).map(String::as_str));
            return Err(Stop::usage(format!("there is no source {name:?}: the sources are {known}")));
        }
        (Wanted::Sender(name), _) if shown.is_empty() => {
            let known = one_of(entries.iter().map(|entry| entry.sender.as_str()));
            return Err(Stop::usage(format!("there is no sender {name:?}: there are {known}")));
        }
        _ => {}
    }
    if out.is_json() {
        out.object(&shown)?;
        return Ok(Exit::Well);
    }
    for entry in &shown {
        print(entry, matches!(wanted, Wanted::Sender(_) | Wanted::Source(_)), out)?;
    }
    out.note("send one with: hookway trigger SENDER.EVENT");
    if matches!(wanted, Wanted::Configured) {
        out.note("the senders that are not configured: hookway trigger --all");
    }
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

/// Returns the senders of the configuration, then the presets that it does not use; and why the configuration can't be
/// read, where that is so.
fn entries(common: &Common) -> (Vec<Entry>, Option<Stop>) {
    let (loaded, trouble) = match config::load(&common.config) {
        Ok(loaded) => (Some(loaded), None),
        Err(error) => (None, Some(Stop::from(error))),
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (source, spec) in loaded.iter().flat_map(|loaded| &loaded.senders) {
        let config = loaded.as_ref().and_then(|loaded| loaded.config.sources.get(source));
        // A file's document goes by its sender's name: a path holds the dot that ends the name.
        let sender = config
            .and_then(|config| config.preset.clone())
            .filter(|preset| senders::find(preset).is_some())
            .or_else(|| spec.sender.clone())
            .unwrap_or_else(|| source.clone());
        if let Some(entry) = entries.iter_mut().find(|entry| entry.sender == sender) {
            entry.sources.push(source.clone());
        } else {
            entries.push(Entry { sender, sources: vec![source.clone()], events: events(spec) });
        }
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
    (entries, trouble)
}

fn events(spec: &SenderSpec) -> Vec<String> {
    let samples = spec.samples.as_deref().unwrap_or_default();
    samples.iter().flat_map(|sample| sample.names.iter().cloned()).collect()
}

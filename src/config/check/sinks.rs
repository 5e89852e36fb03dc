//! Rules of the sinks, whatever their kind.

use crate::config::{Config, JournalConfig, SinkConfig, keypath::KeyPath, problem::Report};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// The shortest time and the fewest bytes that a journal may keep.
const LEAST_AGE: Duration = Duration::from_mins(1);
const LEAST_BYTES: u64 = 1 << 20;

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    let all = KeyPath::of(["sinks"]);
    for (name, sink) in &config.sinks {
        let at = all.key(name);
        name_is_a_word(name, &at, report);
        kind_is_one(sink, &at, report);
        if let Some(kafka) = &sink.kafka {
            super::kafka::check(kafka, &at.key("kafka"), report);
        }
        if let Some(nats) = &sink.nats {
            super::nats::check(nats, &at.key("nats"), report);
        }
        if let Some(journal) = &sink.journal {
            has_a_place(("journal", name), (&journal.dir, journal.max_bytes()), &at.key("journal"), report);
            keeps_something(journal, &at.key("journal"), report);
        }
    }
    directories_differ(config, report);
}

fn name_is_a_word(name: &str, at: &KeyPath, report: &mut Report<'_>) {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 63 || !name.chars().all(fits) {
        let fix = "rename the sink; the name stands in metrics and log lines";
        report.error(at, "expected a name of 1 to 63 letters, digits, hyphens and underscores", fix);
    }
}

fn kind_is_one(sink: &SinkConfig, at: &KeyPath, report: &mut Report<'_>) {
    let kinds =
        [("kafka", sink.kafka.is_some()), ("nats", sink.nats.is_some()), ("journal", sink.journal.is_some())];
    let given: Vec<&str> = kinds.iter().filter(|(_, given)| *given).map(|(kind, _)| *kind).collect();
    // A kind that is misspelled was told already.
    if given.len() > 1 || (given.is_empty() && !report.has_unread(at)) {
        let found = if given.is_empty() { "none".to_owned() } else { given.join(" and ") };
        let message = format!("expected exactly one of `kafka`, `nats` and `journal`, found {found}");
        let fix = "give each destination a sink of its own; a route may name several";
        report.error(at, message, fix);
    }
}

/// Looks at the files of a journal, or of the spool, which is one. `own` is the directory that is proposed.
pub(super) fn has_a_place(
    (kind, own): (&str, &str),
    (dir, max_bytes): (&Path, Option<u64>),
    at: &KeyPath,
    report: &mut Report<'_>,
) {
    if dir.as_os_str().is_empty() {
        let fix = format!("write {kind}: {{ dir: /var/lib/hookway/{own} }}");
        report.error(&at.key("dir"), format!("a {kind} needs a directory"), fix);
    }
    if max_bytes == Some(0) {
        let fix = "leave it out, or write a size as 8GiB";
        report.error(&at.key("max_bytes"), "expected more than nothing", fix);
    }
}

/// Below these bounds a journal would remove what was written a moment before.
fn keeps_something(journal: &JournalConfig, at: &KeyPath, report: &mut Report<'_>) {
    let at = at.key("keep");
    if journal.keep.age().is_some_and(|age| age < LEAST_AGE) {
        report.error(&at.key("age"), "expected 1m or longer", "write how long records are kept, as 30d");
    }
    let Some(bytes) = journal.keep.bytes() else { return };
    if bytes < LEAST_BYTES {
        report.error(&at.key("bytes"), "expected 1MiB or more", "write how much is kept, as 8GiB");
    } else if journal.max_bytes().is_some_and(|most| most <= bytes) {
        let message = "expected less than `max_bytes`, at which events are refused";
        report.error(&at.key("bytes"), message, "lower it to nine tenths of `max_bytes`, or raise that");
    }
}

/// Two owners of one directory would write over each other.
fn directories_differ(config: &Config, report: &mut Report<'_>) {
    let spool = config.spool.iter().map(|spool| (KeyPath::of(["spool", "dir"]), spool.dir.as_path()));
    let journals = config.sinks.iter().filter_map(|(name, sink)| {
        let journal = sink.journal.as_ref()?;
        Some((KeyPath::of(["sinks", name, "journal", "dir"]), journal.dir.as_path()))
    });
    let mut owners: BTreeMap<PathBuf, KeyPath> = BTreeMap::new();
    for (at, dir) in journals.chain(spool) {
        if dir.as_os_str().is_empty() {
            continue;
        }
        let place = place(dir);
        if let Some(owner) = owners.get(&place) {
            let message = format!("the directory {} belongs to {owner} already", dir.display());
            report.error(&at, message, "give each journal a directory of its own");
        } else {
            owners.insert(place, at);
        }
    }
}

/// Returns the directory that a path leads to, however it is written, as far as there is one yet.
fn place(dir: &Path) -> PathBuf {
    if let Ok(place) = dir.canonicalize() {
        return place;
    }
    match (dir.parent(), dir.file_name()) {
        (Some(parent), Some(name)) if parent.as_os_str().is_empty() => place(Path::new(".")).join(name),
        (Some(parent), Some(name)) => place(parent).join(name),
        _ => dir.to_owned(),
    }
}

//! `hookway spool`: what waits on disk for destinations that are away; read beside the server, or emptied without one.

mod drain;

use super::{
    Common, block_on,
    exit::{Exit, Stop},
    out::{Out, printable},
    tail::{
        row::{Place, Row},
        show::View,
    },
};
use crate::{
    clock,
    config::{self, Loaded},
    journal::JournalError,
    publish::Waiting,
    record::Record,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use std::path::PathBuf;

pub(super) const HELP: &str = "\
Examples:
  hookway spool ls                              how much waits, for which destination, since when
  hookway spool show bus:orders -n 3            the three oldest that wait for a topic
  hookway spool export bus > bus.jsonl          all that waits for a sink, whole, one JSON object a line
  hookway spool drain --dir /mnt/left           publishes what a replica that is gone has left on its volume

`ls`, `show` and `export` read beside a running server. `drain` needs the directory for itself: a server that has it
publishes what waits by itself.

Exit codes: 0 well, 1 nothing waits (drain: something still does), 64 wrong usage, 69 a broker is away or the directory in use,
74 disk, 78 configuration.";

#[derive(Debug, Args)]
pub(super) struct Spool {
    #[command(subcommand)]
    verb: Verb,
    /// The spool's directory, where it is not the configured one
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists the destinations for which events wait
    Ls,
    /// Shows the oldest events that wait
    Show {
        /// SINK or SINK:TOPIC; all where it is left out
        of: Option<String>,
        /// How many of each destination
        #[arg(short, default_value_t = 10)]
        n: usize,
    },
    /// Writes all that waits, whole, as JSON lines; removes nothing
    Export {
        /// SINK or SINK:TOPIC; all where it is left out
        of: Option<String>,
    },
    /// Publishes all that waits, and ends
    Drain(drain::Drain),
}

/// Looks at the spool, or empties it.
pub(super) fn run(spool: &Spool, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let mut loaded = config::load(&common.config)?;
    if let Some(dir) = &spool.dir {
        loaded.config.spool.get_or_insert_default().dir.clone_from(dir);
    }
    match &spool.verb {
        Verb::Ls => ls(&loaded, out),
        Verb::Show { of, n } => show(&loaded, of.as_deref(), *n, out),
        Verb::Export { of } => export(&loaded, of.as_deref(), out),
        Verb::Drain(drain) => block_on(drain::run(loaded, drain, out)),
    }
}

/// Returns the destinations of the configured spool that a word names.
fn waiting(loaded: &Loaded, of: Option<&str>) -> Result<Vec<Waiting>, Stop> {
    let Some(spool) = &loaded.config.spool else {
        return Err(Stop::usage("the configuration has no spool: name its directory with --dir".to_owned()));
    };
    let mut all = Waiting::all(&spool.dir).map_err(|error| failed(&error))?;
    if let Some(of) = of {
        all.retain(|waiting| waiting.name() == of || waiting.sink == of);
    }
    Ok(all)
}

fn failed(error: &JournalError) -> Stop {
    Stop::new(Exit::Disk, error.to_string())
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(clock::rfc3339).unwrap_or_default()
}

fn ls(loaded: &Loaded, out: &mut Out) -> Result<Exit, Stop> {
    let mut is_any = false;
    for waiting in waiting(loaded, None)? {
        let (mut unread, mut events, mut oldest) =
            (waiting.read().map_err(|error| failed(&error))?, 0_u64, None);
        while let Some((_, record, _)) = unread.read().map_err(|error| failed(&error))? {
            events += 1;
            oldest = oldest.or(Some(record.timestamp_ms));
        }
        is_any |= events > 0;
        let (name, bytes, lost) = (waiting.name(), waiting.bytes(), unread.lost());
        if out.is_json() {
            out.object(&serde_json::json!({
                "sink": waiting.sink, "destination": waiting.destination, "events": events, "bytes": bytes,
                "oldest": oldest.map(time), "lost": lost, "dir": waiting.dir,
            }))?;
        } else if events > 0 || lost > 0 {
            let since = oldest.map(|ms| format!("  since {}", time(ms))).unwrap_or_default();
            let lost = if lost > 0 { format!("  {lost} damaged or missing") } else { String::new() };
            let size = bytesize::ByteSize(bytes);
            out.line(format!("{}  {events} events  {size}{since}{lost}", printable(&name)))?;
        }
    }
    if !is_any {
        out.note("nothing waits in the spool");
    }
    Ok(if is_any { Exit::Well } else { Exit::Negative })
}

fn show(loaded: &Loaded, of: Option<&str>, n: usize, out: &mut Out) -> Result<Exit, Stop> {
    let mut is_any = false;
    for waiting in waiting(loaded, of)? {
        let mut unread = waiting.read().map_err(|error| failed(&error))?;
        let view = View { sink: &waiting.sink, verbose: true, json: out.is_json() };
        for _ in 0..n {
            let Some((number, record, _)) = unread.read().map_err(|error| failed(&error))? else { break };
            is_any = true;
            view.show(&row(number, record), out)?;
        }
    }
    Ok(if is_any { Exit::Well } else { Exit::Negative })
}

fn row(number: u64, record: Record) -> Row {
    let headers = record.headers.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned()));
    Row {
        destination: record.destination.to_string(),
        place: Place::Journal { sequence: number },
        key: record.key,
        headers: headers.collect(),
        value: record.value,
        timestamp_ms: record.timestamp_ms,
    }
}

fn export(loaded: &Loaded, of: Option<&str>, out: &mut Out) -> Result<Exit, Stop> {
    let mut is_any = false;
    for waiting in waiting(loaded, of)? {
        let mut unread = waiting.read().map_err(|error| failed(&error))?;
        while let Some((number, record, source)) = unread.read().map_err(|error| failed(&error))? {
            is_any = true;
            let Record { destination, key, headers, value, timestamp_ms, message_id, .. } = record;
            out.object(&serde_json::json!({
                "sink": waiting.sink, "number": number, "destination": &*destination, "source": source, "key": key,
                "headers": headers, "timestamp": time(timestamp_ms), "message_id": message_id,
                "value_base64": STANDARD.encode(&value),
            }))?;
        }
        if unread.lost() > 0 {
            out.note(format!("{}: {} events are damaged or missing", waiting.name(), unread.lost()));
        }
    }
    Ok(if is_any { Exit::Well } else { Exit::Negative })
}

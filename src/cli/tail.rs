//! `hookway tail`: reads a sink and shows its events. Reads only: no consumer group, no commit, no lock, so it
//! disturbs nobody.
//!
//! ```text
//! Feed (journal, Kafka, NATS) → Row → filter → shown for people, or as JSON lines
//! ```

pub(super) mod filter;
pub(super) mod from;
mod journal;
mod kafka;
mod nats;
pub(super) mod row;
pub(super) mod show;
pub(super) mod sink;

use super::{
    Common, block_on,
    exit::{Exit, Stop},
    out::Out,
};
use crate::config::{self, Loaded, SinkConfig};
use clap::Args;
use filter::Filter;
use from::From;
use row::Row;
use std::{collections::BTreeMap, num::NonZeroU32};
use wildmatch::WildMatch;

pub(super) const HELP: &str = "\
Examples:
  hookway tail                                    the last 10 events; on a terminal also what follows
  hookway tail bus --topic hotel.* --follow       watch some topics of the sink `bus`
  hookway tail --from start --once | jq .event    every envelope, as JSON
  hookway tail --type '*.RESERVATION_*' -n 1 -v   the newest such event, whole
  hookway tail quarantine                         what could not be mapped or routed, and why

In a pipe and with --json each record is one JSON object a line:
  {sink, destination, partition and offset | stream and sequence | sequence, key, headers, event}
`event` is the envelope as it stands; line breaks between its tokens become blanks.

Exit codes: 0 well, 1 nothing to read, 64 wrong usage, 69 a broker or journal is not there, 78 configuration.";

/// Records shown where nothing else is said.
const FEW: u32 = 10;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Tail {
    /// Which sink; may be left out where routes lead to only one
    sink: Option<String>,
    /// Where to begin: start, end, or -N for the last N [default: -10]
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    from: Option<From>,
    /// Waits for more; the default on a terminal
    #[arg(long, short)]
    follow: bool,
    /// Ends after what is there now
    #[arg(long, conflicts_with = "follow")]
    once: bool,
    /// Ends after N events
    #[arg(short, value_name = "N")]
    n: Option<NonZeroU32>,
    #[command(flatten)]
    filter: Filter,
    /// Shows the envelopes, too
    #[arg(long, short)]
    verbose: bool,
    /// Writes for people in a pipe, too
    #[arg(long, conflicts_with = "json")]
    text: bool,
}

/// Reads the sink until its end, or until it is told to stop.
pub(super) fn run(tail: &Tail, common: &Common, out: &mut Out) -> Result<Exit, Stop> {
    let loaded = config::load(&common.config)?;
    let name = sink::choose(&loaded, tail.sink.as_deref())?;
    block_on(read(tail, &loaded, name, out))
}

async fn read(tail: &Tail, loaded: &Loaded, name: &str, out: &mut Out) -> Result<Exit, Stop> {
    let filter = &tail.filter;
    let few = tail.n.map_or(FEW, NonZeroU32::get);
    let from = tail.from.unwrap_or(From::Last(few));
    // The last N that fit may stand anywhere before the end.
    let begin = if matches!(from, From::Last(_)) && !filter.takes_all() { From::Start } else { from };
    let mut feed = Feed::open(loaded, name, begin, filter.topic.as_ref()).await?;
    let view = show::View {
        sink: name,
        verbose: tail.verbose,
        json: out.is_json() || !(out.is_terminal() || tail.text),
    };
    let most = tail.n.map_or(u32::MAX, NonZeroU32::get);
    let mut left = most;

    let mut newest = Newest::new(from);
    while let Some(row) = feed.next(false).await? {
        feed.say(out);
        let Some(row) = filter.takes(&row).then_some(row).and_then(|row| newest.pass(row)) else { continue };
        view.show(&row, out)?;
        left -= 1;
        if left == 0 {
            return Ok(Exit::Well);
        }
    }
    for row in newest.rest(left) {
        view.show(&row, out)?;
        left -= 1;
    }
    if left == most {
        out.note(nothing(loaded, name, filter.takes_all()).await);
    }
    let follows = tail.follow || (out.is_terminal() && !tail.once);
    if follows && left > 0 && !view.json {
        out.note("waiting for more; Ctrl-C ends");
    }
    while follows
        && left > 0
        && let Some(row) = feed.next(true).await?
    {
        feed.say(out);
        if filter.takes(&row) {
            view.show(&row, out)?;
            left -= 1;
        }
    }
    // A script can tell "nothing" from "well", as with grep.
    Ok(if left == most { Exit::Negative } else { Exit::Well })
}

/// Says that there was nothing to show; and where to look, if something stands in the quarantine.
async fn nothing(loaded: &Loaded, name: &str, is_all: bool) -> String {
    let what = if is_all { "nothing stands in" } else { "nothing that fits stands in" };
    let quarantine = loaded.config.quarantine.as_ref().map(|target| target.sink.as_str());
    let Some(quarantine) = quarantine.filter(|quarantine| *quarantine != name) else {
        return format!("{what} {name}");
    };
    let opened = Feed::open(loaded, quarantine, From::Start, None).await;
    let is_there = match opened {
        Ok(mut feed) => feed.next(false).await.is_ok_and(|row| row.is_some()),
        Err(_) => false,
    };
    let hint = if is_there {
        format!(", and something in the quarantine: hookway tail {quarantine}")
    } else {
        String::new()
    };
    format!("{what} {name}{hint}")
}

pub(super) enum Feed {
    Journal(Box<journal::Feed>),
    Kafka(Box<kafka::Feed>),
    Nats(Box<nats::Feed>),
}

impl Feed {
    pub(super) async fn open(
        loaded: &Loaded,
        name: &str,
        from: From,
        topic: Option<&WildMatch>,
    ) -> Result<Self, Stop> {
        match loaded.config.sinks.get(name) {
            Some(SinkConfig { kafka: Some(config), .. }) => {
                let templates = sink::topics(loaded, name);
                kafka::Feed::open(loaded, name, config, &templates, from, topic)
                    .await
                    .map(|feed| Self::Kafka(Box::new(feed)))
            }
            Some(SinkConfig { nats: Some(config), .. }) => {
                nats::Feed::open(loaded, name, config, from).await.map(|feed| Self::Nats(Box::new(feed)))
            }
            Some(SinkConfig { journal: Some(config), .. }) => {
                journal::Feed::open(&config.dir, from).map(|feed| Self::Journal(Box::new(feed)))
            }
            Some(SinkConfig { .. }) | None => Err(Stop::usage(format!("there is no sink {name:?}"))),
        }
    }

    /// Says what happened to the sink while it was read.
    fn say(&mut self, out: &Out) {
        if let Self::Journal(feed) = self
            && let Some(word) = feed.word()
        {
            out.note(word);
        }
    }

    /// Returns the next record. Behind the last of those that were there when the feed was opened, waits for one, or
    /// returns `None`.
    pub(super) async fn next(&mut self, waits: bool) -> Result<Option<Row>, Stop> {
        match self {
            Self::Journal(feed) => feed.next(waits).await,
            Self::Kafka(feed) => feed.next(waits).await,
            Self::Nats(feed) => feed.next(waits).await,
        }
    }
}

/// Holds back the last N rows where only those are wanted, and lets all pass where not.
struct Newest {
    keep: Option<usize>,
    arrived: u64,
    rows: BTreeMap<(i64, u64), Row>,
}

impl Newest {
    fn new(from: From) -> Self {
        let keep = match from {
            From::Last(n) => Some(usize::try_from(n).unwrap_or(usize::MAX)),
            From::Start | From::End => None,
        };
        Self { keep, arrived: 0, rows: BTreeMap::new() }
    }

    /// Takes a row; returns it where all are wanted.
    fn pass(&mut self, row: Row) -> Option<Row> {
        let Some(keep) = self.keep else { return Some(row) };
        self.arrived += 1;
        self.rows.insert((row.rank(), self.arrived), row);
        if self.rows.len() > keep {
            self.rows.pop_first();
        }
        None
    }

    /// Returns the rows that were held back, at most the `most` newest, oldest first.
    fn rest(self, most: u32) -> impl Iterator<Item = Row> {
        let over = self.rows.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        self.rows.into_values().skip(over)
    }
}

#[cfg(test)]
mod tests;

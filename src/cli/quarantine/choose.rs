//! Which events, and from where.

use super::position::Position;
use crate::{
    cli::{
        exit::Stop,
        tail::{Feed, filter::Filter, from, row::Row, sink},
    },
    clock,
    config::{Loaded, units},
};
use clap::Args;
use jiff::Timestamp;
use wildmatch::WildMatch;

/// Where events are read.
#[derive(Debug, Clone, Args)]
pub(super) struct From {
    /// Which sink, with a topic or subject where it holds several [default: the configuration's quarantine]
    #[arg(long, value_name = "SINK[:TOPIC]")]
    from: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Choice {
    #[command(flatten)]
    pub(super) from: From,
    #[command(flatten)]
    filter: Filter,
    /// Only events with these reasons
    #[arg(long, value_name = "GLOB")]
    reason: Option<String>,
    /// Only events received since: a time as 2026-01-31T08:00:00Z, or how long ago, as 2h
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only events received until then
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let ago = units::duration(text).and_then(|ago| clock::now().checked_sub(ago).ok());
    let at = ago.or_else(|| text.parse().ok());
    at.ok_or_else(|| "expected a time as 2026-01-31T08:00:00Z, or how long ago, as 2h".to_owned())
}

/// Reads one sink from its beginning to its end.
pub(super) struct Reading {
    pub(super) sink: String,
    feed: Feed,
    topic: Option<WildMatch>,
}

impl From {
    pub(super) fn is_default(&self) -> bool {
        self.from.is_none()
    }

    pub(super) async fn open(&self, loaded: &Loaded) -> Result<Reading, Stop> {
        let target = loaded.config.quarantine.as_ref();
        let named = || Some((target?.sink.clone(), target?.topic.clone().or(target?.subject.clone())));
        let (sink, topic) = match &self.from {
            Some(text) => text
                .split_once(':')
                .map_or((text.clone(), None), |(sink, topic)| (sink.to_owned(), Some(topic.to_owned()))),
            None => named().ok_or_else(|| Stop::usage("the configuration names no quarantine"))?,
        };
        let sink = sink::choose(loaded, Some(&sink))?.to_owned();
        // A template's names are found by what the events say.
        let topic = topic.filter(|topic| !topic.contains('{')).map(|topic| WildMatch::new(&topic));
        let feed = Feed::open(loaded, &sink, from::From::Start, topic.as_ref()).await?;
        Ok(Reading { sink, feed, topic })
    }
}

impl Reading {
    /// Returns the next record and where it stands.
    pub(super) async fn next(&mut self) -> Result<Option<(Position, Row)>, Stop> {
        while let Some(row) = self.feed.next(false).await? {
            if self.topic.as_ref().is_none_or(|topic| topic.matches(&row.destination)) {
                return Ok(Some((Position::of(&self.sink, &row), row)));
            }
        }
        Ok(None)
    }
}

impl Choice {
    /// Tells whether an event is meant; `quarantined` ones alone, or the others alone.
    pub(super) fn takes(&self, row: &Row, quarantined: bool) -> bool {
        let attributes = row.attributes();
        let reason = attributes.get("hookwayreason");
        let recorded = attributes.get("recordedtime").and_then(|time| time.parse::<Timestamp>().ok());
        let at = recorded.or_else(|| Timestamp::from_millisecond(row.timestamp_ms).ok());
        attributes.get("id").is_some()
            && reason.is_some() == quarantined
            && self.reason.as_ref().is_none_or(|glob| reason.is_some_and(|r| WildMatch::new(glob).matches(r)))
            && self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at.is_some_and(|at| at <= until))
            && self.filter.takes(row)
    }
}

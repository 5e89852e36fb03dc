//! Says what was sent and what the server answered: two lines an event, or one JSON object, and a summary where
//! there are many.

use super::{
    client::{Answer, Unreachable},
    plan::Plan,
};
use crate::{
    cli::{
        exit::{Exit, Stop},
        out::{Out, Style, printable},
    },
    observe::told::Told,
    senders::overlay,
};
use http::{HeaderName, header};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// More events than this are only counted, for people.
pub(super) const SHOWN: u32 = 20;

/// The header that names the accepted events.
const EVENT_ID: HeaderName = HeaderName::from_static("hookway-event-id");

/// One attempt to send one event.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The event's place in the call, from 0.
    pub(super) index: u32,
    /// Which attempt, from 1.
    pub(super) attempt: u32,
    /// What came of it.
    pub(super) result: Result<Answer, Unreachable>,
    /// What became of its events, as far as the server says it.
    pub(super) told: Vec<Told>,
    /// How long the sender waits before the next attempt; `None` where there is none.
    pub(super) pause: Option<Duration>,
}

/// What Hookway answers when it refuses (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    title: String,
    code: String,
}

#[derive(Debug)]
pub(super) struct Reporter {
    url: String,
    source: String,
    event: String,
    signed: String,
    count: u32,
    is_broken: bool,
    start: Instant,
    accepted: u32,
    refused: u32,
    unreachable: u32,
    times: Vec<Duration>,
    outcomes: BTreeMap<String, u32>,
}

impl Reporter {
    pub(super) fn new(plan: &Plan, count: u32, is_broken: bool) -> Self {
        Self {
            url: plan.target.url(),
            source: plan.source.clone(),
            event: plan.event.clone(),
            signed: plan.signer.describe(),
            count,
            is_broken,
            start: Instant::now(),
            accepted: 0,
            refused: 0,
            unreachable: 0,
            times: Vec::new(),
            outcomes: BTreeMap::new(),
        }
    }

    pub(super) fn begin(&self, out: &mut Out) -> Result<(), Stop> {
        if out.is_json() {
            return Ok(());
        }
        let times = if self.count > 1 { format!("  {} times", self.count) } else { String::new() };
        out.line(format!("→ POST {}  {}{times}  {}", self.url, self.event, self.signed))
    }

    pub(super) fn exchange(&mut self, exchange: &Exchange, out: &mut Out) -> Result<(), Stop> {
        // What is tried again is not settled yet.
        let settled = u32::from(exchange.pause.is_none());
        match &exchange.result {
            Ok(answer) if answer.status.is_success() => self.accepted += settled,
            Ok(_) => self.refused += settled,
            Err(_) => self.unreachable += settled,
        }
        if let Ok(answer) = &exchange.result {
            self.times.push(answer.took);
        }
        for told in &exchange.told {
            *self.outcomes.entry(told.outcome.clone()).or_default() += 1;
        }
        if out.is_json() {
            return out.object(&self.object(exchange));
        }
        if self.count <= SHOWN || exchange.pause.is_some() { show(exchange, out) } else { Ok(()) }
    }

    fn object(&self, exchange: &Exchange) -> serde_json::Value {
        let mut object = serde_json::json!({
            "url": self.url, "source": self.source, "event": self.event, "index": exchange.index, "attempt": exchange.attempt,
        });
        let result = match &exchange.result {
            Ok(answer) => serde_json::json!({
                "status": answer.status.as_u16(),
                "milliseconds": answer.took.as_secs_f64() * 1000.0,
                "event_ids": ids(answer),
                "outcomes": exchange.told,
                "code": refusal(answer).map(|refusal| refusal.code),
            }),
            Err(error) => serde_json::json!({ "error": error.to_string() }),
        };
        overlay(&mut object, result);
        object
    }

    /// Sums up and returns the exit code.
    pub(super) fn end(mut self, out: &mut Out) -> Result<Exit, Stop> {
        if self.count > 1 && !out.is_json() {
            self.times.sort();
            let took = self.start.elapsed();
            let rate = f64::from(self.accepted) / took.as_secs_f64().max(f64::EPSILON);
            out.line(format!(
                "{} accepted, {} refused, {} unreachable in {:.1} s  ({rate:.0}/s, p50 {}, p99 {})",
                self.accepted,
                self.refused,
                self.unreachable,
                took.as_secs_f64(),
                milliseconds(quantile(&self.times, 50)),
                milliseconds(quantile(&self.times, 99)),
            ))?;
            let outcomes = self.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}"));
            let outcomes = outcomes.collect::<Vec<_>>().join(", ");
            if !outcomes.is_empty() && self.count > SHOWN {
                out.line(format!("of them, as far as the server said: {outcomes}"))?;
            }
        }
        if self.is_broken && self.refused > 0 {
            out.note("as it should be: the reason stands in the server's log and never in the answer");
        }
        if self.is_broken && self.accepted > 0 {
            out.note("! a broken request was accepted");
        }
        Ok(match (self.unreachable, self.refused) {
            (0, 0) => Exit::Well,
            (0, _) => Exit::Negative,
            _ => Exit::Unavailable,
        })
    }
}

fn show(exchange: &Exchange, out: &mut Out) -> Result<(), Stop> {
    let line = match &exchange.result {
        Ok(answer) => {
            let status = answer.status.as_str();
            let style = if answer.status.is_success() { Style::Good } else { Style::Bad };
            format!("← {} in {}  {}", out.paint(style, status), milliseconds(answer.took), says(answer))
        }
        Err(error) => format!("{} {}", out.paint(Style::Bad, "✗"), error),
    };
    out.line(line)?;
    for told in &exchange.told {
        let style = if told.outcome == "published" { Style::Faint } else { Style::Warning };
        out.line(format!("  {}", out.paint(style, &printable(&told.to_string()))))?;
    }
    match exchange.pause {
        Some(pause) => {
            out.line(format!("  attempt {} failed; the sender waits {pause:.1?}", exchange.attempt))
        }
        None => Ok(()),
    }
}

/// Returns what an answer says beside its status.
fn says(answer: &Answer) -> String {
    let ids = ids(answer);
    if !ids.is_empty() {
        return format!("Hookway-Event-Id: {}", ids.join(","));
    }
    let Some(refusal) = refusal(answer) else { return String::new() };
    let later = answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let later = later.map(|seconds| format!("  (Retry-After: {} s)", printable(seconds))).unwrap_or_default();
    format!("{}: {}{later}", printable(&refusal.code), printable(&refusal.title))
}

/// Returns the ids that an answer names.
pub(super) fn ids(answer: &Answer) -> Vec<String> {
    let ids = answer.headers.get(EVENT_ID).and_then(|value| value.to_str().ok());
    ids.map(|ids| ids.split(',').map(|id| id.trim().to_owned()).collect()).unwrap_or_default()
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    (!answer.status.is_success()).then(|| serde_json::from_slice(&answer.body).ok()).flatten()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Returns the value below which `percent` of the sorted times lie.
fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_values() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&times, 50), Duration::from_millis(50));
        assert_eq!(quantile(&times, 99), Duration::from_millis(99));
        assert_eq!(quantile(&times[..1], 99), Duration::from_millis(1));
        assert_eq!(quantile(&[], 50), Duration::ZERO);
    }
}

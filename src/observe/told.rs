//! What becomes of each event and request, told to whoever asks: a log line at `debug`, and a stream at the admin
//! listener for `trigger` and `capture`. While nobody asks, an event costs the look at a number.

use super::logs::RefusalLog;
use crate::{event::Event, record::Ack};
use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// The target of the log lines about events: `log.level: info,hookway::told=debug` shows them and nothing else.
pub const TARGET: &str = "hookway::told";

/// Who may listen at once.
const LISTENERS: usize = 8;

/// Lines that may wait for a listener; what comes then is left out.
const WAITING: usize = 64;

/// And captured requests, which may be large.
const CAPTURED_WAITING: usize = 2;

/// What became of one event at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The source's name.
    pub source: String,
    /// The event's id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key of its object.
    pub key: Option<String>,
    /// `published`, `stored_before`, `quarantined`, `filtered` or `suppressed`.
    pub outcome: String,
    /// Why it is in the quarantine.
    pub reason: Option<String>,
    /// The sink that holds it; `None` for a file beside a journal.
    pub sink: Option<String>,
    /// Topic, subject or file; empty for a journal.
    pub destination: Option<String>,
    /// Kafka's partition.
    pub partition: Option<i32>,
    /// The offset in it.
    pub offset: Option<i64>,
    /// JetStream's stream.
    pub stream: Option<String>,
    /// The sequence in a stream or journal.
    pub sequence: Option<u64>,
}

impl Told {
    /// An event that has no place: `filtered` or `suppressed`.
    pub fn placeless(event: &Event, outcome: &str) -> Self {
        Self {
            source: event.source_name.to_string(),
            id: event.id.clone(),
            kind: event.kind.clone(),
            key: event.key.clone(),
            outcome: outcome.to_owned(),
            ..Self::default()
        }
    }

    /// An event that a sink holds.
    pub fn stored(event: &Event, sink: &str, destination: &str, ack: &Ack) -> Self {
        let outcome = match &event.quarantine {
            _ if ack.is_duplicate() => "stored_before",
            Some(_) => "quarantined",
            None => "published",
        };
        let why = event.quarantine.as_ref().map(|why| format!("{}: {}", why.reason.name(), why.detail));
        let (sink, destination) = (Some(sink.to_owned()), Some(destination.to_owned()));
        let told = Self { reason: why, sink, destination, ..Self::placeless(event, outcome) };
        match ack {
            Ack::Kafka { partition, offset } => {
                Self { partition: Some(*partition), offset: Some(*offset), ..told }
            }
            Ack::Nats { stream, sequence, .. } => {
                Self { stream: Some(stream.clone()), sequence: Some(*sequence), ..told }
            }
            Ack::Journal { sequence } => Self { sequence: Some(*sequence), ..told },
            Ack::File => Self { sink: None, ..told },
        }
    }

    /// Writes the line about an event that stands in the quarantine; false where enough were written just now.
    fn is_written(&self, log: &RefusalLog) -> bool {
        let Self { source, id, kind, key, reason, .. } = self;
        let Some(left_out) = log.admit(source) else { return false };
        let left_out = (left_out > 0).then_some(left_out);
        let (key, reason) = (key.as_deref(), reason.as_deref());
        let (sink, sequence) = (self.sink.as_deref(), self.sequence);
        tracing::warn!(source, r#type = kind, key, id, reason, sink, sequence, left_out, "quarantined");
        true
    }
}

impl fmt::Display for Told {
    /// Says outcome and place, as `published to bus: orders/3@88213`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let destination = self.destination.as_deref().unwrap_or_default();
        match self.outcome.as_str() {
            "published" => f.write_str("published")?,
            "stored_before" => f.write_str("the stream had it already (its PubAck says duplicate)")?,
            "quarantined" => f.write_str("quarantined")?,
            "filtered" => return f.write_str("filtered: a route drops it"),
            _ => return f.write_str("suppressed: a repeat of an event that was here before"),
        }
        let sink = self.sink.as_deref().unwrap_or(destination);
        write!(f, " to {sink}")?;
        match (self.partition, self.offset, &self.stream, self.sequence) {
            (Some(partition), Some(offset), ..) => write!(f, ": {destination}/{partition}@{offset}"),
            (_, _, Some(stream), Some(sequence)) => write!(f, ": {stream}#{sequence} {destination}"),
            (_, _, None, Some(sequence)) => write!(f, "#{sequence}"),
            _ => Ok(()),
        }?;
        self.reason.iter().try_for_each(|reason| write!(f, "  {reason}"))
    }
}

/// What a request was answered, and the request itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answered {
    /// The source's name.
    pub source: String,
    /// What its sender heard.
    pub status: u16,
    /// Why it was refused; `None` where it was not.
    pub why: Option<String>,
    /// The request as `explain` reads it, without secrets, in base64.
    pub request: String,
}

/// What a listener wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// What becomes of events.
    Events,
    /// Requests that are refused.
    Refused,
    /// All requests.
    Requests,
}

fn request(is_refused: bool) -> impl Fn(Wants) -> bool {
    move |wants| wants == Wants::Requests || (wants == Wants::Refused && is_refused)
}

#[derive(Debug)]
struct Listener {
    source: String,
    wants: Wants,
    lines: Sender<Bytes>,
}

/// Tells the log and those who listen.
#[derive(Debug, Clone, Default)]
pub struct Tellers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    listeners: Mutex<Vec<Listener>>,
    /// How many there are, to be looked at without the lock: of events, and of requests.
    of_events: AtomicUsize,
    of_requests: AtomicUsize,
    quarantined: RefusalLog,
}

impl Tellers {
    /// Listens to a source; `None` where enough do already. Dropped, the receiver ends it.
    pub fn listen(&self, source: &str, wants: Wants) -> Option<Receiver<Bytes>> {
        let waiting = if wants == Wants::Events { WAITING } else { CAPTURED_WAITING };
        let (lines, told) = mpsc::channel(waiting);
        let mut listeners = self.0.listeners.lock();
        listeners.retain(|listener| !listener.lines.is_closed());
        if listeners.len() >= LISTENERS {
            return None;
        }
        listeners.push(Listener { source: source.to_owned(), wants, lines });
        self.0.count(&listeners);
        Some(told)
    }

    /// True where somebody wants to hear of events.
    pub fn of_events(&self) -> bool {
        self.0.of_events.load(Ordering::Relaxed) > 0
            || tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
    }

    /// True where somebody wants to see this source's requests, so that its listeners cost no other a copy.
    pub fn of_requests(&self, source: &str, are_refused: bool) -> bool {
        self.0.of_requests.load(Ordering::Relaxed) > 0 && self.0.is_heard(source, request(are_refused))
    }

    /// Tells what became of an event.
    pub fn event(&self, told: &Told) {
        let Told { source, id, kind, key, .. } = told;
        let key = key.as_deref();
        if told.outcome != "quarantined" || !told.is_written(&self.0.quarantined) {
            tracing::debug!(target: TARGET, source, r#type = kind, key, id, outcome = %told, "event");
        }
        self.0.tell(source, told, |wants| wants == Wants::Events);
    }

    /// Tells what a request was answered.
    pub fn request(&self, answered: &Answered) {
        self.0.tell(&answered.source, answered, request(answered.why.is_some()));
    }
}

impl Shared {
    fn count(&self, listeners: &[Listener]) {
        let events = listeners.iter().filter(|listener| listener.wants == Wants::Events).count();
        self.of_events.store(events, Ordering::Relaxed);
        self.of_requests.store(listeners.len() - events, Ordering::Relaxed);
    }

    /// True where somebody hears this; who left is forgotten.
    fn is_heard(&self, source: &str, is_wanted: impl Fn(Wants) -> bool) -> bool {
        let mut listeners = self.listeners.lock();
        listeners.retain(|listener| !listener.lines.is_closed());
        self.count(&listeners);
        listeners.iter().any(|listener| listener.source == source && is_wanted(listener.wants))
    }

    /// Writes the line without the lock, since it may be large. Who is slow misses it.
    fn tell(&self, source: &str, what: &impl Serialize, is_wanted: impl Fn(Wants) -> bool) {
        let line = self.is_heard(source, &is_wanted).then(|| serde_json::to_vec(what));
        let Some(Ok(mut line)) = line else { return };
        line.push(b'\n');
        let line = Bytes::from(line);
        let listeners = self.listeners.lock();
        for listener in listeners.iter().filter(|one| one.source == source && is_wanted(one.wants)) {
            drop(listener.lines.try_send(line.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> Told {
        Told { source: source.to_owned(), outcome: "filtered".to_owned(), ..Told::default() }
    }

    #[test]
    fn a_listener_hears_its_own_source_and_its_own_kind() {
        let tellers = Tellers::default();
        let mut events = tellers.listen("shop", Wants::Events).unwrap();
        let mut refused = tellers.listen("shop", Wants::Refused).unwrap();
        tellers.event(&told("other"));
        tellers.event(&told("shop"));
        let heard: Told = serde_json::from_slice(&events.try_recv().unwrap()).unwrap();
        assert_eq!(heard, told("shop"));
        let answered = |why: Option<&str>| Answered {
            source: "shop".to_owned(),
            why: why.map(str::to_owned),
            ..Answered::default()
        };
        tellers.request(&answered(None));
        tellers.request(&answered(Some("no")));
        let heard: Answered = serde_json::from_slice(&refused.try_recv().unwrap()).unwrap();
        assert_eq!(heard, answered(Some("no")));
        assert!(events.try_recv().is_err() && refused.try_recv().is_err());
    }

    #[test]
    fn a_listener_that_left_or_is_slow_costs_nothing() {
        let tellers = Tellers::default();
        let slow = tellers.listen("shop", Wants::Requests).unwrap();
        for _ in 0..100 {
            tellers.request(&Answered { source: "shop".to_owned(), ..Answered::default() });
        }
        assert_eq!(slow.len(), CAPTURED_WAITING);
        assert!(tellers.of_requests("shop", false));
        drop(slow);
        assert!(!tellers.of_requests("shop", false));
        assert_eq!(tellers.0.of_requests.load(Ordering::Relaxed), 0, "not even the lock");
    }

    #[test]
    fn a_listener_to_one_source_or_to_refusals_asks_for_nothing_else() {
        let tellers = Tellers::default();
        let _events = tellers.listen("shop", Wants::Events).unwrap();
        assert!(!tellers.of_requests("shop", true));
        let _refused = tellers.listen("shop", Wants::Refused).unwrap();
        assert!(tellers.of_requests("shop", true) && !tellers.of_requests("shop", false));
        let _all = tellers.listen("shop", Wants::Requests).unwrap();
        assert!(tellers.of_requests("shop", false) && !tellers.of_requests("other", true));
    }

    #[test]
    fn only_a_few_may_listen_at_once() {
        let tellers = Tellers::default();
        let mut all: Vec<_> = (0..LISTENERS).map(|_| tellers.listen("a", Wants::Events).unwrap()).collect();
        assert!(tellers.listen("a", Wants::Events).is_none());
        all.pop();
        assert!(tellers.listen("a", Wants::Events).is_some());
    }

    #[test]
    fn an_event_says_what_became_of_it_and_where() {
        let stored =
            |told: Told| Told { sink: Some("bus".into()), destination: Some("orders".into()), ..told };
        let outcome = |outcome: &str| Told { outcome: outcome.to_owned(), ..Told::default() };
        for (told, said) in [
            (
                Told { partition: Some(3), offset: Some(9), ..stored(outcome("published")) },
                "published to bus: orders/3@9",
            ),
            (
                Told { stream: Some("HOOKS".into()), sequence: Some(7), ..stored(outcome("published")) },
                "published to bus: HOOKS#7 orders",
            ),
            (
                Told {
                    sequence: Some(4),
                    reason: Some("unrouted: x".into()),
                    ..stored(outcome("quarantined"))
                },
                "quarantined to bus#4  unrouted: x",
            ),
            (outcome("filtered"), "filtered: a route drops it"),
        ] {
            assert_eq!(told.to_string(), said);
        }
    }
}

//! What becomes of each event and request, told to whoever asks: a log line at `debug`, and a stream at the admin
//! listener for `trigger` and `capture`. While nobody asks, an event costs the look at a number.

mod line;

pub use line::{Answered, Told};

use super::logs::RefusalLog;
use crate::delivery::Quota;
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
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

/// Bytes of lines that wait for all listeners, or are on their way to one; what comes then is left out.
pub const MOST_BYTES: u64 = 32 << 20;

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

#[derive(Debug)]
struct Shared {
    room: Arc<Quota>,
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

impl Default for Shared {
    fn default() -> Self {
        let (listeners, quarantined) = (Mutex::default(), RefusalLog::default());
        let (of_events, of_requests) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { room: Quota::new(MOST_BYTES), listeners, of_events, of_requests, quarantined }
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
        let Some(line) = self.room.hold(Bytes::from(line)) else { return };
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
    fn what_waits_for_all_listeners_is_bounded() {
        let tellers = Tellers::default();
        let sources: Vec<String> = (0..LISTENERS).map(|n| n.to_string()).collect();
        let listening: Vec<_> =
            sources.iter().map(|source| tellers.listen(source, Wants::Requests).unwrap()).collect();
        for source in sources.iter().chain(&sources) {
            let request = "x".repeat(6 << 20);
            tellers.request(&Answered { source: source.clone(), request, ..Answered::default() });
        }
        assert_eq!(listening.iter().map(Receiver::len).sum::<usize>(), 5, "32 MiB");
        drop(listening);
        assert_eq!(tellers.0.room.free(), MOST_BYTES);
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

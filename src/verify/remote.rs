//! Keys that stand elsewhere: what a check finds here without waiting, and how it gets here.
//!
//! A check never waits for the network. What it misses it names, the pipeline has it fetched, and the check runs once
//! more. Fetches of one scheme run one at a time, so that many requests that miss one key make one fetch; a failed
//! one is not tried again at once; and only so many keys are kept and so many fetches wait.

use crate::{
    clock,
    fetch::{Client, Target},
};
use jiff::Timestamp;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// How many addresses are remembered; the one fetched longest ago makes room.
const MOST_KEPT: usize = 32;

/// How many fetches may wait for their turn.
const MOST_WAITING: usize = 16;

/// How long a failed fetch, or one that did not help, is not tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(30);

/// The documents of one scheme, by address.
pub(super) struct Remote<T> {
    held: Mutex<HashMap<Box<str>, Entry<T>>>,
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
    /// Who fetches, in tests; else the client that trusts the system's roots.
    pub(super) client: OnceLock<Arc<Client>>,
}

struct Entry<T> {
    /// What was read last; kept over a failed attempt to read it again.
    read: Option<(Arc<T>, Instant)>,
    /// When it was tried last.
    tried: Instant,
}

impl<T: Send + Sync + 'static> Remote<T> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            held: Mutex::new(HashMap::new()),
            turn: tokio::sync::Mutex::new(()),
            waiting: AtomicUsize::new(0),
            client: OnceLock::new(),
        })
    }

    /// Returns what stands at an address, if it was read.
    pub(super) fn get(&self, address: &str) -> Option<Arc<T>> {
        let held = self.held.lock();
        held.get(address)?.read.as_ref().map(|(read, _)| Arc::clone(read))
    }

    /// Returns how long ago an address was read, and how long ago that was tried.
    pub(super) fn ages(&self, address: &str) -> (Option<Duration>, Option<Duration>) {
        let held = self.held.lock();
        let entry = held.get(address);
        let read = entry.and_then(|entry| entry.read.as_ref()).map(|(_, at)| at.elapsed());
        (read, entry.map(|entry| entry.tried.elapsed()))
    }

    /// Drops what was read too long ago.
    pub(super) fn forget(&self, address: &str) {
        if let Some(entry) = self.held.lock().get_mut(address) {
            entry.read = None;
        }
    }

    /// Fetches an address unless it was read within `fresh` or tried a moment ago. Whoever waits may give up: the
    /// fetch goes on.
    pub(super) async fn fetch(
        self: Arc<Self>,
        address: &str,
        target: Target,
        fresh: Duration,
        read: impl Fn(&[u8], Timestamp) -> Result<T, String> + Send + Sync + 'static,
    ) {
        if !self.is_due(address, fresh) {
            return;
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let address: Box<str> = address.into();
        let client = self.client.get().map_or_else(Client::system, Arc::clone);
        let task = tokio::spawn(async move {
            let turn = self.turn.lock().await;
            if self.is_due(&address, fresh) {
                let document = client.get(&target).await.map_err(|error| error.to_string());
                let result = document.and_then(|document| read(&document, clock::now()));
                if let Err(error) = &result {
                    tracing::warn!(%address, error, "a sender's key can't be fetched");
                }
                self.keep(address, result.ok());
            }
            drop(turn);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        });
        // A task that panicked has fetched nothing: the check says so.
        drop(task.await);
    }

    fn is_due(&self, address: &str, fresh: Duration) -> bool {
        let (read, tried) = self.ages(address);
        let is_fresh = read.is_some_and(|age| age < fresh);
        !is_fresh && tried.is_none_or(|age| age >= PAUSE)
    }

    fn keep(&self, address: Box<str>, document: Option<T>) {
        let now = Instant::now();
        let mut held = self.held.lock();
        if !held.contains_key(&address) && held.len() >= MOST_KEPT {
            // Failures go first: what strangers ask for must not push out what is in use.
            let oldest = held.iter().min_by_key(|(_, entry)| (entry.read.is_some(), entry.tried));
            let oldest = oldest.map(|(address, _)| address.clone());
            oldest.and_then(|oldest| held.remove(&oldest));
        }
        let entry = held.entry(address).or_insert(Entry { read: None, tried: now });
        entry.tried = now;
        if let Some(document) = document {
            entry.read = Some((Arc::new(document), now));
        }
    }
}

//! Keys that stand elsewhere: what a check finds here without waiting, and how it gets here.
//!
//! A check never waits for the network. What it misses it names, the pipeline has it fetched, and the check runs once
//! more. Each address is fetched once for all who miss it, and a failed fetch is not tried again at once. The address
//! may be a stranger's: some places are kept for addresses whose key has verified a signature (*proven* ones), the
//! others are given in the order of asking, for a short while each, and no proven key makes room for another's.

mod under_way;

use crate::{
    fetch::{Client, Target},
    workers::beside,
};
use jiff::Timestamp;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use under_way::UnderWay;

/// How many addresses are remembered; the one fetched longest ago makes room.
const MOST_KEPT: usize = 32;

/// How many of them count as proven: some room is left for what comes next.
const MOST_PROVEN: usize = 24;

/// How many addresses are fetched at once, and how many proven ones beside them.
const AT_ONCE: usize = 8;
const PROVEN_AT_ONCE: usize = 2;

/// How many addresses of one host, of those that are not proven: a host that hangs leaves places for others.
const AT_ONCE_OF_A_HOST: usize = 4;

/// How many addresses may be fetched or wait for that.
const MOST_WAITING: usize = 512;

/// How long an address that a request names, and that has proven nothing, may hold its place.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a failed fetch, or one that did not help, is not tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(30);

/// How often failures are logged.
const LOG_PAUSE: Duration = Duration::from_mins(1);

/// The documents of one scheme, by address.
pub(super) struct Remote<T> {
    held: Mutex<HashMap<Box<str>, Entry<T>>>,
    /// The fetches under way; who misses the same address waits for the end of its channel.
    under_way: Mutex<HashMap<Box<str>, watch::Receiver<()>>>,
    places: Semaphore,
    proven_places: Semaphore,
    /// The places of each host that is asked or waited for.
    hosts: Mutex<HashMap<Box<str>, Weak<Semaphore>>>,
    pause: Duration,
    /// How long an address that is not proven may hold its place.
    patience: Duration,
    /// When a failure was logged last, and how many were not since.
    logged: Mutex<(Option<Instant>, u64)>,
    /// Who fetches, in tests; else the client that trusts the system's roots.
    pub(super) client: OnceLock<Arc<Client>>,
}

struct Entry<T> {
    /// What was read last, and when that fetch began; kept over a failed attempt to read it again.
    read: Option<(Arc<T>, Instant, Timestamp)>,
    /// When the last attempt began.
    tried: Instant,
    is_proven: bool,
}

impl<T: Send + Sync + 'static> Remote<T> {
    pub(super) fn new() -> Arc<Self> {
        Self::with(PAUSE, PATIENCE)
    }

    /// Returns the documents of an address that the configuration names, so that no stranger can vary it: it may take as
    /// long as one exchange may, and is tried again after `pause`.
    pub(super) fn configured(pause: Duration) -> Arc<Self> {
        Self::with(pause, Duration::MAX)
    }

    fn with(pause: Duration, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            held: Mutex::default(),
            under_way: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
            proven_places: Semaphore::new(PROVEN_AT_ONCE),
            hosts: Mutex::default(),
            pause,
            patience,
            logged: Mutex::default(),
            client: OnceLock::new(),
        })
    }

    pub(super) fn get(&self, address: &str) -> Option<Arc<T>> {
        let held = self.held.lock();
        held.get(address)?.read.as_ref().map(|(read, ..)| Arc::clone(read))
    }

    /// Returns how long ago an address was read, and how long ago that was tried.
    pub(super) fn ages(&self, address: &str) -> (Option<Duration>, Option<Duration>) {
        let held = self.held.lock();
        let entry = held.get(address);
        let read = entry.and_then(|entry| entry.read.as_ref()).map(|(_, at, _)| at.elapsed());
        (read, entry.map(|entry| entry.tried.elapsed()))
    }

    pub(super) fn forget(&self, address: &str) {
        if let Some(entry) = self.held.lock().get_mut(address) {
            entry.read = None;
        }
    }

    /// Returns when the fetch began that has read an address.
    pub(super) fn began(&self, address: &str) -> Option<Timestamp> {
        self.held.lock().get(address)?.read.as_ref().map(|(_, _, began)| *began)
    }

    /// Notes that the key at an address has verified a signature.
    pub(super) fn prove(&self, address: &str) {
        let mut held = self.held.lock();
        if held.get(address).is_none_or(|entry| entry.is_proven) {
            return;
        }
        if held.values().filter(|entry| entry.is_proven).count() >= MOST_PROVEN {
            let oldest = held.values_mut().filter(|entry| entry.is_proven).min_by_key(|entry| entry.tried);
            if let Some(oldest) = oldest {
                oldest.is_proven = false;
            }
        }
        if let Some(entry) = held.get_mut(address) {
            entry.is_proven = true;
        }
    }

    /// Fetches an address unless it was read within `fresh` or tried a moment ago; waits for the end of a fetch that is
    /// under way. Whoever waits may give up: the fetch goes on.
    pub(super) async fn fetch(
        self: Arc<Self>,
        address: &str,
        target: Target,
        fresh: Duration,
        read: impl Fn(&[u8], Timestamp) -> Result<T, String> + Send + Sync + 'static,
    ) {
        let (running, ended) = watch::channel(());
        let before = {
            let mut under_way = self.under_way.lock();
            let before = under_way.get(address).cloned();
            if before.is_none() {
                if !self.is_due(address, fresh) || under_way.len() >= MOST_WAITING {
                    return;
                }
                under_way.insert(address.into(), ended.clone());
            }
            before
        };
        let mut ended = before.unwrap_or_else(|| {
            // Not under the lock: a runtime that ends drops the task at once, which takes itself off the list.
            drop(beside(UnderWay::new(Arc::clone(&self), address, running).run(target, read)));
            ended
        });
        // An error is what we wait for: the sender is gone.
        drop(ended.changed().await);
    }

    fn is_due(&self, address: &str, fresh: Duration) -> bool {
        let (read, tried) = self.ages(address);
        let is_fresh = read.is_some_and(|age| age < fresh);
        !is_fresh && tried.is_none_or(|age| age >= self.pause)
    }

    fn host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock();
        hosts.retain(|_, places| places.strong_count() > 0);
        hosts.get(host).and_then(Weak::upgrade).unwrap_or_else(|| {
            let places = Arc::new(Semaphore::new(AT_ONCE_OF_A_HOST));
            hosts.insert(host.into(), Arc::downgrade(&places));
            places
        })
    }

    fn keep(&self, address: &str, document: Option<T>, (at, began): (Instant, Timestamp)) {
        let mut held = self.held.lock();
        if !held.contains_key(address) && held.len() >= MOST_KEPT {
            // Failures go first, proven keys never: what strangers ask for must not push out what is in use.
            let others = held.iter().filter(|(_, entry)| !entry.is_proven);
            let oldest = others.min_by_key(|(_, entry)| (entry.read.is_some(), entry.tried));
            let oldest = oldest.map(|(address, _)| address.clone());
            oldest.and_then(|oldest| held.remove(&oldest));
        }
        let entry = held.entry(address.into()).or_insert(Entry { read: None, tried: at, is_proven: false });
        entry.tried = at;
        if let Some(document) = document {
            entry.read = Some((Arc::new(document), at, began));
        }
    }

    /// Logs the first failure, and then one a minute; returns whether it did.
    fn log(&self, address: &str, error: &str) -> bool {
        let mut logged = self.logged.lock();
        if logged.0.is_some_and(|at| at.elapsed() < LOG_PAUSE) {
            logged.1 += 1;
            return false;
        }
        let left_out = std::mem::take(&mut logged.1);
        logged.0 = Some(Instant::now());
        tracing::warn!(%address, error, left_out, "a sender's key can't be fetched");
        true
    }
}

#[cfg(test)]
mod tests;

//! A place for one client, and how to make the next one that takes it. Clients start and end off the runtime, and
//! under no lock.

use super::{acks::Callbacks, again::Alone, client::Client, talk::Talk};
use parking_lot::{Mutex, RwLock};
use rdkafka::{
    ClientConfig,
    error::KafkaError,
    producer::{Producer as _, PurgeConfig},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::runtime::Handle;

/// How long a client may take to hand over what it holds when all ends.
const FLUSH_PATIENCE: Duration = Duration::from_secs(4);

/// How long a client that is given up may take to end what is not stuck.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// A client that is in use.
pub(super) type Producer = Arc<Client>;

/// A place for one client.
pub(super) struct Slot {
    /// The settings, and how often they were changed: a client that began with others is replaced.
    config: Mutex<(ClientConfig, u64)>,
    /// Where the client's callbacks put records whose batch was refused.
    alone: Option<Alone>,
    talk: Arc<Talk>,
    runtime: Handle,
    place: RwLock<Place>,
}

/// What stands in a slot.
enum Place {
    /// None was needed yet.
    Free,
    Taken(Producer),
    /// The process ends.
    Closed,
}

impl Slot {
    /// Makes a slot without a client; belongs to the runtime that it is called from.
    pub(super) fn new(config: ClientConfig, alone: Option<Alone>, talk: Arc<Talk>) -> Arc<Self> {
        let runtime = Handle::current();
        Arc::new(Self {
            config: Mutex::new((config, 0)),
            alone,
            talk,
            runtime,
            place: RwLock::new(Place::Free),
        })
    }

    /// Starts a client here; blocks for some milliseconds.
    pub(super) fn fill(&self) -> Result<(), KafkaError> {
        let client = self.start()?;
        let mut place = self.place.write();
        if matches!(*place, Place::Free) {
            *place = Place::Taken(client);
        }
        Ok(())
    }

    /// Returns the client; `None` before the first and once all ends.
    pub(super) fn producer(&self) -> Option<Producer> {
        match &*self.place.read() {
            Place::Taken(producer) => Some(Arc::clone(producer)),
            Place::Free | Place::Closed => None,
        }
    }

    /// Returns the client, and starts the first.
    pub(super) async fn producer_or_first(self: &Arc<Self>) -> Option<Producer> {
        if let Some(producer) = self.producer() {
            return Some(producer);
        }
        let slot = Arc::clone(self);
        if let Ok(Err(error)) = self.runtime.spawn_blocking(move || slot.fill()).await {
            tracing::error!(%error, "a kafka client can't be started");
        }
        self.producer()
    }

    /// Changes settings; a client that stands here is replaced, and ends once its records have their answers. So is one
    /// that was to be before, and no other could be started. Returns whether that was a change.
    pub(super) fn set(self: &Arc<Self>, settings: &[(String, String)]) -> bool {
        let is_change = {
            let (config, version) = &mut *self.config.lock();
            let is_change = super::set(config, settings);
            *version += u64::from(is_change);
            is_change
        };
        self.keep_up();
        is_change
    }

    /// Replaces a client whose settings are others by now.
    fn keep_up(self: &Arc<Self>) {
        let version = self.config.lock().1;
        if let Some(producer) = self.producer().filter(|producer| producer.version != version) {
            self.replace(&producer, "its settings change", false);
        }
    }

    /// Puts a new client in the place of `old`. With `gives_up`, the records that the old one holds are answered as
    /// failed; else it keeps them until the broker answers.
    pub(super) fn replace(self: &Arc<Self>, old: &Producer, why: &'static str, gives_up: bool) {
        if old.is_replaced.swap(true, Ordering::Relaxed) {
            return;
        }
        let (slot, old) = (Arc::clone(self), Arc::clone(old));
        // Ends by itself; nothing waits for it.
        self.runtime.spawn_blocking(move || {
            match slot.start() {
                Ok(new) => {
                    let taken = slot.exchange(&old, new);
                    tracing::info!(why, taken, "a kafka client is replaced");
                    if gives_up {
                        // What a broker is storing just now is not given up: it would stand there twice.
                        let _stuck = old.flush(SHORT_PATIENCE);
                        old.purge(PurgeConfig::default().queue().inflight());
                    }
                    // They may have changed while it started.
                    slot.keep_up();
                }
                Err(error) => {
                    old.is_replaced.store(false, Ordering::Relaxed);
                    tracing::error!(%error, why, "a kafka client can't be replaced");
                }
            }
        });
    }

    /// Flushes and ends the client for good.
    pub(super) async fn close(&self) {
        let producer = self.producer();
        let flushed = producer.map(|producer| {
            self.runtime.spawn_blocking(move || {
                if let Err(error) = producer.flush(FLUSH_PATIENCE) {
                    tracing::warn!(%error, "kafka producer did not flush");
                }
                producer.purge(PurgeConfig::default().queue().inflight());
            })
        });
        if let Some(flushed) = flushed
            && flushed.await.is_err()
        {
            tracing::warn!("kafka producer was not flushed");
        }
        let place = std::mem::replace(&mut *self.place.write(), Place::Closed);
        if let Place::Taken(producer) = place {
            let ended = producer.ended();
            drop(producer);
            ended.cancelled().await;
        }
    }

    fn start(&self) -> Result<Producer, KafkaError> {
        let config = self.config.lock().clone();
        let callbacks = Callbacks { alone: self.alone.clone(), talk: Arc::clone(&self.talk) };
        Client::start(&config, callbacks).map(Arc::new)
    }

    fn exchange(&self, old: &Producer, new: Producer) -> bool {
        let mut place = self.place.write();
        let is_there = matches!(&*place, Place::Taken(now) if Arc::ptr_eq(now, old));
        if is_there {
            *place = Place::Taken(new);
        }
        is_there
    }
}

//! A publisher that fails where it is told to: the faults that a real journal can't be brought to show.

use futures_util::future::BoxFuture;
use hookway::{
    fetch::Target,
    publish::{Prepared, Publisher},
    record::{Ack, PublishError, Record},
    respond::Confirmer,
};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Notes the addresses that it is to fetch, and fetches none.
#[derive(Debug, Default)]
pub(crate) struct Agreeing {
    asked: Mutex<Vec<String>>,
    refuses: Mutex<Option<String>>,
    panics: Mutex<bool>,
}

impl Agreeing {
    /// Returns the addresses it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }

    /// Fails from now on, saying this; or works again.
    pub(crate) fn refuses(&self, why: Option<&str>) {
        *self.refuses.lock() = why.map(str::to_owned);
    }

    /// Panics from now on, or works again.
    pub(crate) fn panics(&self, does: bool) {
        *self.panics.lock() = does;
    }
}

impl Confirmer for Agreeing {
    fn confirm(&self, target: Target) -> BoxFuture<'_, Result<(), String>> {
        assert!(!*self.panics.lock(), "planted in the handshake");
        self.asked.lock().push(target.to_string());
        let refuses = self.refuses.lock().clone();
        Box::pin(async move { refuses.map_or(Ok(()), Err) })
    }
}

/// What a [`FaultyPublisher`] does with the records it is handed.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Stores them.
    None,
    /// Answers with an error and stores nothing.
    Fails(PublishError),
    /// Stores them once the gate opens.
    Held,
    /// Answers with an error once the gate opens, and stores nothing.
    HeldThenFails,
    /// Panics once the gate opens.
    HeldThenPanics,
    /// Panics.
    Panics,
    /// Answers with an error to an envelope that holds this text.
    FailsFor(&'static str, PublishError),
    /// Panics over an envelope that holds this text.
    PanicsFor(&'static str),
    /// Is too small for an envelope that holds this text.
    Refuses(&'static str),
    /// Takes records of at most so many bytes.
    Small(usize),
}

/// Stands in front of a real sink and breaks it.
pub(crate) struct FaultyPublisher {
    inner: Arc<dyn Publisher>,
    fault: Mutex<Fault>,
    gate: Semaphore,
    handed: Mutex<usize>,
}

impl FaultyPublisher {
    pub(crate) fn new(inner: Arc<dyn Publisher>, fault: Fault) -> Arc<Self> {
        Arc::new(Self { inner, fault: Mutex::new(fault), gate: Semaphore::new(0), handed: Mutex::new(0) })
    }

    /// Behaves otherwise from the next record on.
    pub(crate) fn becomes(&self, fault: Fault) {
        *self.fault.lock() = fault;
    }

    /// Lets one held record through.
    pub(crate) fn let_one_through(&self) {
        self.gate.add_permits(1);
    }

    /// Returns how many records it was handed.
    pub(crate) fn handed(&self) -> usize {
        *self.handed.lock()
    }
}

impl Publisher for FaultyPublisher {
    fn publish(self: Arc<Self>, record: Record) -> BoxFuture<'static, Result<Ack, PublishError>> {
        *self.handed.lock() += 1;
        let fault = self.fault.lock().clone();
        Box::pin(async move {
            let holds = |text: &str| String::from_utf8_lossy(&record.value).contains(text);
            match fault {
                Fault::FailsFor(text, error) if holds(text) => return Err(error),
                Fault::PanicsFor(text) if holds(text) => panic!("planted in the publisher"),
                Fault::Fails(error) => return Err(error),
                Fault::Refuses(text) if holds(text) => {
                    return Err(PublishError::TooLarge("limit 10 bytes".to_owned()));
                }
                Fault::Small(limit) if record.size() > limit => {
                    return Err(PublishError::TooLarge(format!("limit {limit} bytes")));
                }
                Fault::Held => self.gate.acquire().await.expect("the gate is never closed").forget(),
                Fault::HeldThenFails => {
                    self.gate.acquire().await.expect("the gate is never closed").forget();
                    return Err(PublishError::Saturated);
                }
                Fault::HeldThenPanics => {
                    self.gate.acquire().await.expect("the gate is never closed").forget();
                    panic!("planted in the publisher, late");
                }
                Fault::Panics => panic!("planted in the publisher"),
                Fault::None
                | Fault::Small(_)
                | Fault::Refuses(_)
                | Fault::FailsFor(..)
                | Fault::PanicsFor(_) => {}
            }
            Arc::clone(&self.inner).publish(record).await
        })
    }

    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
        self.inner.prepare()
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.probe()
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.inner.flush()
    }
}

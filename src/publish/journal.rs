//! The embedded journal as a sink: an event is there once it is on disk.

use super::{Prepared, PublishError, Publisher};
use crate::{
    journal::{Journal, JournalError},
    record::{Ack, Record},
};
use futures_util::future::BoxFuture;

/// A journal as a sink.
#[derive(Debug)]
pub struct JournalSink {
    journal: Journal,
    place: String,
}

impl JournalSink {
    /// Takes an open journal and its directory, for messages.
    pub fn new(journal: Journal, place: String) -> Self {
        Self { journal, place }
    }
}

impl Publisher for JournalSink {
    fn publish(&self, record: Record) -> BoxFuture<'_, Result<Ack, PublishError>> {
        Box::pin(async move {
            match self.journal.append(&record).await {
                Ok(sequence) => Ok(Ack::Journal { sequence }),
                Err(JournalError::QueueFull { .. }) => Err(PublishError::Saturated),
                Err(JournalError::TooLarge { limit }) => {
                    Err(PublishError::TooLarge(format!("limit {limit} bytes")))
                }
                Err(error) => Err(PublishError::Disk(error.to_string())),
            }
        })
    }

    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
        let facts = vec![format!("journal at {}", self.place)];
        Box::pin(async move { Ok(Prepared { facts, warnings: Vec::new(), durability: 1 }) })
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        // Every append that was answered is on disk already.
        Box::pin(async {})
    }
}

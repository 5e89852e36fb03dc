//! Publishes to NATS JetStream and waits for the stream's `PubAck`; a core publish alone proves nothing.

mod access;
mod answer;
mod connect;
mod limit;
mod link;
mod news;
mod prepare;
mod stream;
mod subjects;

pub use access::Access;
pub use connect::{Certificates, ConnectOptions, Heard, Probe, client, options, refuses};
pub use prepare::Checks;

use super::{Prepared, PublishError, Publisher};
use crate::{
    delivery::Quota,
    record::{Ack, Record},
};
use answer::{acknowledged, classify, has_no_place};
use async_nats::{
    Client,
    jetstream::{context::PublishErrorKind, message::PublishMessage},
};
use futures_util::future::BoxFuture;
use link::{Link, Links};
pub use news::News;
use news::Told;
use std::{sync::Arc, time::Duration};
use subjects::Subjects;

/// How long the client waits for an ack before it gives the attempt up; the HTTP deadline is shorter.
const ACK_PATIENCE: Duration = Duration::from_secs(10);

/// How long a look waits for the client to connect.
const CONNECTING: Duration = Duration::from_secs(2);

/// Connections that a record is handed to, one after the other, where they end before the answer.
const MOST_TRIES: usize = 3;

/// Acks awaited at once; more events than that are refused rather than queued without bound.
const MAX_IN_FLIGHT: usize = 8192;

/// Bytes in the clients' hands at once: one whose server does not read keeps what it was given, also what was given up
/// long ago. No less than the largest payload that a server may allow.
pub const MAX_HELD_BYTES: u64 = 64 << 20;

/// One JetStream stream as a sink.
#[derive(Debug)]
pub struct Nats {
    links: Links,
    checks: Checks,
    probe: Probe,
    held: Arc<Quota>,
    subjects: Subjects,
    heard: Heard,
}

impl Nats {
    /// Takes a client of each worker, by its number, which connect in the background, what [`Publisher::prepare`] checks,
    /// how it learns why there is no connection, and what the clients have told.
    pub fn new(clients: Vec<(Client, Arc<News>)>, checks: Checks, probe: Probe, heard: Heard) -> Self {
        let links = Links::new(clients);
        Self { links, checks, probe, held: Quota::new(MAX_HELD_BYTES), subjects: Subjects::default(), heard }
    }

    /// Publishes by a connection that is there, and once more by another where that one ends before the answer: what was
    /// written to it may be lost. A copy that was not is known to the stream by its message id.
    async fn send(&self, record: Record) -> Result<Ack, PublishError> {
        for turn in 0..MOST_TRIES {
            let link = self.links.one(&self.heard, ACK_PATIENCE).await.ok_or_else(away)?;
            let news = link.news.watch();
            tokio::select! {
                biased;
                answer = self.publish_by(link, &record) => return if turn == 0 { answer } else { answer.map(as_new) },
                told = news.of(&record.destination) => match told {
                    Told::Denied(words) => return Err(PublishError::Refused(words)),
                    Told::Ended => {}
                },
            }
        }
        Err(PublishError::Unavailable("the connection ended before the answer".to_owned()))
    }

    async fn publish_by(&self, link: &Link, record: &Record) -> Result<Ack, PublishError> {
        let payload = self.held.hold(record.value.clone()).ok_or(PublishError::Saturated)?;
        let mut message = PublishMessage::build()
            .payload(payload)
            .message_id(&record.message_id)
            // A subject that another stream catches must fail loudly.
            .expected_stream(&self.checks.stream);
        for (name, value) in &record.headers {
            message = message.header(name.as_ref(), value.as_ref());
        }
        let limit = link.client.max_payload();
        let answer = match link.jetstream.send_publish(record.destination.to_string(), message).await {
            Ok(sent) => sent.await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => acknowledged(answer, &self.checks.stream),
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                let server = (&link.client, &self.probe);
                Err(Box::pin(link.limit.judge(server, limit, error.to_string())).await)
            }
            Err(error) if has_no_place(&error) && !self.is_fixed(&record.destination) => {
                // Rare, and so not worth room in the future of every record.
                let subject = &record.destination;
                Err(Box::pin(self.subjects.unanswered(&link.jetstream, &self.checks.stream, subject)).await)
            }
            Err(error) => Err(classify(&error)),
        }
    }

    /// True for a subject that a route names literally: that it has no place is the operator's matter.
    fn is_fixed(&self, subject: &str) -> bool {
        self.checks.subjects.iter().any(|fixed| fixed == subject)
    }
}

/// A copy that the stream has may be the one that was written to the connection before.
fn as_new(ack: Ack) -> Ack {
    match ack {
        Ack::Nats { stream, sequence, .. } => Ack::Nats { stream, sequence, duplicate: false },
        Ack::Kafka { .. } | Ack::Journal { .. } | Ack::Spool { .. } | Ack::File => ack,
    }
}

fn away() -> PublishError {
    PublishError::Unavailable("no connection to a NATS server".to_owned())
}

impl Publisher for Nats {
    fn publish(self: Arc<Self>, record: Record) -> BoxFuture<'static, Result<Ack, PublishError>> {
        Box::pin(async move { self.send(record).await })
    }

    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
        Box::pin(async {
            if !self.links.is_any_connected()
                && let Some(obstacle) = self.probe.obstacle().await
            {
                return Err(obstacle);
            }
            // Right after the start none is there yet, and that says nothing of the server.
            self.links.one(&self.heard, CONNECTING).await.ok_or_else(away)?;
            self.links.look(&self.checks.stream).await;
            let link = self.links.one(&self.heard, CONNECTING).await.ok_or_else(away)?;
            let prepared = self.checks.run(&link.client, &link.jetstream).await?;
            self.heard.answers();
            Ok(prepared)
        })
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // With nothing to flush, one that is away is not waited for.
            let is_empty = self.held.free() == MAX_HELD_BYTES;
            self.links.flush(is_empty).await;
        })
    }
}

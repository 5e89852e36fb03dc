//! Publishes to NATS JetStream and waits for the stream's `PubAck`; a core publish alone proves nothing.

mod connect;
mod prepare;

pub use connect::{Access, Certificates, Probe, client, options};
pub use prepare::Checks;

use super::{Prepared, PublishError, Publisher};
use crate::record::{Ack, Record};
use async_nats::{
    Client,
    connection::State,
    jetstream::{
        context::{Context, ContextBuilder, PublishError as ClientError, PublishErrorKind},
        message::PublishMessage,
    },
};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// How long the client waits for an ack before it gives the attempt up; the HTTP deadline is shorter.
const ACK_PATIENCE: Duration = Duration::from_secs(10);

/// Acks awaited at once; more events than that are refused rather than queued without bound.
const MAX_IN_FLIGHT: usize = 8192;

/// JetStream's code for a copy of a message that is still being stored; a retry finds out (nats-server, error 10158).
const IN_PROCESS: &str = "10158";

/// One JetStream stream as a sink.
#[derive(Debug)]
pub struct Nats {
    client: Client,
    jetstream: Context,
    checks: Checks,
    probe: Probe,
}

impl Nats {
    /// Takes a client, which connects in the background, what [`Publisher::prepare`] checks, and how it learns
    /// why there is no connection.
    pub fn new(client: Client, checks: Checks, probe: Probe) -> Self {
        let jetstream = ContextBuilder::new()
            .timeout(ACK_PATIENCE)
            .ack_timeout(ACK_PATIENCE)
            .max_ack_inflight(MAX_IN_FLIGHT)
            .backpressure_on_inflight(false)
            .build(client.clone());
        Self { client, jetstream, checks, probe }
    }

    async fn send(&self, record: Record) -> Result<Ack, PublishError> {
        let mut message = PublishMessage::build()
            .payload(record.value)
            .message_id(&record.message_id)
            // A subject that another stream catches must fail loudly.
            .expected_stream(&self.checks.stream);
        for (name, value) in &record.headers {
            message = message.header(name.as_ref(), value.as_ref());
        }
        let sent = self.jetstream.send_publish(record.destination.to_string(), message).await;
        let ack = sent.map_err(|error| classify(&error))?.await.map_err(|error| classify(&error))?;
        Ok(Ack::Nats { stream: ack.stream, sequence: ack.sequence, duplicate: ack.duplicate })
    }
}

fn classify(error: &ClientError) -> PublishError {
    let text = error.to_string();
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => PublishError::TooLarge(text),
        PublishErrorKind::MaxAckPending => PublishError::Saturated,
        PublishErrorKind::StreamNotFound => {
            PublishError::Misconfigured(format!("{text}: add the subject to the stream, or mend the route"))
        }
        PublishErrorKind::Other
            if text.contains("maximum message size") || text.contains("message size exceeds") =>
        {
            PublishError::TooLarge(text)
        }
        PublishErrorKind::Other if text.contains("stream does not match") => {
            PublishError::Misconfigured(text)
        }
        PublishErrorKind::Other if text.contains(IN_PROCESS) => PublishError::Unavailable(text),
        PublishErrorKind::Other
        | PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence => PublishError::Unavailable(text),
    }
}

impl Publisher for Nats {
    fn publish(&self, record: Record) -> BoxFuture<'_, Result<Ack, PublishError>> {
        Box::pin(self.send(record))
    }

    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
        Box::pin(async {
            if self.client.connection_state() != State::Connected
                && let Some(obstacle) = self.probe.obstacle().await
            {
                return Err(PublishError::Unavailable(format!("no connection to a NATS server: {obstacle}")));
            }
            self.checks.run(&self.client, &self.jetstream).await
        })
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Err(error) = self.client.flush().await {
                tracing::warn!(%error, "nats client did not flush");
            }
        })
    }
}

//! The connections to the server: one for each worker, of which a record takes one that leads to the stream.

use super::{ACK_PATIENCE, MAX_IN_FLIGHT, connect::Heard, limit::Limit, news::News};
use crate::workers;
use async_nats::{
    Client,
    connection::State,
    jetstream::context::{Context, ContextBuilder, GetStreamErrorKind},
};
use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// How often a wait for a connection looks itself, for the case that it was not told.
const TURN: Duration = Duration::from_millis(250);

/// How long a look waits for an answer by one connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// All connections.
#[derive(Debug)]
pub(super) struct Links {
    /// One for each worker, whose runtime it lives on: what is published and acknowledged crosses no thread.
    all: Vec<Link>,
    /// Which one serves next what no worker sends.
    next: AtomicUsize,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) jetstream: Context,
    pub(super) limit: Limit,
    /// What its server tells beside the answers.
    pub(super) news: Arc<News>,
    /// False where the last look did not reach the stream by it: its server may be cut off from the others.
    reaches: AtomicBool,
}

impl Links {
    pub(super) fn new(clients: Vec<(Client, Arc<News>)>) -> Self {
        Self { all: clients.into_iter().map(Link::new).collect(), next: AtomicUsize::new(0) }
    }

    /// Returns the connection of this worker, or else one that is there; waits for one. What a client is given while it has
    /// none is sent when it has, though its sender was refused long ago and what came later went by another.
    pub(super) async fn one(&self, heard: &Heard, patience: Duration) -> Option<&Link> {
        if let Some(link) = self.at_hand() {
            return Some(link);
        }
        let wait = async {
            loop {
                let told = heard.connected();
                if let Some(link) = self.at_hand() {
                    return link;
                }
                // Who was told, or has waited, looks again.
                let _told = timeout(TURN, told).await;
            }
        };
        timeout(patience, Box::pin(wait)).await.ok()
    }

    fn at_hand(&self) -> Option<&Link> {
        let own = workers::own_number().unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed));
        let (before, from) = self.all.split_at(own.checked_rem(self.all.len()).unwrap_or_default());
        let connected = || from.iter().chain(before).filter(|link| link.is_connected());
        connected().find(|link| link.reaches.load(Ordering::Relaxed)).or_else(|| connected().next())
    }

    pub(super) fn is_any_connected(&self) -> bool {
        self.all.iter().any(Link::is_connected)
    }

    /// Notes which connections lead to the stream. One that does not exist is an answer.
    pub(super) async fn look(&self, stream: &str) {
        let connected = self.all.iter().filter(|link| link.is_connected());
        join_all(connected.map(|link| link.look(stream))).await;
    }

    /// Ends what waits, but for those that are away, where there is nothing to end.
    pub(super) async fn flush(&self, is_empty: bool) {
        let links = self.all.iter().filter(|link| link.is_connected() || !is_empty);
        join_all(links.map(Link::flush)).await;
    }
}

impl Link {
    fn new((client, news): (Client, Arc<News>)) -> Self {
        let jetstream = ContextBuilder::new()
            .timeout(ACK_PATIENCE)
            .ack_timeout(ACK_PATIENCE)
            .max_ack_inflight(MAX_IN_FLIGHT)
            .backpressure_on_inflight(false)
            .build(client.clone());
        Self { client, news, reaches: AtomicBool::new(true), jetstream, limit: Limit::default() }
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    async fn look(&self, stream: &str) {
        let asked = timeout(PATIENCE, self.jetstream.get_stream(stream)).await;
        let is_silence = |kind| matches!(kind, GetStreamErrorKind::Request);
        let is_answered = asked.is_ok_and(|answer| !answer.is_err_and(|error| is_silence(error.kind())));
        match (self.reaches.swap(is_answered, Ordering::Relaxed), is_answered) {
            (true, false) => {
                tracing::warn!(
                    "a connection to nats does not lead to the stream: events go by another, if there is one"
                );
            }
            (false, true) => tracing::info!("a connection to nats leads to the stream again"),
            (true, true) | (false, false) => {}
        }
    }

    async fn flush(&self) {
        if let Err(error) = self.client.flush().await {
            tracing::warn!(%error, "nats client did not flush");
        }
    }
}

//! Reads a JetStream stream by an ordered consumer: ephemeral, without acknowledgements, gone when we are.

use super::{
    from::From,
    row::{Place, Row},
};
use crate::{
    app::clients,
    cli::exit::{Exit, Stop},
    config::{Loaded, NatsConfig},
    publish::nats::refuses,
};
use async_nats::jetstream::{
    self, Message,
    consumer::{
        DeliverPolicy,
        pull::{Ordered, OrderedConfig},
    },
};
use futures_util::StreamExt as _;
use std::{fmt::Display, time::Duration};
use tokio::time::timeout;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(in crate::cli) struct Feed {
    messages: Ordered,
    /// The last sequence of the backlog; `None` once that is over.
    end: Option<u64>,
    /// Keeps the connection.
    _client: async_nats::Client,
}

impl Feed {
    /// Connects and begins at `from`.
    pub(super) async fn open(
        loaded: &Loaded,
        sink: &str,
        config: &NatsConfig,
        from: From,
    ) -> Result<Self, Stop> {
        let client = connect(loaded, sink, config).await?;
        let context = jetstream::new(client.clone());
        let stream = answered(context.get_stream(&config.stream)).await?;
        let state = stream.cached_info().state.clone();
        let (deliver_policy, is_empty) = match from {
            From::Start => (DeliverPolicy::All, state.messages == 0),
            From::End => (DeliverPolicy::New, true),
            From::Last(n) => {
                let start_sequence =
                    (state.last_sequence + 1).saturating_sub(u64::from(n)).max(state.first_sequence).max(1);
                (DeliverPolicy::ByStartSequence { start_sequence }, state.messages == 0)
            }
        };
        let wanted = OrderedConfig { deliver_policy, ..OrderedConfig::default() };
        let consumer = answered(stream.create_consumer(wanted)).await?;
        let messages = answered(consumer.messages()).await?;
        Ok(Self { messages, end: (!is_empty).then_some(state.last_sequence), _client: client })
    }

    pub(super) async fn next(&mut self, waits: bool) -> Result<Option<Row>, Stop> {
        if self.end.is_none() && !waits {
            return Ok(None);
        }
        let message = self
            .messages
            .next()
            .await
            .ok_or_else(|| unavailable("the stream ended"))?
            .map_err(unavailable)?;
        let info = message.info().map_err(unavailable)?;
        let (stream, sequence) = (info.stream.to_owned(), info.stream_sequence);
        // The last message may have been deleted since: then nothing is pending behind an earlier one.
        self.end = self.end.filter(|end| sequence < *end && info.pending > 0);
        let published = i64::try_from(info.published.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        Ok(Some(row(&message, stream, sequence, published)))
    }
}

async fn connect(loaded: &Loaded, sink: &str, config: &NatsConfig) -> Result<async_nats::Client, Stop> {
    let options = clients::nats_options(loaded, sink, config)?;
    let servers = config.servers.join(", ");
    let client = options.connect(&config.servers).await.map_err(|error| {
        let exit = if refuses(&error) { Exit::Config } else { Exit::Unavailable };
        Stop::new(exit, format!("NATS: no connection to {servers}: {error}"))
    })?;
    // The client connects in the background and never gives up; a person does.
    answered(client.flush()).await?;
    Ok(client)
}

async fn answered<T, E: Display>(question: impl Future<Output = Result<T, E>>) -> Result<T, Stop> {
    match timeout(PATIENCE, question).await {
        Ok(answer) => answer.map_err(unavailable),
        Err(_) => Err(unavailable(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

fn unavailable(error: impl Display) -> Stop {
    Stop::unavailable(format!("NATS: {error}"))
}

fn row(message: &Message, stream: String, sequence: u64, timestamp_ms: i64) -> Row {
    let headers = message.headers.iter().flat_map(async_nats::HeaderMap::iter);
    let headers =
        headers.flat_map(|(name, values)| values.iter().map(|value| (name.to_string(), value.to_string())));
    Row {
        destination: message.subject.to_string(),
        place: Place::Nats { stream, sequence },
        key: None,
        headers: headers.collect(),
        value: message.payload.clone(),
        timestamp_ms,
    }
}

//! How a NATS server is reached: certificates, and a client that never gives up reconnecting.

use super::{
    super::{PublishError, complaints::Complaints},
    access::{self, Access},
    news::News,
};
pub use async_nats::ConnectOptions;
use async_nats::{Client, ConnectError, ConnectErrorKind, Event};
use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::{Notify, futures::Notified};

/// Certificates of a connection.
#[derive(Debug, Default)]
pub struct Certificates {
    /// Authorities to trust, besides the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate and key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// Returns the client's settings, which show what `access` gives at each connection; fails where it gives nothing now.
pub fn options(
    access: impl Fn() -> Result<Access, String> + Send + Sync + 'static,
    certificates: Certificates,
) -> Result<ConnectOptions, String> {
    let mut options = access::options(access)?;
    if let Some(ca) = certificates.ca {
        options = options.add_root_certificates(ca);
    }
    if let Some((certificate, key)) = certificates.own {
        options = options.add_client_certificate(certificate, key);
    }
    Ok(options
        .name("hookway")
        .max_reconnects(None)
        .reconnect_delay_callback(|attempt| {
            Duration::from_millis(100)
                .saturating_mul(u32::try_from(attempt).unwrap_or(u32::MAX))
                .min(Duration::from_secs(2))
        })
        // A half-open connection is found within two missed pings.
        .ping_interval(Duration::from_secs(3))
        .connection_timeout(Duration::from_secs(5)))
}

/// Returns a client that connects in the background and tells `heard` what it meets, with the news of its connection. Fails
/// where an address is none.
pub async fn client(
    options: &ConnectOptions,
    servers: &[String],
    heard: &Heard,
) -> Result<(Client, Arc<News>), ConnectError> {
    let (options, heard) = (options.clone().retry_on_initial_connect(), heard.clone());
    let news = Arc::new(News::default());
    let tell = Arc::clone(&news);
    let hear = move |event| {
        let (heard, tell) = (heard.clone(), Arc::clone(&tell));
        async move { heard.event(&event, &tell) }
    };
    Ok((options.event_callback(hear).connect(servers).await?, news))
}

/// What the client has told.
#[derive(Debug, Clone)]
pub struct Heard(Arc<Told>);

#[derive(Debug)]
struct Told {
    complaints: Complaints,
    /// Told when a client has a connection.
    connected: Notify,
}

impl Heard {
    /// Begins with nothing heard from these servers.
    pub fn from(servers: &[String]) -> Self {
        let complaints = Complaints::about("nats", &servers.join(", "));
        Self(Arc::new(Told { complaints, connected: Notify::new() }))
    }

    fn event(&self, event: &Event, news: &News) {
        match event {
            Event::Connected => {
                tracing::info!("nats connected");
                self.0.connected.notify_waiters();
            }
            Event::Disconnected => {
                self.0.complaints.add("the connection has ended");
                news.ended();
            }
            Event::ServerError(error) => {
                let words = error.to_string();
                self.0.complaints.add(&words);
                news.error(&words);
            }
            Event::ClientError(error) => self.0.complaints.add(&error.to_string()),
            Event::LameDuckMode | Event::Draining | Event::Closed | Event::SlowConsumer(_) => {
                tracing::debug!(%event, "nats");
            }
        }
    }

    /// Waits until a client tells that it has a connection, from now on.
    pub(super) fn connected(&self) -> Notified<'_> {
        self.0.connected.notified()
    }

    /// Notes that the server answers.
    pub(super) fn answers(&self) {
        self.0.complaints.answers();
    }
}

/// Tries once to connect, to learn why the client, which tries for ever, has no connection: its events leave the
/// cause out, such as a certificate that is not trusted.
pub struct Probe {
    options: ConnectOptions,
    servers: Vec<String>,
}

impl Probe {
    /// Takes what the client was made of.
    pub fn new(options: ConnectOptions, servers: Vec<String>) -> Self {
        Self { options, servers }
    }

    /// Returns what hinders a connection: a server that is away, or one that refuses us. `None` where nothing does
    /// any more.
    pub(super) async fn obstacle(&self) -> Option<PublishError> {
        let error = self.options.clone().connect(&self.servers).await.err()?;
        let said = format!("no connection to {}: {error}", self.servers.join(", "));
        Some(if refuses(&error) { PublishError::Refused(said) } else { PublishError::Unavailable(said) })
    }

    /// Returns how large a message the server takes, by what it says to a new connection.
    pub(super) async fn limit(&self) -> Option<usize> {
        let client = self.options.clone().connect(&self.servers).await.ok()?;
        Some(client.max_payload())
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options hold secrets.
        f.debug_struct("Probe").field("servers", &self.servers).finish_non_exhaustive()
    }
}

/// Returns whether a server was reached and does not let us in, or is not let in by us.
pub fn refuses(error: &ConnectError) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    match error.kind() {
        ConnectErrorKind::Authentication
        | ConnectErrorKind::AuthorizationViolation
        | ConnectErrorKind::Tls => true,
        // So a certificate that is not trusted comes.
        ConnectErrorKind::Io => source.is_some_and(|source| source.kind() == io::ErrorKind::InvalidData),
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Dns
        | ConnectErrorKind::TimedOut
        | ConnectErrorKind::MaxReconnects => false,
    }
}

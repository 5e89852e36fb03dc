//! How a NATS server is reached: credentials, certificates, and a client that never gives up reconnecting.

use async_nats::{ConnectOptions, Event};
use secrecy::{ExposeSecret as _, SecretString};
use std::{path::PathBuf, time::Duration};

/// How we show who we are; at most one of them.
#[derive(Debug, Default)]
pub enum Access {
    /// The server asks for nothing.
    #[default]
    Open,
    /// User and password.
    User(String, SecretString),
    /// A token.
    Token(SecretString),
    /// The seed of an nkey.
    Nkey(SecretString),
    /// A credentials file.
    Credentials(PathBuf),
}

/// Certificates of a connection.
#[derive(Debug, Default)]
pub struct Certificates {
    /// Authorities to trust, besides the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate and key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// Returns the client's settings; the error names the file that can't be read.
pub async fn options(access: Access, certificates: Certificates) -> Result<ConnectOptions, String> {
    let mut options = match access {
        Access::Open => ConnectOptions::new(),
        Access::User(user, password) => {
            ConnectOptions::with_user_and_password(user, password.expose_secret().to_owned())
        }
        Access::Token(token) => ConnectOptions::with_token(token.expose_secret().to_owned()),
        Access::Nkey(seed) => ConnectOptions::with_nkey(seed.expose_secret().trim().to_owned()),
        Access::Credentials(path) => ConnectOptions::with_credentials_file(&path)
            .await
            .map_err(|error| format!("{}: {error}", path.display()))?,
    };
    if let Some(ca) = certificates.ca {
        options = options.add_root_certificates(ca);
    }
    if let Some((certificate, key)) = certificates.own {
        options = options.add_client_certificate(certificate, key);
    }
    Ok(options
        .name("hookway")
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(|attempt| {
            Duration::from_millis(100)
                .saturating_mul(u32::try_from(attempt).unwrap_or(u32::MAX))
                .min(Duration::from_secs(2))
        })
        // A half-open connection is found within two missed pings.
        .ping_interval(Duration::from_secs(3))
        .connection_timeout(Duration::from_secs(5))
        .event_callback(|event| async move { tell(&event) }))
}

fn tell(event: &Event) {
    match event {
        Event::Connected => tracing::info!("nats connected"),
        Event::Disconnected => tracing::warn!("nats disconnected"),
        Event::ServerError(error) => tracing::warn!(%error, "nats server error"),
        Event::ClientError(error) => tracing::warn!(%error, "nats client error"),
        Event::LameDuckMode | Event::Draining | Event::Closed | Event::SlowConsumer(_) => {
            tracing::debug!(%event, "nats");
        }
    }
}

//! Fetches small documents that senders publish: certificates, keys, the confirmation of a subscription. The addresses
//! come out of requests, so nearly everything is forbidden: only HTTPS, only hosts that the configuration names, no
//! port, no user, no redirect, a bound on size and time.

use bytes::Bytes;
use http::{Method, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{net::TcpStream, task::spawn_blocking, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

/// How long one exchange may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest document, in bytes.
const LARGEST: usize = 64 << 10;

/// The only status behind which a document stands; a redirect is not followed.
const OK: u16 = 200;

/// Why a document was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address is not one that may be fetched.
    #[error("it may not be fetched: {0}")]
    Forbidden(&'static str),
    /// The server cannot be reached, or its answer cannot be read.
    #[error("{0}")]
    Unreachable(String),
    /// The server has answered with something else than 200.
    #[error("the server answers {0}")]
    Refused(u16),
    /// It took too long.
    #[error("no answer within 5 s")]
    TooSlow,
}

/// The hosts and paths that addresses may have.
#[derive(Debug, Clone)]
pub struct Pins {
    hosts: Vec<String>,
    path: Option<String>,
}

/// An address that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    uri: Uri,
}

impl Pins {
    /// Takes the hosts, as `sns.*.amazonaws.com`, and the path, as `/*.pem`. In a host `*` and `?` stand for letters of
    /// one label, in a path for any. Where a path is named, an address has neither query nor fragment: a server may
    /// give another document for them.
    pub fn new(hosts: Vec<String>, path: Option<String>) -> Self {
        Self { hosts, path }
    }

    /// Returns the address, if it may be fetched.
    pub fn admit(&self, address: &str) -> Result<Target, FetchError> {
        let target = Target::parse(address)?;
        if !self.hosts.iter().any(|glob| matches_host(glob, &target.host)) {
            return Err(FetchError::Forbidden("its host is not among the allowed ones"));
        }
        if self.path.is_some() && address.contains(['?', '#']) {
            return Err(FetchError::Forbidden("it has a query or a fragment"));
        }
        if self.path.is_some() && strays(target.uri.path()) {
            return Err(FetchError::Forbidden("its path has dots, escapes or empty segments"));
        }
        if let Some(path) = &self.path
            && !wildmatch::WildMatch::new(path).matches(target.uri.path())
        {
            return Err(FetchError::Forbidden("its path is not the allowed one"));
        }
        Ok(target)
    }
}

/// Returns true for a path that a server may read as another one: with `.` or `..`, an empty segment, a backslash, or
/// anything escaped.
fn strays(path: &str) -> bool {
    path.contains(['%', '\\'])
        || path.chars().any(|c| c.is_whitespace() || c.is_control())
        || path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | ".."))
}

/// Compares label by label, so that no wildcard reaches over a dot.
fn matches_host(glob: &str, host: &str) -> bool {
    let (globs, labels): (Vec<&str>, Vec<&str>) = (glob.split('.').collect(), host.split('.').collect());
    globs.len() == labels.len()
        && globs.iter().zip(labels).all(|(glob, label)| {
            !label.is_empty() && wildmatch::WildMatch::new_case_insensitive(glob).matches(label)
        })
}

impl Target {
    /// Takes an `https` address of a host's default port.
    pub fn parse(address: &str) -> Result<Self, FetchError> {
        let uri: Uri = address.parse().map_err(|_| FetchError::Forbidden("it is not an address"))?;
        if uri.scheme_str() != Some("https") {
            return Err(FetchError::Forbidden("it does not begin with `https://`"));
        }
        let authority = uri.authority().ok_or(FetchError::Forbidden("it has no host"))?;
        if authority.as_str() != authority.host() {
            return Err(FetchError::Forbidden("it has a user or a port"));
        }
        Ok(Self { host: authority.host().to_ascii_lowercase(), uri })
    }

    /// Returns its host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

/// Fetches documents over verified TLS.
pub struct Client {
    /// `None` where the TLS library cannot be set up.
    tls: Option<TlsConnector>,
    /// Where every host is, in tests.
    detour: Option<SocketAddr>,
}

impl Client {
    /// Returns the client that trusts the system's roots; they are read once, from files, by a thread that may wait.
    pub async fn system() -> Arc<Self> {
        static CLIENT: OnceLock<Arc<Client>> = OnceLock::new();
        let load = || {
            let mut roots = RootCertStore::empty();
            let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if added == 0 {
                tracing::warn!("this system has no root certificates: senders' keys can't be fetched");
            }
            Arc::new(Self::new(roots, None))
        };
        let client = spawn_blocking(move || Arc::clone(CLIENT.get_or_init(load))).await;
        client.unwrap_or_else(|_| Arc::new(Self { tls: None, detour: None }))
    }

    /// Returns a client that trusts these roots, and takes every host to be at `detour`.
    pub(crate) fn new(roots: RootCertStore, detour: Option<SocketAddr>) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map(|config| config.with_root_certificates(roots).with_no_client_auth());
        Self { tls: config.ok().map(|config| TlsConnector::from(Arc::new(config))), detour }
    }

    /// Fetches a document.
    pub async fn get(&self, target: &Target) -> Result<Bytes, FetchError> {
        timeout(PATIENCE, self.exchange(target)).await.unwrap_or(Err(FetchError::TooSlow))
    }

    async fn exchange(&self, target: &Target) -> Result<Bytes, FetchError> {
        let name = ServerName::try_from(target.host.clone());
        let name = name.map_err(|_| FetchError::Forbidden("its host is not a name"))?;
        let tcp = match self.detour {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect((target.host.as_str(), 443)).await,
        };
        let tls = self.tls.as_ref().ok_or_else(|| unreachable("TLS can't be set up"))?;
        let tls = tls.connect(name, tcp.map_err(unreachable)?).await.map_err(unreachable)?;
        let (mut connection, driver) = handshake(TokioIo::new(tls)).await.map_err(unreachable)?;
        // The driver ends with its connection.
        tokio::spawn(async move { drop(driver.await) });
        let path = target.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = http::Request::builder()
            .method(Method::GET)
            .uri(path)
            .header(header::HOST, &target.host)
            .header(header::USER_AGENT, concat!("hookway/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())
            .map_err(unreachable)?;
        let answer = connection.send_request(request).await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        if status != OK {
            return Err(FetchError::Refused(status));
        }
        let body = Limited::new(answer.into_body(), LARGEST).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(unreachable)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("has_tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unreachable(error: impl ToString) -> FetchError {
    FetchError::Unreachable(error.to_string())
}

#[cfg(test)]
pub(crate) mod tests;

//! A small HTTP/1.1 client that keeps one connection: connects, sends, reads the answer, all within one deadline.

use super::target::Target;
use crate::{
    cli::{exit::Stop, told::speaking},
    request::Request,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

/// How long one exchange may take; longer than every sender waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of an answer's body is read, in bytes.
const LARGEST_ANSWER: usize = 64 << 10;

/// One connection to a server, made when it is needed.
#[derive(Debug)]
pub(super) struct Client {
    address: String,
    target: Target,
    connection: Option<SendRequest<Full<Bytes>>>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How long it took from the first byte sent.
    pub(super) took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} can't be reached: {reason}")]
pub(super) struct Unreachable {
    address: String,
    reason: String,
}

impl Client {
    /// Takes the server's address; nothing is connected yet.
    pub(super) fn new(target: &Target) -> Result<Self, Stop> {
        Ok(Self { address: target.address()?, target: target.clone(), connection: None })
    }

    /// Sends a request and waits for the answer.
    pub(super) async fn send(&mut self, request: Request) -> Result<Answer, Unreachable> {
        let answer = match timeout(PATIENCE, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        answer.map_err(|reason| {
            self.connection = None;
            Unreachable { address: self.address.clone(), reason }
        })
    }

    async fn exchange(&mut self, request: Request) -> Result<Answer, String> {
        let mut connection = self.connected().await?;
        let mut message = http::Request::new(Full::new(request.body));
        *message.method_mut() = request.method;
        *message.uri_mut() = request.uri;
        *message.headers_mut() = request.headers;
        let host = self.target.authority.parse().map_err(|_| "the host is not legal".to_owned())?;
        message.headers_mut().insert(header::HOST, host);
        let start = Instant::now();
        let answer = connection.send_request(message).await.map_err(|error| error.to_string())?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| error.to_string())?;
        self.connection = Some(connection);
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
            took: start.elapsed(),
        })
    }

    /// Returns the connection, or a new one where the server has closed it.
    async fn connected(&mut self) -> Result<SendRequest<Full<Bytes>>, String> {
        if let Some(mut connection) = self.connection.take()
            && connection.ready().await.is_ok()
        {
            return Ok(connection);
        }
        let stream = TcpStream::connect(&self.address).await.map_err(|error| {
            let is_refused = error.kind() == ErrorKind::ConnectionRefused;
            let fix = if is_refused { "; is `hookway run` up? --wait waits for it" } else { "" };
            format!("{error}{fix}")
        })?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        speaking(stream).await.map_err(|error| error.to_string())
    }
}

//! Listens at a running server's admin listener to what becomes of the events or requests of one source.

use super::exit::Stop;
use bytes::{Buf as _, Bytes, BytesMut};
use http::{StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// How long the server may take to begin.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Listening {
    body: Incoming,
    read: BytesMut,
}

/// Returns the address at which a listener of this machine is reached.
pub(super) fn loopback(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, listen.port())
}

/// Speaks HTTP/1.1 over a connection.
pub(super) async fn speaking<B>(stream: TcpStream) -> hyper::Result<SendRequest<B>>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let (mut connection, driver) = handshake(TokioIo::new(stream)).await?;
    // The driver ends with its connection.
    tokio::spawn(async move { drop(driver.await) });
    connection.ready().await.map(|()| connection)
}

impl Listening {
    /// Begins to listen at the admin listener; what comes after this returns is heard.
    pub(super) async fn to(admin: SocketAddr, source: &str, wants: &str) -> Result<Self, Stop> {
        let address = loopback(admin);
        let begun = timeout(PATIENCE, Self::begin(address, source, wants)).await;
        let begun = begun.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
        begun.map_err(|why| Stop::unavailable(format!("the admin listener at {address}: {why}")))
    }

    async fn begin(address: SocketAddr, source: &str, wants: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let mut connection = speaking(stream).await.map_err(|error| error.to_string())?;
        let request = http::Request::get(format!("/told?source={source}&wants={wants}"))
            .header(header::HOST, address.to_string())
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let answer = connection.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer.into_body();
        if status == StatusCode::OK {
            return Ok(Self { body, read: BytesMut::new() });
        }
        let why = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Err(format!("{status}: {}", String::from_utf8_lossy(&why).trim()))
    }

    /// Returns what the next line says; `None` behind the last.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.read) {
                let line = self.read.split_to(end);
                self.read.advance(1);
                return serde_json::from_slice(&line).ok();
            }
            let data = self.body.frame().await?.ok()?.into_data().ok()?;
            self.read.extend_from_slice(&data);
        }
    }
}

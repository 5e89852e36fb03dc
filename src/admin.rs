//! The admin listener: metrics and health, on a port of its own so that no public path leads to them. Few clients, and
//! a bound on them.

use crate::{
    delivery::Quota,
    observe::{
        health::{Health, Verdict},
        metrics::Metrics,
    },
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How long a connection may be idle; longer than the usual pause between two scrapes.
const IDLE: Duration = Duration::from_secs(90);

/// Connections at once.
const CONNECTIONS: u64 = 256;

/// The pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const TEXT: &str = "text/plain; charset=utf-8";

type Response = http::Response<Full<Bytes>>;

/// What the admin listener shows.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Every metric.
    pub metrics: Metrics,
    /// The state of the process.
    pub health: Arc<Health>,
}

impl Admin {
    /// Serves a listener; ends with the process.
    pub async fn serve(self, listener: TcpListener) {
        let slots = Quota::new(CONNECTIONS);
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Some(slot) = slots.take(1) else { continue };
            let admin = self.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let response = admin.answer(&request);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(IDLE)
                .serve_connection(TokioIo::new(stream), service);
            // Ends with its connection, and with the process.
            tokio::spawn(async move {
                let _ended = connection.await;
                drop(slot);
            });
        }
    }

    fn answer<Body>(&self, request: &Request<Body>) -> Response {
        let name = request.uri().path().trim_start_matches('/');
        let verdict = match name {
            "metrics" => None,
            // That this answers at all is the answer.
            "livez" => Some(Verdict { ok: true, lines: vec!["[+]process ok".to_owned()] }),
            "readyz" => Some(self.health.ready()),
            "startupz" => Some(self.health.started()),
            _ => return said(StatusCode::NOT_FOUND, TEXT, String::new()),
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut response = said(StatusCode::METHOD_NOT_ALLOWED, TEXT, String::new());
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        verdict.map_or_else(|| self.exposition(), |verdict| shown(&verdict, request, name))
    }

    fn exposition(&self) -> Response {
        self.metrics.ready.set(i64::from(self.health.ready().ok));
        match self.metrics.render() {
            Ok(text) => said(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text),
            Err(error) => {
                tracing::error!(%error, "metrics can't be written");
                said(StatusCode::INTERNAL_SERVER_ERROR, TEXT, String::new())
            }
        }
    }
}

fn said(status: StatusCode, kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn shown<Body>(verdict: &Verdict, request: &Request<Body>, name: &str) -> Response {
    let status = if verdict.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let accept = request.headers().get(header::ACCEPT);
    if accept.is_some_and(|accept| accept.as_bytes().starts_with(b"application/json")) {
        let body = serde_json::json!({ "ok": verdict.ok, "checks": verdict.lines }).to_string();
        return said(status, "application/json", body);
    }
    let mut parts = request.uri().query().unwrap_or_default().split('&');
    let is_verbose = parts.any(|part| part.split('=').next() == Some("verbose"));
    let body = match (is_verbose, verdict.ok) {
        (true, ok) => {
            let result = if ok { "passed" } else { "failed" };
            format!("{}\n{name} check {result}\n", verdict.lines.join("\n"))
        }
        (false, true) => "ok\n".to_owned(),
        // Why not stands in the answer all the same: probes log it.
        (false, false) => format!("{}\n", verdict.lines.join("\n")),
    };
    said(status, TEXT, body)
}

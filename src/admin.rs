//! The admin listener: metrics and health, on a port of its own so that no public path leads to them; and for the user that
//! runs Hookway, on its machine, what becomes of single events and requests. Few clients, and a bound on them.

mod local;
mod seats;

use crate::observe::{
    health::{Health, Verdict},
    metrics::Metrics,
    told::Wants,
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use local::Ends;
use seats::{Seat, Seats};
use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    time::{Instant, timeout, timeout_at},
};

/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(5);

/// The pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long somebody may listen, whatever was asked for.
const LONGEST: Duration = Duration::from_hours(1);

const TEXT: &str = "text/plain; charset=utf-8";

type Response = http::Response<UnsyncBoxBody<Bytes, Infallible>>;

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
        let mut seats = Seats::new();
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Ok(own) = stream.local_addr() else { continue };
            let Some(seat) = seats.take(peer.ip()) else { continue };
            let (admin, sits) = (self.clone(), Arc::clone(&seat));
            let service = service_fn(move |request: Request<Incoming>| {
                let response = admin.answer(&request, Ends { peer, own }, &sits);
                async move { Ok::<_, Infallible>(response) }
            });
            // Each answer is its connection's last: probes and scrapes are rare, and nothing idle holds a place.
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // The stream sees to its own end only where its client reads it.
            let connection = timeout(LONGEST + HEAD, connection);
            // Ends with its connection, and with the process.
            tokio::spawn(async move { seat.ends.run_until_cancelled(connection).await.is_some() });
        }
    }

    fn answer<Body>(&self, request: &Request<Body>, ends: Ends, seat: &Seat) -> Response {
        let name = request.uri().path().trim_start_matches('/');
        let verdict = match name {
            "metrics" => None,
            // That this answers at all is the answer.
            "livez" => Some(Verdict { ok: true, lines: vec!["[+]process ok".to_owned()] }),
            "readyz" => Some(self.health.ready()),
            "startupz" => Some(self.health.started()),
            "told" => return self.told(request, ends, seat),
            _ => return said(StatusCode::NOT_FOUND, TEXT, String::new()),
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut response = said(StatusCode::METHOD_NOT_ALLOWED, TEXT, String::new());
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        verdict.map_or_else(|| self.exposition(), |verdict| shown(&verdict, request, name))
    }

    /// Streams what becomes of the events or requests of a source, as `/told?source=shop&wants=refused`, a line of JSON each.
    fn told<Body>(&self, request: &Request<Body>, ends: Ends, seat: &Seat) -> Response {
        if let Some(why) = local::distrust(ends, request.headers()) {
            return said(StatusCode::FORBIDDEN, TEXT, format!("this is shown {why}\n"));
        }
        let query = request.uri().query().unwrap_or_default();
        let asked = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let wants = match asked("wants") {
            Some("events") => Wants::Events,
            Some("refused") => Wants::Refused,
            Some("requests") => Wants::Requests,
            Some(_) | None => return said(StatusCode::BAD_REQUEST, TEXT, String::new()),
        };
        let Some(lines) = self.metrics.told.listen(asked("source").unwrap_or_default(), wants) else {
            return said(StatusCode::SERVICE_UNAVAILABLE, TEXT, "enough listen already\n".to_owned());
        };
        seat.stays.store(true, Ordering::Relaxed);
        let until = Instant::now() + LONGEST;
        let lines = stream::unfold(lines, move |mut lines| async move {
            let line = timeout_at(until, lines.recv()).await.ok().flatten()?;
            Some((Ok(Frame::data(line)), lines))
        });
        let mut response = Response::new(StreamBody::new(lines).boxed_unsync());
        for (name, value) in
            [(header::CONTENT_TYPE, "application/x-ndjson"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")]
        {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
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
    let mut response = Response::new(Full::from(body).boxed_unsync());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::told::Answered;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        task::yield_now,
    };

    /// Begins to listen to the requests of `shop` and reads the head of the answer.
    async fn listening(metrics: &Metrics) -> (TcpStream, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let admin = Admin { metrics: metrics.clone(), health: Arc::default() };
        tokio::spawn(admin.serve(listener));
        let mut client = TcpStream::connect(address).await.unwrap();
        let asked = format!("GET /told?source=shop&wants=requests HTTP/1.1\r\nhost: {address}\r\n\r\n");
        client.write_all(asked.as_bytes()).await.unwrap();
        let mut head = vec![0; 1000];
        let read = client.read(&mut head).await.unwrap();
        (client, String::from_utf8_lossy(&head[..read]).to_lowercase())
    }

    #[tokio::test]
    async fn the_stream_says_what_it_is_and_is_to_be_taken_for_nothing_else() {
        let (_client, head) = listening(&Metrics::new().unwrap()).await;
        for said in [" 200 ", "content-type: application/x-ndjson\r\n", "x-content-type-options: nosniff\r\n"]
        {
            assert!(head.contains(said), "{head}");
        }
    }

    #[tokio::test]
    async fn a_listener_that_reads_nothing_stays_no_longer_than_another() {
        let metrics = Metrics::new().unwrap();
        let (_client, head) = listening(&metrics).await;
        assert!(head.contains(" 200 "), "{head}");
        let large = Answered { source: "shop".into(), request: "x".repeat(1 << 20), ..Answered::default() };
        // More than the buffers between us hold: then nobody asks the stream for its next line.
        for _ in 0..20 {
            metrics.told.request(&large);
            for _ in 0..8 {
                yield_now().await;
            }
        }
        tokio::time::pause();
        assert!(metrics.told.of_requests("shop", false));
        tokio::time::advance(LONGEST + HEAD + Duration::from_secs(1)).await;
        for _ in 0..8 {
            yield_now().await;
        }
        assert!(!metrics.told.of_requests("shop", false), "it still stays");
    }
}

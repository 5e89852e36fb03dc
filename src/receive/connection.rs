//! One client connection: hyper reads its requests, the receiver answers them, and it is closed so that the last answer
//! is read.

use super::{Receiver, peer::Peer, reply, watch::Activity, wire::Wire};
use crate::{
    delivery::Share,
    observe::metrics::{Counted, Metrics},
    refusal::Refusal,
    workers::Seat,
};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::poll_fn, net::SocketAddr, pin::Pin, sync::Arc, task::Poll};
use tokio::net::TcpStream;

/// Bytes of a request's head; hyper answers 431 beyond it.
pub const HEAD_BYTES: usize = 16 * 1024;

/// Header lines of a request; hyper answers 431 beyond it.
pub(super) const HEADER_LINES: usize = 100;

/// Who sends on a connection, and what it is at.
pub(super) struct Caller {
    pub(super) address: SocketAddr,
    /// What this address holds of what is bounded.
    pub(super) holder: Arc<Peer>,
    pub(super) activity: Arc<Activity>,
}

/// One client connection.
pub(super) struct Connection {
    pub(super) caller: Caller,
    pub(super) slot: Share,
    /// Its place on a worker.
    pub(super) seat: Seat,
    pub(super) metrics: Metrics,
}

impl Connection {
    /// Answers its requests until it ends.
    pub(super) async fn run(self, stream: std::net::TcpStream, receiver: Arc<Receiver>) {
        let Self { caller, slot: _slot, seat, metrics } = self;
        let _counted = Counted::new(&metrics.connections);
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => return tracing::warn!(%error, "a connection can't be taken"),
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY can't be set");
        }
        let (client, activity) = (caller.address, Arc::clone(&caller.activity));
        let wire = TokioIo::new(Wire::new(stream, Arc::clone(&activity)));
        // One count for each request is the connection's own; the receiver's is all connections'.
        let shared = Arc::new((receiver, caller, seat));
        let known = Arc::clone(&shared);
        let service = service_fn(move |request: http::Request<Incoming>| {
            let shared = Arc::clone(&shared);
            async move {
                let (receiver, caller, seat) = &*shared;
                let _carried = seat.request();
                caller.activity.begin();
                let length = request.body().size_hint().exact();
                // Boxed: hyper keeps room for what this makes as long as the connection is open.
                let mut answer = Box::pin(receiver.answer(request, caller)).await;
                let may_follow = caller.activity.end(length);
                if !may_follow || caller.activity.is_last() {
                    reply::close(&mut answer);
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let mut builder = http1::Builder::new();
        // Deadlines for heads and silence are `watch`'s. Answers are short: one copy is cheaper than a vectored write. A
        // sender that has closed its half still reads.
        builder.header_read_timeout(None).max_buf_size(HEAD_BYTES).max_headers(HEADER_LINES);
        builder.writev(false).half_close(true);
        let mut connection = builder.serve_connection(wire, service);
        let served = poll_fn(|context| {
            activity.listen(context);
            // First, so that what came before an order to end is seen.
            match Pin::new(&mut connection).poll(context) {
                Poll::Pending if activity.is_over() => Poll::Ready(Ok(())),
                polled @ (Poll::Pending | Poll::Ready(_)) => polled,
            }
        });
        let served = served.await;
        let wire = connection.into_parts().io.into_inner();
        if let Err(error) = served {
            tracing::debug!(%error, %client, "connection ended");
            // Senders hang up, which is worth no more than this; what was answered by hyper alone is a refusal of ours.
            if let Some(refusal) = unreadable(&error, &wire) {
                drop(known.0.unmatched(&refusal, client));
            }
        }
        wire.linger().await;
    }
}

/// Returns why hyper took no request from what came, where that was the reason of the end.
fn unreadable(error: &hyper::Error, wire: &Wire) -> Option<Refusal> {
    if error.is_parse_too_large() {
        return Some(Refusal::HeadTooLarge);
    }
    let said = || wire.other_protocol().map_or_else(|| error.to_string().into(), Into::into);
    error.is_parse().then(|| Refusal::Malformed(said()))
}

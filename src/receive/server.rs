//! The listener: accepts connections and lets hyper speak HTTP/1.1 on each, with deadlines for a silent
//! connection and a bound on how many are open.
//!
//! `axum::serve` leaves silent connections open for ever, and a listener that guesses between HTTP/1 and HTTP/2
//! waits for the first bytes without a deadline; so neither is used.

use super::{
    Receiver,
    watch::{Activity, Open, Order},
};
use crate::{
    delivery::{Quota, Share},
    observe::metrics::Metrics,
};
use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible, future::poll_fn, net::SocketAddr, pin::pin, sync::Arc, task::Poll, time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Bounds of the listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections open at once.
    pub connections: usize,
    /// How long a head may take, and a connection may be idle.
    pub idle: Duration,
}

/// Bytes of a request's head; hyper answers 431 beyond it.
const HEAD_BYTES: usize = 32 * 1024;

/// Header lines of a request; hyper answers 431 beyond it.
const HEADER_LINES: usize = 100;

/// How long a connection to the admin listener may be idle; longer than the usual pause between two scrapes.
const ADMIN_IDLE: Duration = Duration::from_secs(90);

/// How often within the time of idleness the connections are looked at.
const SWEEPS: u32 = 8;

/// The shortest pause between two looks.
const SHORTEST_TURN: Duration = Duration::from_millis(50);

/// Pause after the system refused a connection, so that a lack of descriptors does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Has `receiver` answer what comes to `listener` until `stop`; then open requests are finished and connections closed.
///
/// Connections run in `tasks`, which the caller waits for.
pub async fn serve(
    listener: TcpListener,
    receiver: Arc<Receiver>,
    limits: Limits,
    metrics: Metrics,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let slots = Quota::new(limits.connections.try_into().unwrap_or(u64::MAX));
    let mut open = Open::default();
    let mut turns = interval((limits.idle / SWEEPS).max(SHORTEST_TURN));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = turns.tick() => {
                open.sweep(limits.idle);
                continue;
            }
            () = stop.cancelled() => {
                open.finish();
                return;
            }
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(slot) = slots.take(1) else {
            metrics.connections_rejected.inc();
            drop(stream);
            continue;
        };
        let connection = Connection { peer, slot, activity: open.add(), metrics: metrics.clone() };
        tasks.spawn(connection.run(stream, Arc::clone(&receiver)));
    }
}

/// One client connection.
struct Connection {
    peer: SocketAddr,
    slot: Share,
    activity: Arc<Activity>,
    metrics: Metrics,
}

impl Connection {
    async fn run(self, stream: TcpStream, receiver: Arc<Receiver>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY can't be set");
        }
        self.metrics.connections.inc();
        let Self { peer, slot, activity, metrics } = self;
        // One count for each request is the connection's own; the receiver's is all connections'.
        let shared = Arc::new((receiver, Arc::clone(&activity)));
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move {
                let (receiver, activity) = &*shared;
                activity.begin();
                // Boxed: hyper keeps room for what this makes as long as the connection is open.
                let answer = Box::pin(receiver.answer(request, peer)).await;
                activity.end();
                Ok::<_, Infallible>(answer)
            }
        });
        let mut builder = http1::Builder::new();
        // Deadlines for heads and silence are `watch`'s. Answers are short: one copy is cheaper than a vectored write.
        builder.header_read_timeout(None).max_buf_size(HEAD_BYTES).writev(false).max_headers(HEADER_LINES);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let served = poll_fn(|context| {
            match activity.order(context) {
                Order::Stay => {}
                Order::Finish => connection.as_mut().graceful_shutdown(),
                Order::Drop => return Poll::Ready(Ok(())),
            }
            connection.as_mut().poll(context)
        });
        if let Err(error) = served.await {
            // Senders hang up and scanners send nonsense; neither is worth more than this.
            tracing::debug!(%error, client = %peer, "connection ended");
        }
        metrics.connections.dec();
        drop(slot);
    }
}

/// Serves the admin listener: few clients, the same deadlines.
pub async fn serve_admin(listener: TcpListener, router: Router) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(ADMIN_IDLE)
            .serve_connection(TokioIo::new(stream), service);
        // Ends with its connection, and with the process.
        tokio::spawn(connection);
    }
}

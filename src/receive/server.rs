//! The listener: accepts connections and lets hyper speak HTTP/1.1 on each, with deadlines for a silent
//! connection and a bound on how many are open.
//!
//! A framework's accept loop leaves silent connections open for ever, and a listener that guesses between HTTP/1 and HTTP/2
//! waits for the first bytes without a deadline; so neither is used.

use super::{
    Receiver,
    connection::{Caller, Connection},
    peer::Peers,
    watch::{Open, Order},
};
use crate::{
    observe::{metrics::Metrics, rarely::Rarely},
    workers::Workers,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Bounds of the listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections open at once.
    pub connections: usize,
    /// Percent of what is left of connections and bytes that one address may hold.
    pub peer_share: u8,
    /// How long a head may take, and a connection may be idle.
    pub idle: Duration,
    /// Bytes of all bodies held at once.
    pub body_bytes: u64,
    /// How long a body may take; `None`: three quarters of its source's deadline.
    pub body: Option<Duration>,
    /// Bytes a second that a slow body must come with at least; 0 for any.
    pub body_rate: u64,
}

/// When the listener ends.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// From here on each answer is its connection's last.
    pub drain: CancellationToken,
    /// From here on nothing is accepted, and connections are closed.
    pub stop: CancellationToken,
}

/// Connections that may wait to be accepted; the system takes less where it is set so.
const BACKLOG: u32 = 4096;

/// How often within the time of idleness the connections are looked at.
const SWEEPS: u32 = 8;

/// The shortest pause between two looks.
const SHORTEST_TURN: Duration = Duration::from_millis(50);

/// Pause after the system refused a connection, so that a lack of descriptors does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Pause between two lines about that.
const COMPLAINT_PAUSE: Duration = Duration::from_secs(10);

/// How long a half-sent head may hold up the end, in looks.
const LAST_TURNS: u32 = 10;

/// Listens on `address`.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Has `receiver` answer what comes to `listener` until the stop; then open requests are finished and connections closed.
///
/// Connections run on `workers` and in `tasks`, which the caller waits for.
pub async fn serve(
    listener: TcpListener,
    receiver: Arc<Receiver>,
    limits: Limits,
    metrics: Metrics,
    (workers, tasks): (Arc<Workers>, TaskTracker),
    ends: Ends,
) {
    let connections = u64::try_from(limits.connections).unwrap_or(u64::MAX);
    let peers = Peers::new(connections, limits.peer_share.into());
    let mut serving = Serving { receiver, metrics, workers, tasks, peers, open: Open::new() };
    let turn = (limits.idle / SWEEPS).max(SHORTEST_TURN);
    let most = u32::try_from(limits.idle.as_nanos().div_ceil(turn.as_nanos())).unwrap_or(u32::MAX);
    let mut turns = interval(turn);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut is_draining, mut refused) = (false, Rarely::default());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => serving.take(stream, peer),
                // That one connection broke off before it was accepted is nobody else's business.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    if let Some(left_out) = refused.admit(COMPLAINT_PAUSE) {
                        let left_out = (left_out > 0).then_some(left_out);
                        tracing::warn!(%error, left_out, "a connection can't be accepted");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            _ = turns.tick() => serving.sweep(most),
            () = ends.drain.cancelled(), if !is_draining => {
                is_draining = true;
                serving.open.tell(Order::Close);
            }
            () = ends.stop.cancelled() => break,
        }
    }
    serving.finish(listener).await;
}

/// The connections of one listener, and what each needs.
struct Serving {
    receiver: Arc<Receiver>,
    metrics: Metrics,
    workers: Arc<Workers>,
    tasks: TaskTracker,
    peers: Peers,
    open: Open,
}

impl Serving {
    /// Takes a connection, where there is a place for it.
    fn take(&mut self, stream: TcpStream, peer: SocketAddr) {
        let Some((slot, holder)) = self.peers.admit(peer.ip()) else {
            self.metrics.connections_rejected.inc();
            return;
        };
        // Taken out of this runtime's reactor, so that the worker's can have it.
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => return tracing::warn!(%error, "a connection can't be handed to a worker"),
        };
        let Some(seat) = self.workers.seat() else {
            self.metrics.connections_rejected.inc();
            return tracing::error!("no worker is left to carry a connection");
        };
        let (activity, metrics) = (self.open.add(), self.metrics.clone());
        let caller = Caller { address: peer, holder, activity };
        let connection = Connection { caller, slot, seat, metrics };
        let runtime = connection.seat.runtime.clone();
        self.tasks.spawn_on(connection.run(stream, Arc::clone(&self.receiver)), &runtime);
    }

    fn sweep(&mut self, most: u32) {
        self.open.sweep(most);
        self.peers.forget();
    }

    /// Ends the connections: idle ones at once, a request that is handled with its answer, and half a head soon.
    async fn finish(mut self, listener: TcpListener) {
        // Closed with connections that nobody accepted, a listener resets them.
        while let Ok(Ok((stream, peer))) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
            self.take(stream, peer);
        }
        drop(listener);
        self.open.tell(Order::End);
        let mut turns = interval(SHORTEST_TURN);
        for turn in 0_u32.. {
            turns.tick().await;
            self.open.sweep(u32::MAX);
            if self.open.is_empty() {
                return;
            }
            if turn == LAST_TURNS {
                self.open.tell(Order::Cut);
            }
        }
    }
}

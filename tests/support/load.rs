//! The project's load generator: closed-loop senders, each on its own connection, that wait for one answer
//! before the next delivery. It times every answer and can keep the ledger of the 2xx: what the receiver has
//! promised, to be held against what stands on the broker.

#[path = "load/client.rs"]
pub(crate) mod client;
#[path = "load/github.rs"]
pub(crate) mod github;
#[path = "load/outcome.rs"]
mod outcome;

pub(crate) use outcome::{Outcome, Promise};

use client::{Answer, Connection};
use github::{Deliveries, Run};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// An answer that takes longer than this counts as a failure.
const PATIENCE: Duration = Duration::from_secs(15);
/// The pause before a lost connection is opened again, so that a dead receiver is not hammered.
const PAUSE: Duration = Duration::from_millis(10);

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time; what is under way then is still awaited.
    Elapsed(Duration),
    /// When this many deliveries were sent.
    Sent(u64),
}

/// Senders on open connections, ready for one run after another.
#[derive(Debug)]
pub(crate) struct Load {
    address: SocketAddr,
    deliveries: Arc<Deliveries>,
    run: Run,
    sent: Arc<AtomicU64>,
    connections: Vec<Option<Connection>>,
    turns: Arc<Semaphore>,
    ledger: bool,
}

impl Load {
    /// Opens the connections.
    pub(crate) async fn connect(
        address: SocketAddr,
        deliveries: Arc<Deliveries>,
        connections: usize,
    ) -> io::Result<Self> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Some(Connection::open(address).await?));
        }
        let (run, sent) = (Run::new(), Arc::default());
        Ok(Self {
            address,
            deliveries,
            run,
            sent,
            connections: open,
            turns: Arc::new(Semaphore::new(connections)),
            ledger: false,
        })
    }

    /// Keeps the ledger of the 2xx from now on.
    #[must_use]
    pub(crate) fn with_ledger(mut self) -> Self {
        self.ledger = true;
        self
    }

    /// Has so many deliveries at most on their way at once; the connections take turns.
    pub(crate) fn at_most(&mut self, deliveries: usize) {
        self.turns = Arc::new(Semaphore::new(deliveries));
    }

    /// Goes on at `address`, as when the receiver was started again elsewhere; open connections are dropped.
    pub(crate) fn redirect(&mut self, address: SocketAddr) {
        self.address = address;
        self.connections.fill_with(|| None);
    }

    /// Sends until `until`. Sequences go on where the last run ended. A lost connection is opened again; the
    /// delivery on it counts as failed and is not repeated.
    pub(crate) async fn run(&mut self, until: Until) -> Outcome {
        let start = Instant::now();
        let mut senders = JoinSet::new();
        let last = match until {
            Until::Sent(count) => self.sent.load(Ordering::Relaxed).saturating_add(count),
            Until::Elapsed(_) => u64::MAX,
        };
        let deadline = match until {
            Until::Elapsed(window) => Some(start + window),
            Until::Sent(_) => None,
        };
        for connection in self.connections.drain(..) {
            let sender = Sender {
                address: self.address,
                deliveries: Arc::clone(&self.deliveries),
                run: self.run,
                sent: Arc::clone(&self.sent),
                connection,
                turns: Arc::clone(&self.turns),
                ledger: self.ledger,
                outcome: Outcome::default(),
            };
            senders.spawn(sender.send(deadline, last));
        }
        let mut total = Outcome::default();
        for (connection, outcome) in senders.join_all().await {
            self.connections.push(connection);
            total.absorb(outcome);
        }
        // Each sender draws one number too many before it sees that the count is reached.
        self.sent.fetch_min(last, Ordering::Relaxed);
        total.window = deadline.map_or_else(|| start.elapsed(), |deadline| deadline - start);
        total.latencies.sort_unstable();
        total
    }
}

/// One connection's loop.
struct Sender {
    address: SocketAddr,
    deliveries: Arc<Deliveries>,
    run: Run,
    sent: Arc<AtomicU64>,
    connection: Option<Connection>,
    turns: Arc<Semaphore>,
    ledger: bool,
    outcome: Outcome,
}

impl Sender {
    async fn send(mut self, deadline: Option<Instant>, last: u64) -> (Option<Connection>, Outcome) {
        let mut request = Vec::with_capacity(2048);
        let turns = Arc::clone(&self.turns);
        loop {
            let _turn = turns.acquire().await;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
            let sequence = self.sent.fetch_add(1, Ordering::Relaxed);
            if sequence >= last {
                break;
            }
            self.deliveries.write(self.run, sequence, &mut request);
            let start = Instant::now();
            let answer = timeout(PATIENCE, self.exchange(&request)).await;
            let now = Instant::now();
            match answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(answer) => {
                    let in_time = deadline.is_none_or(|deadline| now <= deadline);
                    self.count(answer, sequence, now - start, in_time);
                }
                Err(error) => {
                    self.connection = None;
                    *self.outcome.failures.entry(error.kind().to_string()).or_default() += 1;
                    sleep(PAUSE).await;
                }
            }
        }
        (self.connection, self.outcome)
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open(self.address).await?);
        }
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let answer = connection.exchange(request).await?;
        if answer.last {
            self.connection = None;
        }
        Ok(answer)
    }

    fn count(&mut self, answer: Answer, sequence: u64, latency: Duration, in_time: bool) {
        *self.outcome.statuses.entry(answer.status).or_default() += 1;
        if !(200..300).contains(&answer.status) {
            return;
        }
        self.outcome.accepted += u64::from(in_time);
        self.outcome.latencies.push(latency);
        if self.ledger {
            self.outcome.ledger.push(Promise { sequence, status: answer.status, event_id: answer.event_id });
        }
    }
}

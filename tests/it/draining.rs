//! The end of a process as its senders see it: connections that are kept open end with an answer, never in the middle
//! of a request.

use crate::{
    binary::Hookway,
    bridge::Bridge,
    client::Connection,
    deadline,
    doubles::Fault,
    eventually::{PATIENCE, eventually},
    samples::event,
};
use parking_lot::RwLock;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

#[tokio::test]
async fn while_draining_each_answer_is_the_last_of_its_connection() {
    let bridge = Bridge::ordinary().await;
    let (mut used, mut fresh) =
        (Connection::open(bridge.address).await, Connection::open(bridge.address).await);
    assert_eq!(used.exchange(&event("1")).await.header("connection"), None);
    eventually("both are open", || bridge.metrics.connections.get() == 2).await;
    bridge.ends.drain.cancel();
    let mut late = Connection::open(bridge.address).await;
    let first = late.exchange(&event("2")).await;
    assert_eq!((first.status, first.header("connection")), (200, Some("close")));
    for (id, connection) in [("3", &mut used), ("4", &mut fresh)] {
        let reply = connection.exchange(&event(id)).await;
        assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
        assert!(connection.is_closed().await);
    }
}

#[tokio::test]
async fn at_the_stop_a_request_at_hand_is_finished_and_all_else_ends_soon() {
    let bridge = Bridge::ordinary().await;
    let (mut idle, mut half, mut busy) = (
        Connection::open(bridge.address).await,
        Connection::open(bridge.address).await,
        Connection::open(bridge.address).await,
    );
    assert_eq!(idle.exchange(&event("1")).await.status, 200);
    half.send(b"POST /hooks/hotel HTTP/1.1\r\nho").await;
    bridge.sink("kept").becomes(Fault::Held);
    busy.send(&event("2")).await;
    bridge.handed("kept", 2).await;
    bridge.ends.stop.cancel();
    assert!(idle.is_closed().await && half.is_closed().await);
    bridge.sink("kept").let_one_through();
    let reply = busy.reply().await.expect("an answer");
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    drop((idle, half, busy));
    bridge.finish().await;
}

/// Hands each connection to a process that says it is ready, and asks all of them time and again.
struct Balancer {
    address: SocketAddr,
    /// Of each process: its listener of webhooks, that of the operator, and whether it was ready.
    backends: Arc<RwLock<[(SocketAddr, SocketAddr, bool); 2]>>,
}

impl Balancer {
    async fn before(processes: &[Hookway; 2]) -> Self {
        let backends = processes.each_ref().map(|process| (process.webhooks, process.admin, false));
        let backends = Arc::new(RwLock::new(backends));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        for index in 0..2 {
            let known = Arc::clone(&backends);
            tokio::spawn(async move {
                let mut turns = tokio::time::interval(std::time::Duration::from_millis(20));
                loop {
                    turns.tick().await;
                    let (_, admin, _) = known.read()[index];
                    let is_ready = is_ready(admin).await;
                    let of_process = &mut known.write()[index];
                    // It may have been another's place while it was asked.
                    of_process.2 = is_ready && of_process.1 == admin;
                }
            });
        }
        let known = Arc::clone(&backends);
        tokio::spawn(async move {
            for turn in 0.. {
                let (mut client, _) = listener.accept().await.expect("a connection");
                let ready: Vec<SocketAddr> =
                    known.read().iter().filter(|backend| backend.2).map(|backend| backend.0).collect();
                let Some(to) = ready.get(turn % ready.len().max(1)).copied() else { continue };
                tokio::spawn(async move {
                    if let Ok(mut backend) = TcpStream::connect(to).await {
                        drop(copy_bidirectional(&mut client, &mut backend).await);
                    }
                });
            }
        });
        Self { address, backends }
    }

    /// Waits until every process is ready.
    fn settled(&self) {
        deadline::until("both processes are ready", PATIENCE, || {
            self.backends.read().iter().all(|backend| backend.2).then_some(())
        });
    }
}

/// Asks a process whether it is ready; one that is gone, or goes just now, is not.
async fn is_ready(admin: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(admin).await else { return false };
    let request = b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    let asked = stream.write_all(request).await.is_ok() && stream.read_to_end(&mut answer).await.is_ok();
    asked && answer.starts_with(b"HTTP/1.1 200")
}

const CONFIG: &str = "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
limits: { drain_delay: 1s, drain_timeout: 5s }
";

/// Requests at least, in all; `make rolling` asks for more.
fn wanted() -> usize {
    std::env::var("HOOKWAY_ROLLING").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_costs_no_request_of_clients_that_keep_their_connections() {
    let mut processes = [Hookway::start(CONFIG), Hookway::start(CONFIG)];
    let balancer = Balancer::before(&processes).await;
    balancer.settled();
    let (over, answered, failed) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..16)
        .map(|number| {
            let (over, answered, failed) = (Arc::clone(&over), Arc::clone(&answered), Arc::clone(&failed));
            let address = balancer.address;
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await;
                for turn in 0.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    connection.send(&event(&format!("{number}-{turn}"))).await;
                    let reply = connection.reply().await;
                    let is_good = reply.as_ref().is_some_and(|reply| reply.status == 200);
                    (if is_good { &answered } else { &failed }).fetch_add(1, Ordering::Relaxed);
                    if reply.is_none_or(|reply| reply.header("connection") == Some("close")) {
                        connection = Connection::open(address).await;
                    }
                }
            })
        })
        .collect();
    for (index, process) in processes.iter_mut().enumerate() {
        process.process.signal("TERM");
        let exit = process.process.wait(PATIENCE).expect("the process ends");
        assert_eq!(exit.code(), Some(0), "{}", process.log());
        *process = Hookway::start(CONFIG);
        balancer.backends.write()[index] = (process.webhooks, process.admin, false);
        balancer.settled();
    }
    deadline::until("enough requests", PATIENCE * 10, || {
        (answered.load(Ordering::Relaxed) >= wanted()).then_some(())
    });
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client that did not panic");
    }
    let counts = (failed.load(Ordering::Relaxed), answered.load(Ordering::Relaxed));
    assert_eq!(counts.0, 0, "failed, and answered: {counts:?}");
}

//! The bare handler on as many single-threaded runtimes as there are cores, each on a thread of its own: a connection
//! stays where it was handed to, and nothing of a request ever changes threads but the broker's answer.

use super::{Handler, listen, routes};
use std::{io, net::SocketAddr, thread};
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
    sync::mpsc::{self, Receiver},
};

/// Connections that may wait for a runtime; more than any load opens at once.
const WAITING: usize = 16_384;

/// Serves until the process is ended. Connections are handed out in turn.
pub(super) fn serve(handler: &Handler) {
    runtime().block_on(async {
        let listener = listen().await;
        let address = listener.local_addr().unwrap();
        let runtimes: Vec<_> = (0..thread::available_parallelism().unwrap().get())
            .map(|_| {
                let (hand_over, handed) = mpsc::channel(WAITING);
                let (share, routes) = (Share { address, handed }, routes(handler.clone()));
                thread::spawn(|| runtime().block_on(async { axum::serve(share, routes).await.unwrap() }));
                hand_over
            })
            .collect();
        for hand_over in runtimes.iter().cycle() {
            let (stream, _) = listener.accept().await.unwrap();
            hand_over.send(stream.into_std().unwrap()).await.unwrap();
        }
    });
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// One runtime's share of the connections.
struct Share {
    address: SocketAddr,
    handed: Receiver<std::net::TcpStream>,
}

impl axum::serve::Listener for Share {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let stream = self.handed.recv().await.expect("the acceptor runs as long as the process");
        (TcpStream::from_std(stream).unwrap(), self.address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

//! Hookway under measurement: started from a configuration file, as its users start it.

use crate::{
    load::{client::Connection, github::Endpoint},
    process::Server,
};
use std::{fs, path::Path, process::Command, time::Duration};
use tokio::time::{Instant, sleep};

/// How long Hookway may take to reach its destinations.
const READY: Duration = Duration::from_secs(30);

/// Returns where the load goes. The bare handlers take the same requests and ignore the signature.
pub fn endpoint() -> Endpoint {
    Endpoint {
        path: "/hooks/bench".to_owned(),
        secret: "a secret of the bench and of nobody else".to_owned(),
    }
}

/// Starts Hookway with everything routed to the sink `bus`: `sink` is its configuration in YAML's flow form, `to`
/// the rest of the route's target. Waits until it is ready.
pub async fn start(directory: &Path, sink: &str, to: &str) -> Server {
    let kept = directory.join("kept");
    let config = format!(
        "listen: 127.0.0.1:0\n\
         admin: 127.0.0.1:0\n\
         sources: {{ bench: {{ preset: github, secrets: [ env:BENCH_SECRET ] }} }}\n\
         sinks: {{ bus: {sink}, kept: {{ journal: {{ dir: {} }} }} }}\n\
         routes: [ {{ match: {{ source: \"*\" }}, to: {{ sink: bus{to} }} }} ]\n\
         quarantine: {{ sink: kept }}\n\
         log: {{ format: json }}\n",
        kept.display()
    );
    fs::create_dir_all(directory).unwrap();
    let file = directory.join("hookway.yaml");
    fs::write(&file, config).unwrap();
    let server = Server::start(
        Command::new(env!("CARGO_BIN_EXE_hookway"))
            .args(["run", "--config"])
            .arg(&file)
            .env("BENCH_SECRET", endpoint().secret),
    );
    ready(&server).await;
    server
}

async fn ready(server: &Server) {
    let admin = server.listener("admin");
    let deadline = Instant::now() + READY;
    loop {
        let mut connection = Connection::open(admin).await.unwrap();
        let answer = connection.exchange(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        if answer.status == 200 {
            return;
        }
        assert!(Instant::now() < deadline, "not ready after {READY:?}:\n{}", server.last_lines());
        sleep(Duration::from_millis(50)).await;
    }
}

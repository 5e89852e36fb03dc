//! Hookway under measurement: started from a configuration file, as its users start it.

use crate::{
    load::{client::Connection, github::Endpoint},
    server::Server,
    support::process,
};
use std::{fs, process::Command, time::Duration};
use tokio::time::{Instant, sleep};

/// How long Hookway may take to reach its destinations.
const READY: Duration = Duration::from_secs(30);

/// Returns where the load goes. The bare handlers take the same requests and ignore the signature.
pub(crate) fn endpoint() -> Endpoint {
    Endpoint {
        path: "/hooks/bench".to_owned(),
        secret: "a secret of the bench and of nobody else".to_owned(),
    }
}

/// Starts Hookway with everything routed to one sink. `sink` is its configuration in YAML's flow form, `to` the
/// rest of the route's target. Returns when it is ready.
pub(crate) async fn start(sink: &str, to: &str) -> Server {
    let home = process::home("hookway");
    let config = format!(
        "listen: 127.0.0.1:0\n\
         admin: 127.0.0.1:0\n\
         sources: {{ bench: {{ preset: github, secrets: [ env:BENCH_SECRET ] }} }}\n\
         sinks: {{ bus: {sink}, kept: {{ journal: {{ dir: kept }} }} }}\n\
         routes: [ {{ match: {{ source: \"*\" }}, to: {{ sink: bus{to} }} }} ]\n\
         quarantine: {{ sink: kept }}\n\
         log: {{ format: json }}\n"
    );
    fs::write(home.path().join("hookway.yaml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookway"));
    command.args(["run", "--config", "hookway.yaml"]).env("BENCH_SECRET", endpoint().secret);
    let mut server = Server::start(&mut command, home);
    ready(&mut server).await;
    server
}

async fn ready(server: &mut Server) {
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

//! Hookway under measurement: started from a configuration file, as its users start it.

use crate::{
    load::{
        client::{Answer, Connection},
        github::Endpoint,
    },
    scene::Scene,
    server::Server,
    support::process,
};
use std::{fs, net::SocketAddr, path::Path, process::Command, time::Duration};
use tempfile::TempDir;
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

/// The program, of the build that the bench belongs to.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_hookway");

/// The one source of the bench's suites.
pub(crate) const SOURCE: &str = "bench: { preset: github, secrets: [ env:BENCH_SECRET ] }";

/// Returns the configuration that routes everything of these sources to one sink. All is in YAML's flow form; `to` is the rest
/// of the route's target.
pub(crate) fn config(sources: &str, sink: &str, to: &str) -> String {
    format!(
        "listen: 127.0.0.1:0\n\
         admin: 127.0.0.1:0\n\
         sources: {{ {sources} }}\n\
         sinks: {{ bus: {sink}, kept: {{ journal: {{ dir: kept }} }} }}\n\
         routes: [ {{ match: {{ source: \"*\" }}, to: {{ sink: bus{to} }} }} ]\n\
         quarantine: {{ sink: kept }}\n\
         log: {{ format: json }}\n"
    )
}

/// Returns whether the build that the bench belongs to takes this configuration.
pub(crate) fn takes(config: &str) -> bool {
    let (mut command, _home) = command(Path::new(PROGRAM), "check", config);
    command.output().is_ok_and(|output| output.status.success())
}

/// Starts Hookway's `program`. Returns, when it is ready, the server and its admin listener.
pub(crate) async fn start(program: &Path, config: &str, scene: Scene) -> (Server, SocketAddr) {
    let home = process::home("hookway");
    fs::write(home.path().join("hookway.yaml"), config).unwrap();
    start_in(program, home, scene).await
}

/// Likewise, in a folder that holds a configuration.
pub(crate) async fn start_in(program: &Path, home: TempDir, scene: Scene) -> (Server, SocketAddr) {
    let mut server = Server::start(scene.start(command_in(program, "run", &home)), home);
    let admin = server.listener("admin");
    ready(&server, admin).await;
    (server, admin)
}

/// Returns the sum of a metric's series.
pub(crate) async fn metric(admin: SocketAddr, name: &str) -> f64 {
    let metrics = String::from_utf8(get(admin, "/metrics").await.body).unwrap();
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
    let lines = lines.filter(|rest| rest.starts_with([' ', '{']));
    lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
}

fn command(program: &Path, verb: &str, config: &str) -> (Command, TempDir) {
    let home = process::home("hookway");
    fs::write(home.path().join("hookway.yaml"), config).unwrap();
    (command_in(program, verb, &home), home)
}

fn command_in(program: &Path, verb: &str, home: &TempDir) -> Command {
    let mut command = Command::new(program);
    command.args([verb, "--config", "hookway.yaml"]).env("BENCH_SECRET", endpoint().secret);
    command.current_dir(home.path());
    command
}

async fn ready(server: &Server, admin: SocketAddr) {
    let deadline = Instant::now() + READY;
    while get(admin, "/readyz").await.status != 200 {
        assert!(Instant::now() < deadline, "not ready after {READY:?}:\n{}", server.last_lines());
        sleep(Duration::from_millis(50)).await;
    }
}

/// Returns how many events were answered 2xx and yet went another way than to the sink: their rate would be
/// that of something cheaper.
pub(crate) async fn astray(admin: SocketAddr) -> f64 {
    let metrics = String::from_utf8(get(admin, "/metrics").await.body).unwrap();
    let count = |name: &str| -> f64 {
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    };
    assert!(count("hookway_events_published_total") > 0.0, "nothing was published:\n{metrics}");
    ["suppressed", "quarantined", "filtered"]
        .map(|way| count(&format!("hookway_events_{way}_total")))
        .iter()
        .sum()
}

async fn get(admin: SocketAddr, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    Connection::open(admin).await.unwrap().exchange(request.as_bytes()).await.unwrap()
}

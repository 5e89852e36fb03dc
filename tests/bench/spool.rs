//! The spool: how fast events go to disk while the broker is away, how fast they are published once it is back, beside the
//! direct way of the same process, and what a start costs that finds many of them.

use crate::{
    hookway,
    load::{Load, Until, github::Deliveries},
    measure::Timing,
    scene::Scene,
    server::Server,
    support::nats::Nats,
    usage,
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Connections that send.
const CONNECTIONS: usize = 512;

/// How long all that was spooled may take to be published.
const PATIENCE: Duration = Duration::from_mins(20);

/// How long it takes at most until all that comes goes to disk.
const TURN: Duration = Duration::from_secs(5);

/// Megabytes that a start with much in the spool may take above an idle one, and the share of the direct rate that the drain
/// must reach.
const MOST_ABOVE_IDLE: f64 = 64.0;
const LEAST_DRAINED: f64 = 0.7;

/// Measures and prints.
pub(crate) async fn run(deliveries: &Arc<Deliveries>, timing: Timing, gib: f64) {
    let mut nats = Nats::start();
    nats.create_stream("spool", &["spool.>"]);
    let sink = format!("{{ nats: {{ servers: [ \"{}\" ], stream: spool }} }}", nats.url());
    let config = hookway::config(hookway::SOURCE, &sink, ", subject: \"spool.{key}\"")
        + "spool: { dir: spool, allow_volatile: true }\n";
    let (server, admin) = hookway::start(Path::new(hookway::PROGRAM), &config, Scene::Shared).await;
    let idle = usage::memory(server.pid()).resident;
    let direct = rate(&server, deliveries, timing).await;

    nats.pause();
    let mut bytes = 0.0;
    // The first deadlines are missed, and then nothing is waited for.
    let settled = Timing { warm_up: timing.warm_up.max(TURN), ..timing };
    let spooled = rate(&server, deliveries, settled).await;
    while bytes < gib * f64::from(1 << 30) {
        rate(&server, deliveries, Timing { warm_up: Duration::ZERO, window: Duration::from_secs(5) }).await;
        bytes = hookway::metric(admin, "hookway_spool_bytes").await;
    }
    let waiting = hookway::metric(admin, "hookway_spool_pending_records").await;

    // What stands there is found by another process.
    let home = server.end();
    let start = Instant::now();
    let (server, admin) = hookway::start_in(Path::new(hookway::PROGRAM), home, Scene::Shared).await;
    let (ready, recovered) = (start.elapsed(), usage::memory(server.pid()).peak);
    nats.resume();
    let start = Instant::now();
    while hookway::metric(admin, "hookway_spool_pending_records").await > 0.0 {
        assert!(start.elapsed() < PATIENCE, "what waits is not published");
        sleep(Duration::from_millis(20)).await;
    }
    let drained = waiting / start.elapsed().as_secs_f64();
    let peak = usage::memory(server.pid()).peak;
    println!("| spool, {CONNECTIONS} at once, NATS | |\n|---|---|");
    println!("| direct, events/s | {direct:.0} |");
    println!("| to disk, events/s | {spooled:.0} ({:.2} of direct) |", spooled / direct);
    println!(
        "| published from disk, events/s | {drained:.0} ({:.2} of direct; wanted {LEAST_DRAINED}) |",
        drained / direct
    );
    println!("| waiting at the start | {waiting:.0} events, {:.2} GiB |", bytes / f64::from(1 << 30));
    println!("| ready after | {:.2} s |", ready.as_secs_f64());
    println!(
        "| memory idle, after that start, at its peak while draining | {idle:.0}, {recovered:.0}, {peak:.0} MB (wanted {MOST_ABOVE_IDLE} above idle) |"
    );
}

/// Sends for a window and returns the events that were accepted a second.
async fn rate(server: &Server, deliveries: &Arc<Deliveries>, timing: Timing) -> f64 {
    let load = Load::connect(server.address, Arc::clone(deliveries), CONNECTIONS).await;
    let mut load = load.expect("Hookway accepts connections");
    if !timing.warm_up.is_zero() {
        load.run(Until::Elapsed(timing.warm_up)).await;
    }
    let outcome = load.run(Until::Elapsed(timing.window)).await;
    assert_eq!(outcome.unaccepted(), 0, "{:?}\n{}", outcome.statuses, server.last_lines());
    outcome.rate()
}

//! `make bench`: Hookway's speed, cost and memory beside what users would write instead and beside bare handlers that do
//! no more than answer or publish, in one run on one machine. Only ratios count; `docs/performance.md` tells how to read and repeat them.
//!
//! The program starts itself anew for each bare handler (`bench bare …`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench is a test: it ends where something is not as it must be, and it prints"
)]

mod bare;
mod brokers;
mod disk;
mod figure;
mod findings;
mod hookway;
#[path = "../support/load.rs"]
#[expect(dead_code, reason = "other tests use the ledger and the runs by count")]
mod load;
mod measure;
mod memory;
mod peers;
mod report;
mod scale;
mod scene;
mod server;
mod spool;
mod subjects;
mod suite;
#[path = "../support/support.rs"]
#[expect(dead_code, reason = "a bench only starts brokers; tests also break and read them")]
mod support;
mod targets;
mod usage;
mod verification;

use clap::{Parser, ValueEnum};
use load::github::Deliveries;
use measure::Timing;
use scene::Scene;
use std::{
    path::{self, Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use suite::{Kind, Plan, Suite};
use support::brokers::Brokers;

/// Bodies that are signed before the run: more than any window of deduplication or batch could notice.
const BODIES: u32 = 8192;

/// Measures Hookway beside peers and bare handlers and prints the table as Markdown.
#[derive(Debug, Parser)]
struct Options {
    /// One short round: shows that everything runs, not how fast.
    #[arg(long)]
    quick: bool,
    /// Only this part.
    #[arg(long)]
    only: Option<Part>,
    /// Length of a measurement.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Measurements of each subject under each load.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only with so many connections.
    #[arg(long)]
    connections: Option<usize>,
    /// How much a start finds in the spool, in GiB.
    #[arg(long, default_value_t = 5.0)]
    gib: f64,
    /// Leaves Hookway out.
    #[arg(long)]
    baselines: bool,
    /// Measures this program too, an earlier build of Hookway: one change is judged in one run.
    #[arg(long, value_name = "PROGRAM")]
    beside: Option<PathBuf>,
    /// What `cargo bench` passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Kafka,
    Nats,
    Journal,
    /// Kafka while another program keeps a core busy.
    Neighbour,
    /// Kafka with one core for the subject, and the others for broker and generator.
    OneCore,
    /// What it costs to check a signature, without any sink.
    Verification,
    /// The spool: to disk, from disk, and a start with much in it; only when asked for.
    Spool,
    /// How Hookway's cost grows with workers, connections, sources, bodies and lists; only when asked for.
    Scale,
}

/// The parts that measure a sink, in their order.
const SUITES: [(Part, Kind, Scene); 5] = [
    (Part::Kafka, Kind::Kafka, Scene::Shared),
    (Part::Nats, Kind::Nats, Scene::Shared),
    (Part::Journal, Kind::Journal, Scene::Shared),
    (Part::Neighbour, Kind::Kafka, Scene::Neighbour),
    (Part::OneCore, Kind::Kafka, Scene::OneCore),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare", rest @ ..] => {
            bare::run(rest);
            return ExitCode::SUCCESS;
        }
        ["spin"] => scene::spin(),
        _ => {}
    }
    let options = Options::parse();
    if cfg!(debug_assertions) && !options.quick {
        eprintln!(
            "a debug build tells nothing about speed: run `cargo bench --bench bench`, or `make bench`"
        );
        return ExitCode::FAILURE;
    }
    if options.only.is_none_or(|only| only == Part::Verification) {
        let (window, rounds) = if options.quick { (20, 3) } else { (200, 9) };
        report::verification(&verification::run(Duration::from_millis(window), rounds));
    }
    if options.only == Some(Part::Verification) {
        return ExitCode::SUCCESS;
    }
    // One thread for the generator: more would take the cores of those that are measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(bench(options))
}

async fn bench(options: Options) -> ExitCode {
    // A long list or a large body takes a while by itself.
    let short = Duration::from_secs(if options.only == Some(Part::Scale) { 3 } else { 1 });
    let plan = Plan {
        rounds: if options.quick { 1 } else { options.rounds },
        timing: Timing {
            warm_up: Duration::from_secs(if options.quick { 1 } else { 2 }),
            window: if options.quick { short } else { Duration::from_secs(options.seconds) },
        },
        hookway: !options.baselines,
        connections: options.connections,
        // Every subject runs in a folder of its own.
        beside: options.beside.map(|program| path::absolute(program).unwrap()),
        go: peers::go(),
    };
    let load_average = report::load_average();
    let deliveries = Arc::new(Deliveries::sign(&hookway::endpoint(), BODIES));
    let brokers = Brokers::new();
    if options.only == Some(Part::Scale) {
        return scale(&brokers, &plan, options.quick, load_average).await;
    }
    if options.only == Some(Part::Spool) {
        let gib = if options.quick { 0.01 } else { options.gib };
        println!("{}\n", report::preamble(&plan, load_average));
        spool::run(&deliveries, plan.timing, gib).await;
        return ExitCode::SUCCESS;
    }
    let mut all = Vec::new();
    for (_, kind, scene) in SUITES.iter().filter(|suite| options.only.is_none_or(|only| only == suite.0)) {
        if scene.is_possible() {
            all.push(Suite::start(*kind, *scene, &brokers, &plan).await.run(&deliveries, &plan).await);
        } else {
            println!("**Left out**: {kind}{scene}: this machine has one core.\n");
        }
    }
    report::print(&all, &plan, load_average);
    if plan.go.is_none() {
        println!("\n**Left out**: the peers in Go, which could not be built; standard error says why.");
    }
    if let Some(warning) = report::disturbed(&all) {
        println!("\n**Not quiet**: {warning}.");
    }
    let sound = all.iter().all(|findings| findings.problems.is_empty());
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The drawing stands beside the page that shows it, unless it shows nothing.
async fn scale(brokers: &Brokers, plan: &Plan, quick: bool, load_average: f64) -> ExitCode {
    let plot = if quick { env!("CARGO_TARGET_TMPDIR") } else { concat!(env!("CARGO_MANIFEST_DIR"), "/docs") };
    let plot = Path::new(plot).join("scale.svg");
    println!("{}\n", report::preamble(plan, load_average));
    let problems = scale::run(brokers, plan, &plot).await;
    report::problems(problems.iter());
    eprintln!("drawn into {}", plot.display());
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

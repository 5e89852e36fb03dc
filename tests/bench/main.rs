//! `make bench`: Hookway's speed, cost and memory beside bare handlers that do no more than answer or publish,
//! in one run on one machine. Only ratios count; `docs/performance.md` tells how to read and repeat them.
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
mod hookway;
#[path = "../support/load.rs"]
#[expect(dead_code, reason = "other tests use the ledger and the runs by count")]
mod load;
mod measure;
mod memory;
mod report;
mod server;
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
use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use suite::{Kind, Plan, Suite};
use support::brokers::Brokers;

/// Bodies that are signed before the run: more than any window of deduplication or batch could notice.
const BODIES: u32 = 8192;

/// Measures Hookway beside bare handlers and prints the table as Markdown.
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
    /// Only with so many connections: 1, 64 or 512.
    #[arg(long)]
    connections: Option<usize>,
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
    /// What it costs to check a signature, without any sink.
    Verification,
}

impl Part {
    /// Returns the sink that the part is about.
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Kafka => Some(Kind::Kafka),
            Self::Nats => Some(Kind::Nats),
            Self::Journal => Some(Kind::Journal),
            Self::Verification => None,
        }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = words.split_first()
        && first == "bare"
    {
        bare::run(&rest.iter().map(String::as_str).collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        eprintln!(
            "a debug build tells nothing about speed: run `cargo bench --bench bench`, or `make bench`"
        );
        return ExitCode::FAILURE;
    }
    let options = Options::parse();
    let plan = Plan {
        rounds: if options.quick { 1 } else { options.rounds },
        timing: Timing {
            warm_up: Duration::from_secs(if options.quick { 1 } else { 2 }),
            window: Duration::from_secs(if options.quick { 1 } else { options.seconds }),
        },
        hookway: !options.baselines,
        connections: options.connections,
        beside: options.beside,
    };
    if options.only.is_none_or(|only| only == Part::Verification) {
        let (window, rounds) = if options.quick { (20, 3) } else { (200, 9) };
        report::verification(&verification::run(Duration::from_millis(window), rounds));
    }
    if options.only == Some(Part::Verification) {
        return ExitCode::SUCCESS;
    }
    // One thread for the generator: more would take the cores of those that are measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(bench(options.only.and_then(Part::kind), &plan))
}

async fn bench(only: Option<Kind>, plan: &Plan) -> ExitCode {
    let load_average = report::load_average();
    let deliveries = Arc::new(Deliveries::sign(&hookway::endpoint(), BODIES));
    let brokers = Brokers::new();
    let mut all = Vec::new();
    for kind in [Kind::Kafka, Kind::Nats, Kind::Journal] {
        if only.is_none_or(|only| only == kind) {
            all.push(Suite::start(kind, &brokers, plan).await.run(&deliveries, plan).await);
        }
    }
    report::print(&all, plan, load_average);
    if let Some(warning) = report::disturbed(&all) {
        println!("\n**Not quiet**: {warning}.");
    }
    let sound = all.iter().all(|findings| findings.problems.is_empty());
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! One measurement: a subject under one load, for one window, and the median of several.

use crate::{
    disk,
    load::{Load, Outcome, Until, github::Deliveries},
    server::Server,
    usage,
};
use std::{process, sync::Arc, time::Duration};
use tempfile::TempDir;

/// How long one measurement takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// Before the window: caches fill, batching settles.
    pub(crate) warm_up: Duration,
    /// What is measured.
    pub(crate) window: Duration,
}

/// What is measured.
pub(crate) struct Subject {
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// How it is driven.
    pub(crate) drive: Drive,
}

/// How a subject is driven.
pub(crate) enum Drive {
    /// By webhooks.
    Http(Server),
    /// By writers of this process, into this directory.
    Disk(TempDir),
}

/// The figures of one measurement. Latencies are in milliseconds, processor times in microseconds per event.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// Events accepted per second.
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    /// Of the subject; not a number for the disk, which has no process.
    pub(crate) cpu: f64,
    /// Of the broker; not a number where it is not ours to look at.
    pub(crate) broker_cpu: f64,
    /// Of the load generator.
    pub(crate) generator_cpu: f64,
    /// Cores that neither of these three had: what else ran on the machine.
    pub(crate) others: f64,
}

/// Measures `subject` with `connections`; says why where an answer was missing or was no 2xx.
pub(crate) async fn measure(
    subject: &Subject,
    broker: Option<u32>,
    deliveries: &Arc<Deliveries>,
    connections: usize,
    timing: Timing,
) -> Result<Sample, String> {
    match &subject.drive {
        Drive::Disk(directory) => {
            let theirs = || usage::machine_cpu().saturating_sub(usage::cpu(process::id()));
            let before = theirs();
            let place = directory.path().join("records");
            let outcome = disk::run(&place, connections, timing.warm_up, timing.window).await;
            let others = theirs().saturating_sub(before).div_duration_f64(timing.warm_up + timing.window);
            let none = f64::NAN;
            Ok(Sample { cpu: none, broker_cpu: none, generator_cpu: none, others, ..latencies(&outcome) })
        }
        Drive::Http(server) => {
            let mut load = Load::connect(server.address, Arc::clone(deliveries), connections)
                .await
                .map_err(|error| format!("no connection: {error}\n{}", server.last_lines()))?;
            load.run(Until::Elapsed(timing.warm_up)).await;
            let before = Clocks::read(server.pid(), broker);
            let outcome = load.run(Until::Elapsed(timing.window)).await;
            let after = Clocks::read(server.pid(), broker);
            if outcome.unaccepted() > 0 || outcome.accepted == 0 {
                let Outcome { statuses, failures, .. } = outcome;
                return Err(format!("answers {statuses:?}, failures {failures:?}\n{}", server.last_lines()));
            }
            Ok(sample(&outcome, before, after, timing))
        }
    }
}

/// Processor times so far.
#[derive(Clone, Copy)]
struct Clocks {
    subject: Duration,
    broker: Option<Duration>,
    generator: Duration,
    machine: Duration,
}

impl Clocks {
    fn read(subject: u32, broker: Option<u32>) -> Self {
        Self {
            subject: usage::cpu(subject),
            broker: broker.map(usage::cpu),
            generator: usage::cpu(process::id()),
            machine: usage::machine_cpu(),
        }
    }
}

fn sample(outcome: &Outcome, before: Clocks, after: Clocks, timing: Timing) -> Sample {
    let events = f64::from(u32::try_from(outcome.latencies.len()).unwrap());
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / events;
    let subject = after.subject.saturating_sub(before.subject);
    let generator = after.generator.saturating_sub(before.generator);
    let broker = after.broker.zip(before.broker).map(|(after, before)| after.saturating_sub(before));
    let known = subject + generator + broker.unwrap_or_default();
    Sample {
        cpu: each(subject),
        broker_cpu: broker.map_or(f64::NAN, each),
        generator_cpu: each(generator),
        others: after.machine.saturating_sub(before.machine).saturating_sub(known).as_secs_f64()
            / timing.window.as_secs_f64(),
        ..latencies(outcome)
    }
}

fn latencies(outcome: &Outcome) -> Sample {
    let milliseconds = |percent| outcome.percentile(percent).as_secs_f64() * 1e3;
    Sample {
        rate: outcome.rate(),
        p50: milliseconds(50),
        p90: milliseconds(90),
        p99: milliseconds(99),
        max: milliseconds(100),
        ..Sample::default()
    }
}

/// Returns the median of every figure by itself.
pub(crate) fn median(samples: &[Sample]) -> Sample {
    let of = |figure: fn(&Sample) -> f64| {
        let mut figures: Vec<f64> = samples.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let (lower, upper) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        f64::midpoint(lower, upper)
    };
    Sample {
        rate: of(|sample| sample.rate),
        p50: of(|sample| sample.p50),
        p90: of(|sample| sample.p90),
        p99: of(|sample| sample.p99),
        max: of(|sample| sample.max),
        cpu: of(|sample| sample.cpu),
        broker_cpu: of(|sample| sample.broker_cpu),
        generator_cpu: of(|sample| sample.generator_cpu),
        others: of(|sample| sample.others),
    }
}

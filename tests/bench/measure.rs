//! One measurement: a subject under one load, for one window.

use crate::{
    disk,
    figure::{Figure, Sample},
    load::{Load, Outcome, Until, github::Deliveries},
    server::Server,
    usage::{self, Switches},
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

/// Of more connections, so many at most have a delivery on its way at once: a source takes 1024.
const AT_ONCE: usize = 1000;

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

/// The processes beside a subject that the bench knows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Others {
    /// The broker that the subject publishes to, where it is ours to look at.
    pub(crate) broker: Option<u32>,
    /// The one that keeps a core busy.
    pub(crate) neighbour: Option<u32>,
}

/// Measures `subject` with `connections`; says why where an answer was missing or was no 2xx.
pub(crate) async fn measure(
    subject: &Subject,
    others: Others,
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
            let mut sample = latencies(&outcome);
            sample.extend([(Figure::Others, others)]);
            Ok(sample)
        }
        Drive::Http(server) => {
            let mut load = Load::connect(server.address, Arc::clone(deliveries), connections)
                .await
                .map_err(|error| format!("no connection: {error}\n{}", server.last_lines()))?;
            load.at_most(connections.min(AT_ONCE));
            load.run(Until::Elapsed(timing.warm_up)).await;
            let before = Counts::read(server.pid(), others);
            let outcome = load.run(Until::Elapsed(timing.window)).await;
            let spent = Counts::read(server.pid(), others).since(before);
            if outcome.unaccepted() > 0 || outcome.accepted == 0 {
                let Outcome { statuses, failures, .. } = outcome;
                return Err(format!("answers {statuses:?}, failures {failures:?}\n{}", server.last_lines()));
            }
            Ok(sample(&outcome, spent))
        }
    }
}

/// What the processes have used so far, or within a window.
#[derive(Clone, Copy)]
struct Counts {
    subject: Duration,
    broker: Option<Duration>,
    neighbour: Option<Duration>,
    generator: Duration,
    machine: Duration,
    switches: Switches,
}

impl Counts {
    fn read(subject: u32, others: Others) -> Self {
        Self {
            subject: usage::cpu(subject),
            broker: others.broker.map(usage::cpu),
            neighbour: others.neighbour.map(usage::cpu),
            generator: usage::cpu(process::id()),
            machine: usage::machine_cpu(),
            switches: usage::switches(subject),
        }
    }

    fn since(self, before: Self) -> Self {
        let both = |after: Option<Duration>, before: Option<Duration>| {
            after.zip(before).map(|(after, before)| after.saturating_sub(before))
        };
        Self {
            subject: self.subject.saturating_sub(before.subject),
            broker: both(self.broker, before.broker),
            neighbour: both(self.neighbour, before.neighbour),
            generator: self.generator.saturating_sub(before.generator),
            machine: self.machine.saturating_sub(before.machine),
            switches: Switches {
                slept: self.switches.slept.saturating_sub(before.switches.slept),
                preempted: self.switches.preempted.saturating_sub(before.switches.preempted),
            },
        }
    }
}

fn sample(outcome: &Outcome, spent: Counts) -> Sample {
    let number = |count: u64| f64::from(u32::try_from(count).unwrap());
    let events = number(u64::try_from(outcome.latencies.len()).unwrap());
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / events;
    let known = [Some(spent.subject), Some(spent.generator), spent.broker, spent.neighbour];
    let known: Duration = known.into_iter().flatten().sum();
    let mut sample = latencies(outcome);
    sample.extend([
        (Figure::Cpu, each(spent.subject)),
        (Figure::BrokerCpu, spent.broker.map_or(f64::NAN, each)),
        (Figure::GeneratorCpu, each(spent.generator)),
        (Figure::WakeUps, number(spent.switches.slept) / events),
        (Figure::Preemptions, number(spent.switches.preempted) / events),
        (Figure::Others, spent.machine.saturating_sub(known).div_duration_f64(outcome.window)),
    ]);
    sample
}

fn latencies(outcome: &Outcome) -> Sample {
    let percentiles = [(Figure::P50, 50), (Figure::P90, 90), (Figure::P99, 99), (Figure::Max, 100)];
    let milliseconds = |percent| outcome.percentile(percent).as_secs_f64() * 1e3;
    let latencies = percentiles.map(|(figure, percent)| (figure, milliseconds(percent)));
    latencies.into_iter().chain([(Figure::Rate, outcome.rate())]).collect()
}

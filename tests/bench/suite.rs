//! A suite: Hookway's way to one kind of sink beside the baselines of that kind, all alive at once and measured
//! in turn, round after round, so that what changes on the machine meets all of them.

use crate::{
    brokers::{KafkaTopics, NatsStreams},
    hookway,
    load::github::Deliveries,
    measure::{Drive, Sample, Subject, Timing, measure, median},
    memory::{self, Footprint},
    process::Server,
};
use clap::ValueEnum;
use std::{collections::BTreeMap, env, path::Path, process::Command, sync::Arc};

/// The loads, in connections.
pub const LOADS: [usize; 3] = [1, 64, 512];

/// The subjects' names.
pub mod names {
    pub const OK: &str = "bare handler that answers 200";
    pub const LINGER_0: &str = "bare rdkafka handler, linger 0";
    pub const LINGER_5: &str = "bare rdkafka handler, linger 5";
    pub const NATS: &str = "bare async-nats handler";
    pub const JOURNAL: &str = "bare handler with a group commit";
    pub const DISK: &str = "the disk's own group commits";
    pub const HOOKWAY: &str = "Hookway";
}

/// A kind of sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    Kafka,
    Nats,
    Journal,
}

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub rounds: usize,
    pub timing: Timing,
    /// False: the baselines alone.
    pub hookway: bool,
}

/// What a suite found.
pub struct Findings {
    pub kind: Kind,
    /// Medians, by connections and subject; subjects in the order in which they ran.
    pub rows: BTreeMap<usize, Vec<(&'static str, Sample)>>,
    /// Hookway's memory, where it was measured.
    pub footprint: Option<Footprint>,
    /// What went wrong; a suite with problems proves nothing.
    pub problems: Vec<String>,
}

impl Findings {
    /// Returns a subject's median under a load.
    pub fn get(&self, connections: usize, subject: &str) -> Option<Sample> {
        self.rows.get(&connections)?.iter().find(|(name, _)| *name == subject).map(|(_, sample)| *sample)
    }
}

/// A broker in use; its records are removed between rounds.
enum Store {
    Kafka(KafkaTopics),
    Nats(NatsStreams),
    Disk,
}

/// All subjects of one kind, ready to be measured.
pub struct Suite {
    kind: Kind,
    subjects: Vec<Subject>,
    store: Store,
    broker: Option<u32>,
    idle: f64,
}

impl Suite {
    /// Starts the baselines and Hookway before Kafka. `broker` is its process, where it is ours to look at.
    pub async fn kafka(directory: &Path, bootstrap: &str, broker: Option<u32>, plan: Plan) -> Self {
        let topics = KafkaTopics::create(bootstrap, &["linger-0", "linger-5", "bench"]).await;
        let mut suite = Self::new(Kind::Kafka, Store::Kafka(topics), broker);
        suite.add(names::LINGER_0, bare(&["kafka", bootstrap, "linger-0", "0"]));
        suite.add(names::LINGER_5, bare(&["kafka", bootstrap, "linger-5", "5"]));
        let sink = format!("{{ kafka: {{ brokers: [ \"{bootstrap}\" ] }} }}");
        suite.hookway(directory, &sink, ", topic: bench", plan).await
    }

    /// Starts the baseline and Hookway before NATS.
    pub async fn nats(directory: &Path, url: &str, broker: Option<u32>, plan: Plan) -> Self {
        let streams = NatsStreams::create(url, &["BARE", "BENCH"]).await;
        let mut suite = Self::new(Kind::Nats, Store::Nats(streams), broker);
        suite.add(names::NATS, bare(&["nats", url, "bare"]));
        let sink = format!("{{ nats: {{ servers: [ \"{url}\" ], stream: BENCH }} }}");
        suite.hookway(directory, &sink, ", subject: \"bench.{key}\"", plan).await
    }

    /// Starts the baseline and Hookway with an embedded journal.
    pub async fn journal(directory: &Path, plan: Plan) -> Self {
        let mut suite = Self::new(Kind::Journal, Store::Disk, None);
        suite.subjects.push(Subject { name: names::DISK, drive: Drive::Disk(directory.join("disk")) });
        let place = directory.join("bare");
        suite.add(names::JOURNAL, bare(&["journal", place.to_str().unwrap()]));
        let sink = format!("{{ journal: {{ dir: {} }} }}", directory.join("journal").display());
        suite.hookway(directory, &sink, "", plan).await
    }

    fn new(kind: Kind, store: Store, broker: Option<u32>) -> Self {
        let mut suite = Self { kind, subjects: Vec::new(), store, broker, idle: 0.0 };
        suite.add(names::OK, bare(&["ok"]));
        suite
    }

    fn add(&mut self, name: &'static str, server: Server) {
        self.subjects.push(Subject { name, drive: Drive::Http(server) });
    }

    async fn hookway(mut self, directory: &Path, sink: &str, to: &str, plan: Plan) -> Self {
        if plan.hookway {
            let server = hookway::start(directory, sink, to).await;
            self.idle = memory::resident(&server);
            self.add(names::HOOKWAY, server);
        }
        self
    }

    /// Measures every subject under every load, and Hookway's memory last.
    pub async fn run(self, deliveries: &Arc<Deliveries>, plan: Plan) -> Findings {
        let mut findings =
            Findings { kind: self.kind, rows: BTreeMap::new(), footprint: None, problems: Vec::new() };
        for connections in LOADS {
            let mut samples = vec![Vec::new(); self.subjects.len()];
            for round in 1..=plan.rounds {
                for (subject, samples) in self.subjects.iter().zip(&mut samples) {
                    let place = format!("{:?}, {connections} connections, {}", self.kind, subject.name);
                    match measure(subject, self.broker, deliveries, connections, plan.timing).await {
                        Ok(sample) => {
                            eprintln!(
                                "{place}, round {round}: {:.0}/s, p50 {:.2} ms",
                                sample.rate, sample.p50
                            );
                            samples.push(sample);
                        }
                        Err(problem) => findings.problems.push(format!("{place}: {problem}")),
                    }
                }
                self.empty().await;
            }
            let measured = self.subjects.iter().zip(samples).filter(|(_, samples)| !samples.is_empty());
            let rows = measured.map(|(subject, samples)| (subject.name, median(&samples))).collect();
            findings.rows.insert(connections, rows);
        }
        self.memory(deliveries, &mut findings).await;
        findings
    }

    async fn empty(&self) {
        match &self.store {
            Store::Kafka(topics) => topics.empty().await,
            Store::Nats(streams) => streams.empty().await,
            Store::Disk => {}
        }
    }

    async fn memory(&self, deliveries: &Deliveries, findings: &mut Findings) {
        for subject in self.subjects.iter().filter(|subject| subject.name == names::HOOKWAY) {
            let Drive::Http(server) = &subject.drive else { continue };
            let peak = memory::peak(server);
            let connected = memory::connected(server, deliveries).await.unwrap_or_else(|problem| {
                findings.problems.push(format!(
                    "{:?}, {} silent connections: {problem}",
                    self.kind,
                    memory::IDLE
                ));
                f64::NAN
            });
            findings.footprint = Some(Footprint { idle: self.idle, peak, connected });
        }
    }
}

fn bare(words: &[&str]) -> Server {
    Server::start(Command::new(env::current_exe().unwrap()).arg("bare").args(words))
}

//! A suite: Hookway's way to one kind of sink beside the baselines of that kind, all alive at once and measured
//! in turn, round after round, so that what changes on the machine meets all of them.

use crate::{
    brokers::Store,
    hookway,
    load::github::Deliveries,
    measure::{Drive, Sample, Subject, Timing, measure, median},
    memory::{self, Footprint},
    server::Server,
    support::{brokers::Brokers, process},
    usage,
};
use clap::ValueEnum;
use std::{
    collections::BTreeMap,
    env, fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// The loads, in connections.
pub(crate) const LOADS: [usize; 3] = [1, 64, 512];

/// The subjects' names.
pub(crate) mod names {
    pub(crate) const OK: &str = "bare handler that answers 200";
    pub(crate) const LINGER_0: &str = "bare rdkafka handler, linger 0";
    pub(crate) const LINGER_5: &str = "bare rdkafka handler, linger 5";
    pub(crate) const NATS: &str = "bare async-nats handler";
    pub(crate) const JOURNAL: &str = "bare handler with a group commit";
    pub(crate) const DISK: &str = "the disk's own group commits";
    pub(crate) const HOOKWAY: &str = "Hookway";
    pub(crate) const BESIDE: &str = "Hookway, the build beside it";
}

/// A kind of sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    Kafka,
    Nats,
    Journal,
}

impl fmt::Display for Kind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Kafka => "Kafka",
            Self::Nats => "NATS",
            Self::Journal => "journal",
        })
    }
}

/// What is measured, how often and how long.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) timing: Timing,
    /// False: the baselines alone.
    pub(crate) hookway: bool,
    /// The one load; `None`: all.
    pub(crate) connections: Option<usize>,
    /// Another build of Hookway.
    pub(crate) beside: Option<PathBuf>,
}

/// What a suite found.
pub(crate) struct Findings {
    pub(crate) kind: Kind,
    /// Medians, by connections and subject; subjects in the order in which they ran.
    pub(crate) rows: BTreeMap<usize, Vec<(&'static str, Sample)>>,
    /// Hookway's memory, where it was measured.
    pub(crate) footprint: Option<Footprint>,
    /// What went wrong; a suite with problems proves nothing.
    pub(crate) problems: Vec<String>,
}

impl Findings {
    /// Returns a subject's median under a load.
    pub(crate) fn get(&self, connections: usize, subject: &str) -> Option<Sample> {
        self.rows.get(&connections)?.iter().find(|(name, _)| *name == subject).map(|(_, sample)| *sample)
    }
}

/// All subjects of one kind, ready to be measured.
pub(crate) struct Suite {
    kind: Kind,
    subjects: Vec<Subject>,
    store: Store,
    broker: Option<u32>,
    hookway: Option<Watched>,
}

/// What else is known of the running Hookway.
struct Watched {
    admin: SocketAddr,
    /// Resident after the start, in megabytes.
    idle: f64,
}

impl Suite {
    /// Starts all subjects of this kind, and the broker.
    pub(crate) async fn start(kind: Kind, brokers: &Brokers, plan: &Plan) -> Self {
        match kind {
            Kind::Kafka => Self::kafka(brokers, plan).await,
            Kind::Nats => Self::nats(brokers, plan).await,
            Kind::Journal => Self::journal(plan).await,
        }
    }

    async fn kafka(brokers: &Brokers, plan: &Plan) -> Self {
        let kafka = brokers.kafka();
        let topics = ["linger-0", "linger-5", "hookway"].map(|stem| brokers.name(stem));
        let [linger_0, linger_5, topic] = &topics;
        let mut suite = Self::new(Kind::Kafka, Store::kafka(kafka, &topics), kafka.pid());
        let bootstrap = kafka.bootstrap();
        suite.add(names::LINGER_0, bare(&["kafka", bootstrap, linger_0, "0"]));
        suite.add(names::LINGER_5, bare(&["kafka", bootstrap, linger_5, "5"]));
        let sink = format!("{{ kafka: {{ brokers: [ \"{bootstrap}\" ] }} }}");
        suite.hookway(&sink, &format!(", topic: {topic}"), plan).await
    }

    async fn nats(brokers: &Brokers, plan: &Plan) -> Self {
        let nats = brokers.nats();
        let streams = ["bare", "hookway"].map(|stem| brokers.name(stem));
        let [bare_stream, stream] = &streams;
        let mut suite = Self::new(Kind::Nats, Store::nats(nats, &streams).await, nats.pid());
        suite.add(names::NATS, bare(&["nats", nats.url(), bare_stream]));
        let sink = format!("{{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}", nats.url());
        suite.hookway(&sink, &format!(", subject: \"{stream}.{{key}}\""), plan).await
    }

    async fn journal(plan: &Plan) -> Self {
        let mut suite = Self::new(Kind::Journal, Store::Disk, None);
        suite.subjects.push(Subject { name: names::DISK, drive: Drive::Disk(process::home("disk")) });
        suite.add(names::JOURNAL, bare(&["journal", "records"]));
        suite.hookway("{ journal: { dir: bus } }", "", plan).await
    }

    fn new(kind: Kind, store: Store, broker: Option<u32>) -> Self {
        let mut suite = Self { kind, subjects: Vec::new(), store, broker, hookway: None };
        suite.add(names::OK, bare(&["ok"]));
        suite
    }

    fn add(&mut self, name: &'static str, server: Server) {
        self.subjects.push(Subject { name, drive: Drive::Http(server) });
    }

    async fn hookway(mut self, sink: &str, to: &str, plan: &Plan) -> Self {
        if let Some(program) = &plan.beside {
            self.add(names::BESIDE, hookway::start(program, sink, to).await.0);
        }
        if plan.hookway {
            let (server, admin) = hookway::start(Path::new(hookway::PROGRAM), sink, to).await;
            self.hookway = Some(Watched { admin, idle: usage::memory(server.pid()).resident });
            self.add(names::HOOKWAY, server);
        }
        self
    }

    /// Measures every subject under every load, and inspects Hookway last.
    pub(crate) async fn run(self, deliveries: &Arc<Deliveries>, plan: &Plan) -> Findings {
        let mut findings =
            Findings { kind: self.kind, rows: BTreeMap::new(), footprint: None, problems: Vec::new() };
        for connections in LOADS.into_iter().filter(|load| plan.connections.is_none_or(|only| only == *load))
        {
            let mut samples = vec![Vec::new(); self.subjects.len()];
            for round in 1..=plan.rounds {
                let mut turn: Vec<_> = self.subjects.iter().zip(&mut samples).collect();
                // Whoever is later meets what the broker keeps of the earlier ones (JetStream's window of ids).
                if round % 2 == 0 {
                    turn.reverse();
                }
                for (subject, samples) in turn {
                    let place = format!("{}, {connections} connections, {}", self.kind, subject.name);
                    // The handler that only answers costs the broker nothing.
                    let broker = self.broker.filter(|_| subject.name != names::OK);
                    match measure(subject, broker, deliveries, connections, plan.timing).await {
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
                self.store.empty().await;
            }
            let measured = self.subjects.iter().zip(samples).filter(|(_, samples)| !samples.is_empty());
            let rows = measured.map(|(subject, samples)| (subject.name, median(&samples))).collect();
            findings.rows.insert(connections, rows);
        }
        // Memory is that of a process which took all the loads.
        if let Some(hookway) = self.hookway.as_ref().filter(|_| plan.connections.is_none()) {
            self.inspect(hookway, deliveries, &mut findings).await;
        }
        findings
    }

    /// Looks at the process that took all the loads: its memory, and whether it did what it was measured for.
    async fn inspect(&self, hookway: &Watched, deliveries: &Deliveries, findings: &mut Findings) {
        for subject in self.subjects.iter().filter(|subject| subject.name == names::HOOKWAY) {
            let Drive::Http(server) = &subject.drive else { continue };
            let peak = usage::memory(server.pid()).peak;
            let connected = memory::connected(server, deliveries).await.unwrap_or_else(|problem| {
                findings.problems.push(format!(
                    "{}, {} silent connections: {problem}",
                    self.kind,
                    memory::IDLE
                ));
                f64::NAN
            });
            findings.footprint = Some(Footprint { idle: hookway.idle, peak, connected });
        }
        let astray = hookway::astray(hookway.admin).await;
        if astray > 0.0 {
            findings.problems.push(format!("{}: {astray} events were not published", self.kind));
        }
    }
}

fn bare(words: &[&str]) -> Server {
    Server::start(Command::new(env::current_exe().unwrap()).arg("bare").args(words), process::home("bare"))
}

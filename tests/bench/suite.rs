//! A suite: Hookway's way to one kind of sink beside the peers and the bare handlers of that kind, all alive at once and
//! measured in turn, round after round, so that what changes on the machine meets all of them.

use crate::{
    figure::{Figure, Sample},
    findings::{Findings, Row},
    hookway,
    load::github::Deliveries,
    measure::{Drive, Others, Timing, measure},
    memory::{self, Footprint},
    scene::{Scene, Stage},
    subjects::{Subjects, Watched, names},
    support::brokers::Brokers,
    usage,
};
use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

/// The loads, in connections.
const LOADS: [usize; 5] = [1, 4, 16, 64, 512];

/// The load on less than the whole machine.
const SCENE_LOAD: usize = 64;

/// A kind of sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// False: the others alone.
    pub(crate) hookway: bool,
    /// The one load; `None`: all.
    pub(crate) connections: Option<usize>,
    /// Another build of Hookway.
    pub(crate) beside: Option<PathBuf>,
    /// The peer in Go, where it could be built.
    pub(crate) go: Option<PathBuf>,
}

impl Plan {
    fn loads(&self, scene: Scene) -> Vec<usize> {
        match (self.connections, scene) {
            (Some(one), _) => vec![one],
            (None, Scene::Shared) => LOADS.to_vec(),
            (None, Scene::Neighbour | Scene::OneCore) => vec![SCENE_LOAD],
        }
    }
}

/// All subjects of one kind, ready to be measured.
pub(crate) struct Suite {
    kind: Kind,
    scene: Scene,
    subjects: Subjects,
    stage: Stage,
}

impl Suite {
    /// Starts all subjects of this kind, and the broker, and sets the scene.
    pub(crate) async fn start(kind: Kind, scene: Scene, brokers: &Brokers, plan: &Plan) -> Self {
        let subjects = Subjects::start(kind, scene, brokers, plan).await;
        let stage = scene.set(subjects.broker);
        Self { kind, scene, subjects, stage }
    }

    /// Measures every subject under every load, and inspects Hookway last.
    pub(crate) async fn run(self, deliveries: &Arc<Deliveries>, plan: &Plan) -> Findings {
        let mut findings = Findings {
            kind: self.kind,
            scene: self.scene,
            rows: BTreeMap::new(),
            footprint: None,
            problems: Vec::new(),
        };
        for connections in plan.loads(self.scene) {
            let row = |subject| Row { subject, rounds: Vec::new() };
            let mut rows: Vec<Row> = self.subjects.all.iter().map(|subject| row(subject.name)).collect();
            for round in 1..=plan.rounds {
                self.round(round, connections, &mut rows, deliveries, plan, &mut findings.problems).await;
                self.subjects.store.empty().await;
            }
            findings.rows.insert(connections, rows);
        }
        if let Some(hookway) = &self.subjects.hookway {
            self.inspect(hookway, deliveries, plan, &mut findings).await;
        }
        findings
    }

    /// Measures every subject once. Whoever is later meets what the broker keeps of the earlier ones (JetStream's window
    /// of ids), so that every other round has the reverse order.
    async fn round(
        &self,
        round: usize,
        connections: usize,
        rows: &mut [Row],
        deliveries: &Arc<Deliveries>,
        plan: &Plan,
        problems: &mut Vec<String>,
    ) {
        let mut turn: Vec<_> = self.subjects.all.iter().zip(rows).collect();
        if round.is_multiple_of(2) {
            turn.reverse();
        }
        for (subject, row) in turn {
            let place = format!("{}{}, {connections} connections, {}", self.kind, self.scene, subject.name);
            // The handler that only answers costs the broker nothing.
            let broker = self.subjects.broker.filter(|_| subject.name != names::OK);
            let others = Others { broker, neighbour: self.stage.neighbour() };
            let sample = measure(subject, others, deliveries, connections, plan.timing).await;
            row.rounds.push(sample.unwrap_or_else(|problem| {
                problems.push(format!("{place}: {problem}"));
                Sample::default()
            }));
            let show = |figure: Figure| {
                let value = row.rounds.last().map_or(f64::NAN, |sample| sample.get(figure));
                format!("{} {}", figure.show(value), figure.name())
            };
            eprintln!(
                "{place}, round {round}: {}",
                [Figure::Rate, Figure::P50, Figure::Cpu].map(show).join(", ")
            );
        }
    }

    /// Looks at the process that took the loads: its memory after all of them, and whether it did what it was measured for.
    async fn inspect(
        &self,
        hookway: &Watched,
        deliveries: &Deliveries,
        plan: &Plan,
        findings: &mut Findings,
    ) {
        let of_all_loads = self.scene == Scene::Shared && plan.connections.is_none();
        for subject in
            self.subjects.all.iter().filter(|subject| of_all_loads && subject.name == names::HOOKWAY)
        {
            let Drive::Http(server) = &subject.drive else { continue };
            let peak = usage::memory(server.pid()).peak;
            let connected = memory::connected(server, deliveries).await.unwrap_or_else(|problem| {
                let silent = memory::IDLE;
                findings.problems.push(format!("{}, {silent} silent connections: {problem}", self.kind));
                f64::NAN
            });
            findings.footprint = Some(Footprint { idle: hookway.idle, peak, connected });
        }
        let astray = hookway::astray(hookway.admin).await;
        if astray > 0.0 {
            findings.problems.push(format!("{}: {astray} events were not published", findings.place()));
        }
    }
}

//! How the cost of an event grows with workers, connections, sources, the size of a body and the length of a list: Hookway
//! alone, publishing to Kafka.

mod curves;
mod plot;

use crate::{
    brokers::Store,
    figure::{Figure, Sample, Spread},
    hookway,
    measure::{Drive, Others, Subject, measure},
    scene::Scene,
    subjects::names,
    suite::Plan,
    support::brokers::Brokers,
};
use curves::{Curve, Point};
use std::{fs, net::SocketAddr, path::Path, sync::Arc};

/// The figures of the table.
const FIGURES: [Figure; 6] =
    [Figure::Rate, Figure::Cpu, Figure::BrokerCpu, Figure::P50, Figure::P99, Figure::Others];

/// What a topic takes, in bytes: the largest body and its envelope.
const LARGEST: &str = "4194304";

/// A curve as it was measured: the rounds of each point.
struct Measured {
    curve: &'static str,
    points: Vec<(u32, Vec<Sample>)>,
}

/// Measures all curves, prints them as a table and draws them into the file `plot`. Returns what went wrong.
pub(crate) async fn run(brokers: &Brokers, plan: &Plan, plot: &Path) -> Vec<String> {
    let kafka = brokers.kafka();
    let topic = brokers.name("scale");
    let store = Store::kafka(kafka, std::slice::from_ref(&topic), &[("max.message.bytes", LARGEST)]);
    let sink = format!("{{ kafka: {{ brokers: [ \"{}\" ] }} }}", kafka.bootstrap());
    let others = Others { broker: kafka.pid(), neighbour: None };
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for curve in curves::all() {
        let running = Running::start(curve, &sink, &format!(", topic: {topic}")).await;
        all.push(running.measure(&store, others, plan, &mut problems).await);
    }
    print(&all);
    fs::write(plot, plot::svg(&all)).expect("the plot can be written");
    problems
}

/// A curve whose points' servers run.
struct Running {
    name: &'static str,
    points: Vec<(Point, Subject, SocketAddr)>,
}

impl Running {
    async fn start(curve: Curve, sink: &str, to: &str) -> Self {
        let mut points = Vec::new();
        for point in curve.points {
            let config = format!("{}{}", point.settings, hookway::config(&point.sources, sink, to));
            if !point.settings.is_empty() && !hookway::takes(&config) {
                println!("**Left out**: {} {}: this build takes no such setting.\n", curve.name, point.x);
                continue;
            }
            let (server, admin) = hookway::start(Path::new(hookway::PROGRAM), &config, Scene::Shared).await;
            points.push((point, Subject { name: names::HOOKWAY, drive: Drive::Http(server) }, admin));
        }
        Self { name: curve.name, points }
    }

    async fn measure(
        self,
        store: &Store,
        others: Others,
        plan: &Plan,
        problems: &mut Vec<String>,
    ) -> Measured {
        let mut points: Vec<(u32, Vec<Sample>)> =
            self.points.iter().map(|(point, ..)| (point.x, Vec::new())).collect();
        for round in 1..=plan.rounds {
            for ((point, subject, _), (_, rounds)) in self.points.iter().zip(&mut points) {
                let place = format!("{} {}", self.name, point.x);
                let deliveries = Arc::clone(&point.deliveries);
                match measure(subject, others, &deliveries, point.connections, plan.timing).await {
                    Ok(sample) => {
                        let sample = sample.of_lists(point.events);
                        let shown = FIGURES.map(|figure| figure.show(sample.get(figure)));
                        eprintln!("{place}, round {round}: {}", shown.join(", "));
                        rounds.push(sample);
                    }
                    Err(problem) => problems.push(format!("{place}: {problem}")),
                }
                store.empty().await;
            }
        }
        for (point, _, admin) in &self.points {
            let astray = hookway::astray(*admin).await;
            if astray > 0.0 {
                problems.push(format!("{} {}: {astray} events were not published", self.name, point.x));
            }
        }
        Measured { curve: self.name, points }
    }
}

fn print(all: &[Measured]) {
    println!("| by | | {} |", FIGURES.map(Figure::name).join(" | "));
    println!("|---|--:|{}", "--:|".repeat(FIGURES.len()));
    for Measured { curve, points } in all {
        for (x, rounds) in points {
            let spread = |figure: Figure| Spread::of(rounds.iter().map(|sample| sample.get(figure)));
            let cells = FIGURES.map(|figure| {
                let Spread { low, median, high } = spread(figure);
                format!("{} ({} to {})", figure.show(median), figure.show(low), figure.show(high))
            });
            println!("| {curve} | {x} | {} |", cells.join(" | "));
        }
    }
}

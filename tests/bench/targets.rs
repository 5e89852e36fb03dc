//! What Hookway is held to: ratios to a baseline of the same run, and bounds on its memory. Absolute figures say
//! more about the machine than about Hookway.

use crate::{
    measure::Sample,
    suite::{Findings, Kind, names},
};

/// What is compared.
#[derive(Debug, Clone, Copy)]
enum Figure {
    Rate,
    P50,
    Cpu,
    BrokerCpu,
}

impl Figure {
    fn name(self) -> &'static str {
        match self {
            Self::Rate => "events/s",
            Self::P50 => "p50, ms",
            Self::Cpu => "CPU per event, µs",
            Self::BrokerCpu => "broker CPU per event, µs",
        }
    }

    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::Rate => sample.rate,
            Self::P50 => sample.p50,
            Self::Cpu => sample.cpu,
            Self::BrokerCpu => sample.broker_cpu,
        }
    }

    /// A rate must not fall below its bound, all else must not rise above it.
    fn holds(self, ratio: f64, bound: f64) -> bool {
        if matches!(self, Self::Rate) { ratio >= bound } else { ratio <= bound }
    }

    fn sign(self) -> &'static str {
        if matches!(self, Self::Rate) { "≥" } else { "≤" }
    }
}

/// One line: kind, connections, figure, bound of the ratio, and the baseline.
type Target = (Kind, usize, Figure, f64, &'static str);

/// CPU is compared at the same batching: with 512 connections Hookway's is that of linger 5.
const RATIOS: [Target; 19] = [
    (Kind::Kafka, 1, Figure::P50, 1.15, names::LINGER_0),
    (Kind::Kafka, 1, Figure::Cpu, 1.25, names::LINGER_0),
    (Kind::Kafka, 64, Figure::Rate, 0.9, names::LINGER_0),
    (Kind::Kafka, 64, Figure::Cpu, 1.25, names::LINGER_0),
    (Kind::Kafka, 512, Figure::Rate, 0.85, names::LINGER_5),
    (Kind::Kafka, 512, Figure::Cpu, 1.25, names::LINGER_5),
    (Kind::Kafka, 512, Figure::BrokerCpu, 1.3, names::LINGER_5),
    (Kind::Nats, 1, Figure::Rate, 0.85, names::NATS),
    (Kind::Nats, 64, Figure::Rate, 0.85, names::NATS),
    (Kind::Nats, 512, Figure::Rate, 0.85, names::NATS),
    (Kind::Nats, 1, Figure::Cpu, 1.25, names::NATS),
    (Kind::Nats, 64, Figure::Cpu, 1.25, names::NATS),
    (Kind::Nats, 512, Figure::Cpu, 1.25, names::NATS),
    (Kind::Journal, 1, Figure::Rate, 0.8, names::DISK),
    (Kind::Journal, 64, Figure::Rate, 0.8, names::DISK),
    (Kind::Journal, 512, Figure::Rate, 0.8, names::DISK),
    (Kind::Journal, 1, Figure::Cpu, 1.25, names::JOURNAL),
    (Kind::Journal, 64, Figure::Cpu, 1.25, names::JOURNAL),
    (Kind::Journal, 512, Figure::Cpu, 1.25, names::JOURNAL),
];

/// Bounds on memory in megabytes: idle, at 512 connections, with 10 000 silent connections.
const MEMORY: [(&str, f64); 3] = [
    ("memory idle, MB", 20.0),
    ("peak memory at 512, MB", 64.0),
    ("memory with 10 000 silent connections, MB", 150.0),
];

/// One judged target, ready to be printed.
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) hookway: f64,
    pub(crate) baseline: Option<(f64, &'static str)>,
    pub(crate) ratio: Option<f64>,
    pub(crate) bound: String,
    pub(crate) met: bool,
}

/// Holds what was found to the targets; those of which a figure is missing are left out.
pub(crate) fn judge(findings: &Findings) -> Vec<Verdict> {
    let ratios = RATIOS.iter().filter(|target| target.0 == findings.kind);
    let memory = findings.footprint.map(|footprint| [footprint.idle, footprint.peak, footprint.connected]);
    ratios
        .filter_map(|target| ratio(findings, *target))
        .chain(memory.into_iter().flat_map(|figures| {
            MEMORY.iter().zip(figures).map(|((what, bound), figure)| Verdict {
                what: format!("{}: {what}", findings.kind),
                hookway: figure,
                baseline: None,
                ratio: None,
                bound: format!("≤ {bound}"),
                met: figure <= *bound,
            })
        }))
        .collect()
}

fn ratio(findings: &Findings, (kind, connections, figure, bound, against): Target) -> Option<Verdict> {
    let hookway = figure.of(&findings.get(connections, names::HOOKWAY)?);
    let baseline = figure.of(&findings.get(connections, against)?);
    let ratio = hookway / baseline;
    Some(Verdict {
        what: format!("{kind}, {connections} at once: {}", figure.name()),
        hookway,
        baseline: Some((baseline, against)),
        ratio: Some(ratio),
        bound: format!("{} {bound} ×", figure.sign()),
        met: figure.holds(ratio, bound),
    })
}

//! What Hookway is held to: ratios to a neighbour of the same round, and bounds on its memory. Absolute figures say more
//! about the machine than about Hookway.

use crate::{
    figure::{Figure, Sample, Spread},
    findings::Findings,
    scene::Scene::{self, Neighbour, OneCore, Shared},
    subjects::names,
    suite::Kind::{self, Journal, Kafka, Nats},
};
use Bound::{AtLeast, AtMost, Below};
use std::fmt;

/// What a ratio or a figure may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Below(bound) => value < bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(to, "≥ {bound}"),
            Self::AtMost(bound) => write!(to, "≤ {bound}"),
            Self::Below(bound) => write!(to, "< {bound}"),
        }
    }
}

/// One line: sink, scene, connections, figure, bound of the ratio, and whose figure Hookway's is divided by.
type Target = (Kind, Scene, &'static [usize], Figure, Bound, &'static str);

const EVERY_LOAD: &[usize] = &[1, 4, 16, 64, 512];

/// The bare handler with one runtime is the one whose linger suits the load.
const RATIOS: [Target; 18] = [
    (Kafka, Shared, &[1], Figure::P50, AtMost(1.1), names::LINGER_0),
    (Kafka, Shared, &[1], Figure::P50, Below(1.0), names::GO_KAFKA),
    (Kafka, Shared, &[4, 16], Figure::Rate, AtLeast(1.0), names::GO_KAFKA),
    (Kafka, Shared, &[64, 512], Figure::Rate, AtLeast(1.15), names::GO_KAFKA),
    (Kafka, Shared, &[64], Figure::Rate, AtLeast(1.0), names::LINGER_0),
    (Kafka, Shared, &[512], Figure::Rate, AtLeast(1.0), names::LINGER_5),
    (Kafka, Shared, EVERY_LOAD, Figure::Cpu, AtMost(0.8), names::GO_KAFKA),
    (Kafka, Shared, &[64, 512], Figure::P99, AtMost(1.0), names::GO_KAFKA),
    (Kafka, Shared, &[512], Figure::BrokerCpu, AtMost(1.2), names::GO_KAFKA),
    (Nats, Shared, EVERY_LOAD, Figure::Rate, AtLeast(1.2), names::GO_NATS),
    (Nats, Shared, EVERY_LOAD, Figure::Rate, AtLeast(0.85), names::NATS),
    (Journal, Shared, &[64, 512], Figure::Rate, AtLeast(0.8), names::JOURNAL),
    (Kafka, Shared, &[64, 512], Figure::Rate, AtMost(1.03), names::SPOOL),
    (Kafka, Shared, &[64, 512], Figure::Cpu, AtLeast(0.97), names::SPOOL),
    (Nats, Shared, &[64, 512], Figure::Rate, AtMost(1.03), names::SPOOL),
    (Nats, Shared, &[64, 512], Figure::Cpu, AtLeast(0.97), names::SPOOL),
    (Kafka, Neighbour, &[64], Figure::Rate, AtLeast(1.0), names::BESIDE),
    (Kafka, OneCore, &[64], Figure::Rate, AtLeast(1.0), names::BESIDE),
];

/// Bounds on memory in megabytes: idle, at 512 connections, with 10 000 silent connections.
const MEMORY: [(&str, Bound); 3] = [
    ("memory idle, MB", AtMost(20.0)),
    ("peak memory at 512, MB", AtMost(64.0)),
    ("memory with 10 000 silent connections, MB", AtMost(150.0)),
];

/// One judged target, ready to be printed.
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) hookway: String,
    /// The other's figure, and who it is.
    pub(crate) other: Option<(String, &'static str)>,
    pub(crate) ratio: Option<Spread>,
    pub(crate) bound: String,
    pub(crate) is_met: bool,
}

/// Holds what was found to the targets; those of which a figure is missing are left out.
pub(crate) fn judge(findings: &Findings) -> Vec<Verdict> {
    let memory = findings.footprint.map(|footprint| [footprint.idle, footprint.peak, footprint.connected]);
    let memory = memory.into_iter().flat_map(|figures| {
        MEMORY.iter().zip(figures).map(|((what, bound), figure)| Verdict {
            what: format!("{}: {what}", findings.place()),
            hookway: format!("{figure:.1}"),
            other: None,
            ratio: None,
            bound: bound.to_string(),
            is_met: bound.holds(figure),
        })
    });
    let ratios = RATIOS.iter().filter(|target| (target.0, target.1) == (findings.kind, findings.scene));
    ratios
        .flat_map(|target| target.2.iter().filter_map(|load| ratio(findings, *load, target)))
        .chain(memory)
        .collect()
}

fn ratio(findings: &Findings, connections: usize, target: &Target) -> Option<Verdict> {
    let (_, _, _, figure, bound, against) = *target;
    let hookway = findings.get(connections, names::HOOKWAY)?;
    let other = findings.get(connections, against)?;
    let ratio = Spread::ratio(figure, hookway, other);
    let show = |samples| figure.show(Sample::median(samples).get(figure));
    (!ratio.median.is_nan()).then(|| Verdict {
        what: format!("{}, {connections} at once: {}", findings.place(), figure.name()),
        hookway: show(hookway),
        other: Some((show(other), against)),
        ratio: Some(ratio),
        bound: format!("{bound} ×"),
        is_met: bound.holds(ratio.median),
    })
}

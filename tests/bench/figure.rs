//! What one measurement yields, the median of several, and how far they lie apart.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

/// One figure of a measurement. Latencies are in milliseconds, processor times in microseconds per event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    /// Events accepted per second.
    Rate,
    P50,
    P90,
    P99,
    Max,
    /// Of the subject.
    Cpu,
    /// Of the broker.
    BrokerCpu,
    /// Of the load generator.
    GeneratorCpu,
    /// How often a thread of the subject slept and was woken, per event.
    WakeUps,
    /// How often a thread of the subject had to make way for another, per event.
    Preemptions,
    /// Cores that none of them had: what else ran on the machine.
    Others,
}

impl Figure {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 11] = [
        Self::Rate,
        Self::P50,
        Self::P90,
        Self::P99,
        Self::Max,
        Self::Cpu,
        Self::BrokerCpu,
        Self::GeneratorCpu,
        Self::WakeUps,
        Self::Preemptions,
        Self::Others,
    ];

    /// Returns the figure's name with its unit.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rate => "events/s",
            Self::P50 => "p50 ms",
            Self::P90 => "p90 ms",
            Self::P99 => "p99 ms",
            Self::Max => "max ms",
            Self::Cpu => "CPU µs",
            Self::BrokerCpu => "broker CPU µs",
            Self::GeneratorCpu => "generator CPU µs",
            Self::WakeUps => "wake-ups",
            Self::Preemptions => "preemptions",
            Self::Others => "other cores",
        }
    }

    /// Writes a value of the figure; a dash for what was not measured.
    pub(crate) fn show(self, value: f64) -> String {
        let decimals = match self {
            Self::Rate => 0,
            Self::Cpu | Self::BrokerCpu | Self::GeneratorCpu => 1,
            Self::P50
            | Self::P90
            | Self::P99
            | Self::Max
            | Self::WakeUps
            | Self::Preemptions
            | Self::Others => 2,
        };
        if value.is_nan() { "–".to_owned() } else { format!("{value:.decimals$}") }
    }
}

/// The figures of one measurement; what was not measured is missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(BTreeMap<Figure, f64>);

impl Sample {
    /// Returns a figure; not a number where it is missing.
    pub(crate) fn get(&self, figure: Figure) -> f64 {
        self.0.get(&figure).copied().unwrap_or(f64::NAN)
    }

    /// Returns the figures per event where each delivery holds so many; latencies stay the delivery's.
    pub(crate) fn of_lists(mut self, events: u32) -> Self {
        let events = f64::from(events);
        for (figure, value) in &mut self.0 {
            match figure {
                Figure::Rate => *value *= events,
                Figure::P50 | Figure::P90 | Figure::P99 | Figure::Max | Figure::Others => {}
                Figure::Cpu
                | Figure::BrokerCpu
                | Figure::GeneratorCpu
                | Figure::WakeUps
                | Figure::Preemptions => *value /= events,
            }
        }
        self
    }

    /// Returns the median of every figure by itself.
    pub(crate) fn median(samples: &[Self]) -> Self {
        let median = |figure| Spread::of(samples.iter().map(|sample| sample.get(figure))).median;
        Figure::ALL.into_iter().map(|figure| (figure, median(figure))).collect()
    }
}

impl FromIterator<(Figure, f64)> for Sample {
    fn from_iter<T: IntoIterator<Item = (Figure, f64)>>(figures: T) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl Extend<(Figure, f64)> for Sample {
    fn extend<T: IntoIterator<Item = (Figure, f64)>>(&mut self, figures: T) {
        self.0.extend(figures);
    }
}

/// The median of some figures, the lowest and the highest of them; not numbers where there are none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Takes what is a number.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.filter(|figure| !figure.is_nan()).collect();
        figures.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
        let (Some(low), Some(high)) = (figures.first(), figures.last()) else {
            return Self { low: f64::NAN, median: f64::NAN, high: f64::NAN };
        };
        let (lower, upper) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        Self { low: *low, median: f64::midpoint(lower, upper), high: *high }
    }

    /// Returns the ratios of one subject's figure to another's, each within its round.
    pub(crate) fn ratio(figure: Figure, ours: &[Sample], theirs: &[Sample]) -> Self {
        Self::of(ours.iter().zip(theirs).map(|(ours, theirs)| ours.get(figure) / theirs.get(figure)))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, median, high } = self;
        if median.is_nan() { to.write_str("–") } else { write!(to, "{median:.2} ({low:.2} to {high:.2})") }
    }
}

//! Makes families of series and registers them.

use super::family::{Counters, Family, Gauges, Histograms};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, Result,
    core::Collector,
};

/// Where families are registered.
pub(super) struct Register<'r>(pub(super) &'r Registry);

type Words = &'static [&'static str];

impl Register<'_> {
    pub(super) fn keep<C: Collector + Clone + 'static>(&self, collector: Result<C>) -> Result<C> {
        let collector = collector?;
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> Result<IntCounter> {
        self.keep(IntCounter::new(name, help))
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.keep(IntGauge::new(name, help))
    }

    pub(super) fn counters(&self, name: &'static str, help: &'static str, labels: Words) -> Result<Counters> {
        self.keep(Family::one(move || IntCounterVec::new(Opts::new(name, help), labels)))
    }

    pub(super) fn gauges(&self, name: &'static str, help: &'static str, labels: Words) -> Result<Gauges> {
        self.keep(Family::one(move || IntGaugeVec::new(Opts::new(name, help), labels)))
    }

    pub(super) fn histograms(
        &self,
        name: &'static str,
        help: &'static str,
        labels: Words,
        buckets: &'static [f64],
    ) -> Result<Histograms> {
        self.keep(Family::one(move || histograms(name, help, labels, buckets)))
    }

    /// For what every request counts.
    pub(super) fn spread_counters(
        &self,
        name: &'static str,
        help: &'static str,
        labels: Words,
    ) -> Result<Counters> {
        self.keep(Family::spread(move || IntCounterVec::new(Opts::new(name, help), labels)))
    }

    /// For what every request takes.
    pub(super) fn spread_histograms(
        &self,
        name: &'static str,
        help: &'static str,
        labels: Words,
        buckets: &'static [f64],
    ) -> Result<Histograms> {
        self.keep(Family::spread(move || histograms(name, help, labels, buckets)))
    }
}

fn histograms(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Result<HistogramVec> {
    HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)
}

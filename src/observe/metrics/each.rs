//! What every request counts: one of the same series for each worker. One that all write would travel from core to core with
//! each request.

use super::family::{Family, Vector, boxed};
use crate::workers;
use prometheus::{HistogramVec, IntCounterVec};
use std::{
    fmt,
    iter::once,
    sync::{Arc, OnceLock},
};

/// One series, once for each worker.
pub struct Each<V: Vector>(Arc<Own<V>>);

struct Own<V: Vector> {
    family: Family<V>,
    labels: Box<[Box<str>]>,
    /// Made by the first who needs it, the first of all at once, so that the series exists.
    series: Box<[OnceLock<V::One>]>,
}

/// One counter.
pub type EachCounter = Each<IntCounterVec>;

/// One histogram.
pub(super) type EachHistogram = Each<HistogramVec>;

impl<V: Vector> Family<V> {
    /// Returns the series with these values of its labels for all workers.
    pub(super) fn each(&self, labels: &[&str]) -> Each<V> {
        let labels = boxed(labels);
        let first = OnceLock::from(self.of(0, &labels));
        let others = (1..self.width()).map(|_| OnceLock::new());
        let series = once(first).chain(others).collect();
        Each(Arc::new(Own { family: self.clone(), labels, series }))
    }
}

impl<V: Vector> Each<V> {
    fn here(&self) -> Option<&V::One> {
        let Own { family, labels, series } = &*self.0;
        let worker = workers::number().checked_rem(series.len())?;
        Some(series.get(worker)?.get_or_init(|| family.of(worker, labels)))
    }
}

impl EachCounter {
    /// Counts one more.
    pub fn inc(&self) {
        self.inc_by(1);
    }

    /// Counts so many more.
    pub fn inc_by(&self, count: u64) {
        if let Some(own) = self.here() {
            own.inc_by(count);
        }
    }
}

impl EachHistogram {
    /// Notes a value.
    pub(super) fn observe(&self, value: f64) {
        if let Some(own) = self.here() {
            own.observe(value);
        }
    }
}

impl<V: Vector> Clone for Each<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Vector> fmt::Debug for Each<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::family::{Counters, Histograms},
        *,
    };
    use crate::workers::Workers;
    use prometheus::{HistogramOpts, Opts, core::Collector as _, proto};
    use std::num::NonZeroUsize;

    #[test]
    fn what_each_worker_counts_is_added_up() {
        let make = || IntCounterVec::new(Opts::new("n", "N"), &["a", "b"]);
        let counters = Counters::spread(make).unwrap();
        let make = || HistogramVec::new(HistogramOpts::new("h", "H").buckets(vec![1.0, 2.0]), &[]);
        let histograms = Histograms::spread(make).unwrap();
        let one = Arc::new((counters.each(&["x", "y"]), histograms.each(&[])));
        let other = counters.each(&["xy", ""]);
        other.inc();
        let workers = Workers::start(NonZeroUsize::new(4).unwrap()).unwrap();
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let seats: Vec<_> = (0..4).map(|_| workers.seat().unwrap()).collect();
        for (number, seat) in (0_u32..).zip(&seats) {
            let (one, tell) = (Arc::clone(&one), tell.clone());
            seat.runtime.spawn(async move {
                one.0.inc_by(u64::from(number) + 1);
                one.1.observe(f64::from(number));
                drop(tell);
            });
        }
        drop(tell);
        assert!(told.recv().is_err());
        let [family] = &*counters.collect() else { panic!("one family") };
        let name = |one: &proto::Metric| {
            one.get_label().iter().map(|label| label.value().to_owned()).collect::<Vec<_>>()
        };
        let values: Vec<_> =
            family.get_metric().iter().map(|one| (name(one), one.get_counter().get_value())).collect();
        let sum = values.iter().find(|(name, _)| *name == ["x", "y"]).unwrap().1;
        assert!((sum - 10.0).abs() < 0.1, "{values:?}");
        assert_eq!(values.len(), 2);
        let [family] = &*histograms.collect() else { panic!("one family") };
        let [one] = family.get_metric() else { panic!("one series") };
        let one = one.get_histogram();
        let buckets: Vec<u64> = one.get_bucket().iter().map(proto::Bucket::cumulative_count).collect();
        assert_eq!((one.get_sample_count(), buckets), (4, vec![2, 3]));
        assert!((one.get_sample_sum() - 6.0).abs() < 0.1);
    }
}

//! A family of series: one for each set of values of its labels; what every request counts exists once for each worker
//! ([`super::each`]), and is added up when somebody looks.
//!
//! The library finds a series by a hash of its values without a mark between them, so that the source `a` with the sink
//! `bc` is the source `ab` with the sink `c`. So what it returns is looked at, and such a series gets a family of its own.

use parking_lot::Mutex;
use prometheus::{
    HistogramVec, IntCounterVec, IntGaugeVec,
    core::{Collector, Desc, Metric as _, MetricVec, MetricVecBuilder},
    proto,
};
use std::{collections::HashMap, fmt, iter::once, sync::Arc, thread::available_parallelism};

/// More workers than that share.
const MOST: usize = 16;

/// A family of series.
pub(super) struct Family<V>(Arc<Inner<V>>);

struct Inner<V> {
    make: Box<dyn Fn() -> prometheus::Result<V> + Send + Sync>,
    /// The first worker's, or the only one.
    shard: Shard<V>,
    /// Those of the other workers.
    others: Box<[Shard<V>]>,
}

/// The family, and one more for each series that the library takes for another.
struct Shard<V> {
    family: V,
    more: Mutex<Vec<V>>,
}

pub(super) type Counters = Family<IntCounterVec>;
pub(super) type Gauges = Family<IntGaugeVec>;
pub(super) type Histograms = Family<HistogramVec>;

/// A family as the library has it.
pub trait Vector: Collector {
    /// One of its series.
    type One;

    /// Returns the series that the library takes for the one with these values of its labels.
    fn taken(&self, labels: &[Box<str>]) -> Self::One;

    /// Tells whether it has these values.
    fn has(&self, one: &Self::One, labels: &[Box<str>]) -> bool;
}

impl<T: MetricVecBuilder> Vector for MetricVec<T> {
    type One = T::M;

    fn taken(&self, labels: &[Box<str>]) -> T::M {
        self.with_label_values(labels)
    }

    fn has(&self, one: &T::M, labels: &[Box<str>]) -> bool {
        let series = one.metric();
        let names = self.desc().into_iter().flat_map(|family| &family.variable_labels);
        let mut wanted = names.zip(labels);
        wanted.all(|(name, value)| {
            series.get_label().iter().any(|label| label.name() == name && label.value() == &**value)
        })
    }
}

impl<V: Vector> Family<V> {
    /// Makes a family whose series exist once.
    pub(super) fn one(
        make: impl Fn() -> prometheus::Result<V> + Send + Sync + 'static,
    ) -> prometheus::Result<Self> {
        Self::new(1, make)
    }

    /// Makes a family whose series exist once for each core that the process may use.
    pub(super) fn spread(
        make: impl Fn() -> prometheus::Result<V> + Send + Sync + 'static,
    ) -> prometheus::Result<Self> {
        Self::new(available_parallelism().map_or(1, usize::from).min(MOST), make)
    }

    fn new(
        count: usize,
        make: impl Fn() -> prometheus::Result<V> + Send + Sync + 'static,
    ) -> prometheus::Result<Self> {
        let shard = || make().map(|family| Shard { family, more: Mutex::default() });
        let (first, others) = (shard()?, (1..count).map(|_| shard()).collect::<prometheus::Result<_>>()?);
        Ok(Self(Arc::new(Inner { make: Box::new(make), shard: first, others })))
    }

    /// Returns the series with these values of its labels, of a family whose series exist once.
    pub(super) fn with_label_values(&self, labels: &[&str]) -> V::One {
        self.of(0, &boxed(labels))
    }

    /// For how many workers its series exist.
    pub(super) fn width(&self) -> usize {
        self.0.others.len() + 1
    }

    /// Returns this worker's series with these values of its labels.
    pub(super) fn of(&self, worker: usize, labels: &[Box<str>]) -> V::One {
        let other = worker.checked_sub(1).and_then(|other| self.0.others.get(other));
        self.0.of(other.unwrap_or(&self.0.shard), labels)
    }
}

impl<V: Vector> Inner<V> {
    fn of(&self, shard: &Shard<V>, labels: &[Box<str>]) -> V::One {
        let taken = shard.family.taken(labels);
        if shard.family.has(&taken, labels) {
            return taken;
        }
        let mut more = shard.more.lock();
        let known = more.iter().map(|family| (family, family.taken(labels)));
        if let Some((_, one)) = known.into_iter().find(|(family, one)| family.has(one, labels)) {
            return one;
        }
        // It was made before, and so can be again.
        let Ok(family) = (self.make)() else { return taken };
        let one = family.taken(labels);
        more.push(family);
        one
    }
}

/// Returns values of labels to keep.
pub(super) fn boxed(labels: &[&str]) -> Box<[Box<str>]> {
    labels.iter().map(|label| (*label).into()).collect()
}

impl<V> Clone for Family<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> fmt::Debug for Family<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").finish_non_exhaustive()
    }
}

impl<V: Vector> Collector for Family<V> {
    fn desc(&self) -> Vec<&Desc> {
        self.0.shard.family.desc()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let of_shard = |shard: &Shard<V>| {
            let more = shard.more.lock();
            once(&shard.family).chain(&*more).flat_map(V::collect).collect::<Vec<_>>()
        };
        let mut all = once(&self.0.shard).chain(&self.0.others).flat_map(of_shard);
        let Some(mut sum) = all.next() else { return Vec::new() };
        let mut series = sum.take_metric();
        let mut places: HashMap<String, usize> =
            series.iter().enumerate().map(|(place, one)| (name(one), place)).collect();
        for one in all.flat_map(|mut family| family.take_metric()) {
            let place = *places.entry(name(&one)).or_insert(series.len());
            if let Some(known) = series.get_mut(place) {
                add(known, &one);
            } else {
                series.push(one);
            }
        }
        sum.set_metric(series);
        vec![sum]
    }
}

/// What tells a series from the others of its family.
fn name(series: &proto::Metric) -> String {
    series.get_label().iter().flat_map(|label| [label.value(), "\0"]).collect()
}

/// Adds up what counters and histograms say; a gauge exists once.
fn add(sum: &mut proto::Metric, other: &proto::Metric) {
    let mut counter = proto::Counter::default();
    counter.set_value(sum.get_counter().get_value() + other.get_counter().get_value());
    sum.set_counter(counter);
    let (one, other) = (sum.get_histogram(), other.get_histogram());
    let mut histogram = proto::Histogram::default();
    histogram.set_sample_count(one.get_sample_count() + other.get_sample_count());
    histogram.set_sample_sum(one.get_sample_sum() + other.get_sample_sum());
    let buckets = one.get_bucket().iter().zip(other.get_bucket()).map(|(one, other)| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(one.upper_bound());
        bucket.set_cumulative_count(one.cumulative_count() + other.cumulative_count());
        bucket
    });
    histogram.set_bucket(buckets.collect());
    sum.set_histogram(histogram);
}

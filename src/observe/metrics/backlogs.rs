//! What waits on disk, and what became of it: read from each destination when somebody looks, all numbers of one at the same
//! moment, so that they add up.

use super::family::{Counters, Gauges};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Weak},
};

/// Records of one destination since the start, and those that wait now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlogged {
    /// Taken in.
    pub spooled: u64,
    /// Found at the start.
    pub inherited: u64,
    /// Acknowledged by their destination from here.
    pub published: u64,
    /// Acknowledged by their destination at their first attempt, while they stood here already.
    pub late: u64,
    /// Put into the quarantine.
    pub quarantined: u64,
    /// Found damaged, or missing.
    pub lost: u64,
    /// Numbers under which no record that was promised ever stood.
    pub void: u64,
    /// Those that wait.
    pub pending: u64,
    /// Their bytes on disk, with what goes with them.
    pub bytes: u64,
    /// When the oldest of them was received, in milliseconds since 1970 UTC; `None` where none waits.
    pub oldest_ms: Option<i64>,
    /// True while events for the destination wait here behind others.
    pub is_waiting: bool,
    /// True while some wait for what only an operator can mend.
    pub is_held: bool,
}

/// A destination's backlog.
pub trait Shown: Send + Sync {
    /// Returns its numbers of this moment.
    fn figures(&self) -> Backlogged;
}

/// The families of all backlogs.
#[derive(Debug, Clone)]
pub(super) struct Families {
    pub(super) taken: Counters,
    pub(super) settled: Counters,
    pub(super) pending: Gauges,
    pub(super) bytes: Gauges,
    pub(super) oldest: Gauges,
    pub(super) waiting: Gauges,
    pub(super) held: Gauges,
}

/// Sink and destination.
type Label = (String, String);

/// Every backlog of the process.
#[derive(Clone, Default)]
pub struct Backlogs(Arc<Mutex<Vec<Labelled>>>);

type Labelled = (Label, Weak<dyn Shown>);

impl fmt::Debug for Backlogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backlogs").field(&self.0.lock().len()).finish()
    }
}

impl Backlogs {
    /// Has a backlog shown under the names of its sink and its destination; several may have the same.
    pub fn show(&self, sink: &str, destination: &str, shown: Weak<dyn Shown>) {
        self.0.lock().push(((sink.to_owned(), destination.to_owned()), shown));
    }

    /// Returns the numbers of all, added up.
    pub fn sum(&self) -> Backlogged {
        let all = self.0.lock();
        let figures = all.iter().filter_map(|(_, shown)| shown.upgrade()).map(|shown| shown.figures());
        figures.fold(Backlogged::default(), Backlogged::and)
    }

    /// Writes the numbers of all into their families, and returns how many records are unaccounted for.
    pub(super) fn write(&self, families: &Families) -> u64 {
        let mut sums: BTreeMap<Label, Backlogged> = BTreeMap::new();
        let (mut waiting, mut held): (BTreeMap<Label, i64>, BTreeMap<Label, i64>) = Default::default();
        let all = self.0.lock();
        for (label, shown) in all.iter() {
            let Some(figures) = shown.upgrade().map(|shown| shown.figures()) else { continue };
            *waiting.entry(label.clone()).or_default() += i64::from(figures.is_waiting);
            *held.entry(label.clone()).or_default() += i64::from(figures.is_held);
            let sum = sums.entry(label.clone()).or_default();
            *sum = sum.and(figures);
        }
        let mut missing = 0;
        for ((sink, lane), sum) in &sums {
            let labels = [sink.as_str(), lane.as_str()];
            let label = |last| [sink.as_str(), lane.as_str(), last];
            for (how, count) in [("spooled", sum.spooled), ("inherited", sum.inherited)] {
                raise(&families.taken, &label(how), count);
            }
            for (result, count) in sum.settled() {
                raise(&families.settled, &label(result), count);
            }
            let set = |family: &Gauges, value: u64| {
                family.with_label_values(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
            };
            set(&families.pending, sum.pending);
            set(&families.bytes, sum.bytes);
            let oldest = sum.oldest_ms.map_or(0, |ms| ms.div_euclid(1000));
            families.oldest.with_label_values(&labels).set(oldest);
            let count = |of: &BTreeMap<Label, i64>| of.get(&(sink.clone(), lane.clone())).copied();
            families.waiting.with_label_values(&labels).set(count(&waiting).unwrap_or_default());
            families.held.with_label_values(&labels).set(count(&held).unwrap_or_default());
            missing += sum.unaccounted();
        }
        missing
    }
}

/// Has a counter show a number that only grows.
fn raise(family: &Counters, labels: &[&str], to: u64) {
    let counter = family.with_label_values(labels);
    counter.inc_by(to.saturating_sub(counter.get()));
}

impl Backlogged {
    /// Returns where records went, by its name.
    fn settled(&self) -> [(&'static str, u64); 5] {
        [
            ("published", self.published),
            ("late", self.late),
            ("quarantined", self.quarantined),
            ("lost", self.lost),
            ("void", self.void),
        ]
    }

    /// Returns how many records went nowhere and wait nowhere; anything above 0 is a bug.
    pub fn unaccounted(&self) -> u64 {
        let settled: u64 = self.settled().iter().map(|(_, count)| count).sum();
        (self.spooled + self.inherited).saturating_sub(settled + self.pending)
    }

    fn and(self, other: Self) -> Self {
        Self {
            spooled: self.spooled + other.spooled,
            inherited: self.inherited + other.inherited,
            published: self.published + other.published,
            late: self.late + other.late,
            quarantined: self.quarantined + other.quarantined,
            lost: self.lost + other.lost,
            void: self.void + other.void,
            pending: self.pending + other.pending,
            bytes: self.bytes + other.bytes,
            oldest_ms: [self.oldest_ms, other.oldest_ms].into_iter().flatten().min(),
            is_waiting: self.is_waiting || other.is_waiting,
            is_held: self.is_held || other.is_held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::metrics::Metrics;

    impl Shown for Mutex<Backlogged> {
        fn figures(&self) -> Backlogged {
            *self.lock()
        }
    }

    #[test]
    fn lanes_of_one_name_are_added_up_and_what_is_missing_is_told() {
        let metrics = Metrics::new().unwrap();
        let figures = |spooled, published, pending, oldest_ms| {
            let waits = pending > 0;
            Backlogged { spooled, published, pending, oldest_ms, is_waiting: waits, ..Backlogged::default() }
        };
        let first = Arc::new(Mutex::new(figures(5, 2, 3, Some(7000))));
        let second = Arc::new(Mutex::new(figures(4, 4, 0, None)));
        for lane in [&first, &second] {
            let shown: Weak<Mutex<Backlogged>> = Arc::downgrade(lane);
            metrics.backlogs.show("bus", "*", shown);
        }
        let text = metrics.render().unwrap();
        for line in [
            r#"hookway_spool_taken_records_total{how="spooled",lane="*",sink="bus"} 9"#,
            r#"hookway_spool_settled_records_total{lane="*",result="published",sink="bus"} 6"#,
            r#"hookway_spool_pending_records{lane="*",sink="bus"} 3"#,
            r#"hookway_spool_oldest_timestamp_seconds{lane="*",sink="bus"} 7"#,
            r#"hookway_lanes_spooling{lane="*",sink="bus"} 1"#,
            "hookway_unaccounted_events 0",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        first.lock().pending = 1;
        assert!(metrics.render().unwrap().contains("hookway_unaccounted_events 2"));
    }
}

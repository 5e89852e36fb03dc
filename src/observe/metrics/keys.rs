//! Which of a source's secrets its sender uses: so that one can see when the old one of a rotation falls silent.

use super::{Metrics, each::EachCounter};
use jiff::Timestamp;
use prometheus::IntGauge;

/// The counters of one source's secrets, in the order of the configuration.
#[derive(Debug)]
pub(super) struct Keys(Vec<(EachCounter, IntGauge)>);

impl Keys {
    /// Makes the series of `count` secrets; they are numbered from 1.
    pub(super) fn new(metrics: &Metrics, source: &str, count: usize) -> Self {
        let series = |number: usize| {
            let labels = [source, &number.to_string()];
            (metrics.secret_matches.each(&labels), metrics.secret_last_match.with_label_values(&labels))
        };
        Self((1..=count).map(series).collect())
    }

    /// Notes that the secret at `place`, from 0, proved a request.
    pub(super) fn matched(&self, place: usize, at: Timestamp) {
        // Keys of the sender's document are not counted: nobody rotates them here.
        if let Some((matches, last)) = self.0.get(place) {
            matches.inc();
            last.set(at.as_second());
        }
    }
}

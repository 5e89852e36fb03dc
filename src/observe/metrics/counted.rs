//! Counts what is under way: connections, requests, events.

use prometheus::IntGauge;

/// One of them, until it is dropped: however its task ends.
#[derive(Debug)]
pub struct Counted<'a>(&'a IntGauge);

impl<'a> Counted<'a> {
    /// Counts one more.
    pub fn new(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

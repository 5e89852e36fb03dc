//! The destinations of one sink, each a [`Lane`]: one that is down holds up no other. All share the sink's [`Room`].

use super::{Publisher, Sink, lane::Lane, room::Room};
use crate::{
    observe::metrics::SinkMetrics,
    record::{Ack, PublishError, Record},
};
use prometheus::IntGauge;
use std::{
    iter::repeat_with,
    sync::{Arc, OnceLock},
};
use tokio::time::Instant;

/// Names that a sender's text makes and that have a lane of their own; more share one.
const MOST_NAMED: usize = 64;

/// Label of all lanes that no route names.
const UNNAMED: &str = "*";

/// A destination's place, free until the first record for it.
type Place = OnceLock<(Arc<str>, Lane)>;

/// The lanes of one sink.
#[derive(Debug)]
pub(super) struct Lanes {
    /// Destinations with a lane of their own, in the order in which they came; empty where all are one.
    own: Box<[Place]>,
    /// All other destinations.
    shared: Lane,
    room: Room,
    sink: String,
    shown: IntGauge,
}

impl Lanes {
    pub(super) fn new(sink: &str, publisher: &dyn Publisher, metrics: &SinkMetrics) -> Self {
        let shown = metrics.lane_down(UNNAMED);
        let named = |name: &String| {
            let lane = Lane::new(format!("{sink}: {name}"), metrics.lane_down(name));
            Place::from((Arc::from(name.as_str()), lane))
        };
        let own = publisher
            .destinations()
            .map(|names| names.iter().map(named).chain(repeat_with(Place::new).take(MOST_NAMED)).collect());
        let shared = Lane::new(sink.to_owned(), shown.clone());
        Self { own: own.unwrap_or_default(), shared, room: Room::default(), sink: sink.to_owned(), shown }
    }

    /// Hands a record over, unless its destination is down, or too much waits in the sink already.
    pub(super) async fn hand_over(
        &self,
        sink: &Sink,
        destination: &Arc<str>,
        record: Record,
        now: Instant,
    ) -> Result<Ack, PublishError> {
        let attempt = self.find(destination).begin(now)?;
        let _share = self.room.take(&record).ok_or(PublishError::Saturated)?;
        let result = sink.publisher.publish(record).await;
        attempt.ended(&result, Instant::now());
        result
    }

    /// Returns a destination's lane, which stays the same as long as the process lives.
    fn find(&self, destination: &Arc<str>) -> &Lane {
        let make = || {
            let name = format!("{}: {destination}", self.sink);
            (Arc::clone(destination), Lane::new(name, self.shown.clone()))
        };
        // A few dozen names at most, and most of them the very same text.
        let mut lanes = self.own.iter().map(|place| place.get_or_init(make));
        lanes.find(|(name, _)| name == destination).map_or(&self.shared, |(_, lane)| lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{observe::metrics::Metrics, publish::Prepared};
    use futures_util::future::BoxFuture;
    use std::ptr;

    /// Stands for a sink of topics, or one whose destinations are one.
    struct Named(Option<Vec<String>>);

    impl Publisher for Named {
        fn publish(&self, _: Record) -> BoxFuture<'_, Result<Ack, PublishError>> {
            Box::pin(async { Ok(Ack::File) })
        }

        fn destinations(&self) -> Option<&[String]> {
            self.0.as_deref()
        }

        fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
            Box::pin(async { Ok(Prepared::default()) })
        }

        fn flush(&self) -> BoxFuture<'_, ()> {
            Box::pin(async {})
        }
    }

    fn lanes(names: Option<&[&str]>) -> Lanes {
        let names = names.map(|names| names.iter().map(ToString::to_string).collect());
        Lanes::new("bus", &Named(names), &SinkMetrics::new(&Metrics::new().unwrap(), "bus"))
    }

    #[test]
    fn each_name_has_its_lane_for_good_and_what_are_too_many_share_one() {
        let lanes = lanes(Some(&["orders", "refunds"]));
        let names: Vec<Arc<str>> = (0..MOST_NAMED + 2).map(|n| format!("t{n}").into()).collect();
        let find = |name: &str| lanes.find(&name.into());
        let first: Vec<&Lane> = names.iter().map(|name| find(name)).collect();
        assert!(names.iter().zip(&first).all(|(name, lane)| ptr::eq(find(name), *lane)));
        let own = &first[..MOST_NAMED];
        assert!(
            own.iter()
                .enumerate()
                .all(|(at, lane)| !own[..at].iter().any(|other| ptr::eq::<Lane>(*other, *lane)))
        );
        assert!(first[MOST_NAMED..].iter().all(|lane| ptr::eq::<Lane>(*lane, &raw const lanes.shared)));
        assert!(!ptr::eq(find("orders"), find("refunds")));
        assert!(!ptr::eq(find("orders"), &raw const lanes.shared));
    }

    #[test]
    fn a_sink_whose_destinations_are_one_has_one_lane() {
        let lanes = lanes(None);
        assert!(ptr::eq(lanes.find(&"a".into()), lanes.find(&"b".into())));
    }
}

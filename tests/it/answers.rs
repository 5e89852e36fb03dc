//! Each answer that a sink can give, at each place that a sink can have: alone, beside another, as the quarantine. What the
//! sender hears, what is stored where, and that a retry mends all that a retry can mend.

use crate::{bridge::Bridge, doubles::Fault, samples::event};
use hookway::{
    event::Reason,
    record::PublishError::{
        self, Disk, Down, Full, Misconfigured, Refused, Rejected, Saturated, TooLarge, Unavailable,
        Unprepared, Unroutable,
    },
};

const BOTH: &str = "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
sinks:
  kept: { journal: { dir: $home/kept } }
  second: { journal: { dir: $home/second } }
  aside: { journal: { dir: $home/aside } }
routes: [ { to: [ { sink: kept }, { sink: second } ] } ]
quarantine: { sink: aside }
";

/// A constructor of every answer but the one that has no text.
type Answer = fn(String) -> PublishError;

/// Every answer with its label, and what the quarantine says where it keeps the event.
const ANSWERS: [(Answer, &str, Option<Reason>); 11] = [
    (Unprepared, "unprepared", None),
    (Unavailable, "connection", None),
    (|_| Down { seconds: 4 }, "down", None),
    (|_| Saturated, "queue_full", None),
    (Misconfigured, "unknown_destination", None),
    (Refused, "refused", None),
    (Full, "full", None),
    (Disk, "io", None),
    (TooLarge, "too_large", Some(Reason::TooLarge)),
    (Rejected, "rejected", Some(Reason::Rejected)),
    (Unroutable, "unroutable", Some(Reason::Unroutable)),
];

fn said(answer: Answer) -> Fault {
    Fault::Fails(answer("planted".to_owned()))
}

fn ids(bridge: &Bridge, sink: &str) -> Vec<String> {
    bridge.stored(sink).iter().map(|event| event.envelope["id"].as_str().unwrap().to_owned()).collect()
}

/// Holds the answer to its label, in the metrics and in the list of all labels.
fn is_counted(bridge: &Bridge, sink: &str, label: &str, is_hopeless: bool) {
    assert!(PublishError::REASONS.contains(&label));
    let attempts =
        |result: &str| bridge.count("hookway_delivery_attempts_total", &[("sink", sink), ("result", result)]);
    let (fatal, retriable) = if is_hopeless { (1, 0) } else { (0, 1) };
    assert_eq!((attempts("fatal"), attempts("retriable"), attempts("ok")), (fatal, retriable, 0), "{label}");
    assert_eq!(bridge.count("hookway_delivery_errors_total", &[("sink", sink), ("reason", label)]), 1);
    assert_eq!(bridge.count("hookway_delivery_errors_total", &[("sink", sink)]), 1, "and nothing else");
}

#[tokio::test]
async fn alone_a_sink_that_may_take_it_later_leaves_the_event_with_its_sender() {
    for (answer, label, kept_as) in ANSWERS {
        let bridge = Bridge::ordinary().await;
        bridge.sink("kept").becomes(said(answer));
        let reply = bridge.send(&event("1")).await;
        is_counted(&bridge, "kept", label, kept_as.is_some());
        match kept_as {
            None => {
                assert_eq!((reply.status, reply.code().as_str()), (503, "sink_unavailable"), "{label}");
                assert!(bridge.logs.lines("refused").iter().any(|line| line["reason"] == label), "{label}");
                assert_eq!(ids(&bridge, "aside"), [""; 0], "{label}");
            }
            Some(reason) => {
                assert_eq!((reply.status, reply.event_id()), (200, "1"), "{label}");
                let aside = bridge.stored("aside");
                assert_eq!(aside.len(), 1);
                assert_eq!(aside[0].envelope["hookwayreason"], reason.name());
                assert!(aside[0].envelope["hookwaydetail"].as_str().unwrap().contains("planted"), "{label}");
            }
        }
        bridge.sink("kept").becomes(Fault::None);
        let reply = bridge.send(&event("1")).await;
        assert_eq!((reply.status, reply.event_id()), (200, "1"), "{label}");
        // What stands in the quarantine is there: a retry adds it nowhere.
        let is_in_quarantine = kept_as.is_some();
        assert_eq!(ids(&bridge, "kept").len(), usize::from(!is_in_quarantine), "{label}");
        assert_eq!(ids(&bridge, "aside").len(), usize::from(is_in_quarantine), "{label}");
        assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
    }
}

#[tokio::test]
async fn beside_another_sink_a_retry_fills_only_the_gap() {
    for (answer, label, kept_as) in ANSWERS {
        let bridge = Bridge::start(BOTH).await;
        bridge.sink("second").becomes(said(answer));
        let reply = bridge.send(&event("1")).await;
        is_counted(&bridge, "second", label, kept_as.is_some());
        assert_eq!(ids(&bridge, "kept"), ["1"], "{label}: the healthy sink has it at once");
        assert_eq!(reply.status, if kept_as.is_some() { 200 } else { 503 }, "{label}");
        assert_eq!(ids(&bridge, "aside").len(), usize::from(kept_as.is_some()), "{label}");
        bridge.sink("second").becomes(Fault::None);
        assert_eq!(bridge.send(&event("1")).await.status, 200, "{label}");
        assert_eq!(ids(&bridge, "kept"), ["1"], "{label}: and no second time");
        assert_eq!(ids(&bridge, "second").len(), usize::from(kept_as.is_none()), "{label}");
        assert_eq!(ids(&bridge, "aside").len(), usize::from(kept_as.is_some()), "{label}");
        assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
    }
}

#[tokio::test]
async fn as_the_quarantine_a_sink_that_may_take_it_later_is_no_success() {
    for (answer, label, kept_as) in ANSWERS {
        let bridge = Bridge::ordinary().await;
        bridge.sink("aside").becomes(said(answer));
        let malformed = crate::samples::likemagic("no json");
        let reply = bridge.send(&malformed).await;
        let files = || std::fs::read_dir(bridge.path("quarantine/aside")).map_or(0, Iterator::count);
        let stored = bridge.stored("aside").len();
        assert_eq!(stored, 0, "{label}");
        match kept_as {
            None => {
                assert_eq!((reply.status, reply.code().as_str()), (503, "sink_unavailable"), "{label}");
                assert_eq!(files(), 0, "{label}: it is with its sender");
                bridge.sink("aside").becomes(Fault::None);
                assert_eq!(bridge.send(&malformed).await.status, 200, "{label}");
                assert_eq!(bridge.stored("aside").len(), 1, "{label}");
            }
            Some(_) => assert_eq!((reply.status, files()), (200, 1), "{label}: it stands whole in a file"),
        }
        assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0, "{label}");
        assert_eq!(ids(&bridge, "kept"), [""; 0], "{label}");
    }
}

#[test]
fn the_answers_of_this_table_are_all_there_are() {
    let labels: Vec<&str> = ANSWERS.iter().map(|(_, label, _)| *label).collect();
    assert!(PublishError::REASONS.iter().all(|reason| labels.contains(reason)), "{labels:?}");
    for (answer, label, kept_as) in ANSWERS {
        let error = answer(String::new());
        assert_eq!((error.reason(), error.quarantined_as()), (label, kept_as));
        assert_eq!(error.is_hopeless(), kept_as.is_some());
    }
}

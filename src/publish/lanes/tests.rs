//! Which lane a name has, and with a spool, which after the next start.

use super::*;
use crate::{
    event::envelope::Binding,
    observe::metrics::{Metrics, SinkMetrics},
    publish::{Form, Prepared, Publisher},
    record::SinkFormat,
};
use futures_util::future::BoxFuture;
use std::{
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// Stands for a sink of topics, or one whose destinations are one.
struct Named(Option<Vec<String>>);

impl Publisher for Named {
    fn publish(self: Arc<Self>, _: Record) -> BoxFuture<'static, Result<Ack, PublishError>> {
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
    Lanes::new(Arc::new(Sink {
        name: "bus".to_owned(),
        form: Form { format: SinkFormat::Structured, binding: Binding::Kafka },
        publisher: Arc::new(Named(names)),
        metrics: SinkMetrics::new(&Metrics::new().unwrap(), "bus"),
        ready: OnceLock::from(Prepared::default()),
        hindrance: parking_lot::Mutex::default(),
    }))
}

fn spool(dir: &tempfile::TempDir) -> Arc<Spool> {
    let finder = Box::new(|_: &std::path::Path, _: &_, _: Option<&str>| ());
    Arc::new(Spool::take(dir.path(), None, Duration::MAX, finder).unwrap())
}

fn record(destination: &str) -> Record {
    Record {
        destination: destination.into(),
        key: None,
        headers: Vec::new(),
        value: "x".into(),
        timestamp_ms: 0,
        in_turn: false,
        message_id: String::new(),
    }
}

#[test]
fn each_name_has_its_lane_for_good_and_what_are_too_many_share_one() {
    let lanes = lanes(Some(&["orders", "refunds"]));
    let names: Vec<Arc<str>> = (0..MOST_NAMED + 2).map(|n| format!("t{n}").into()).collect();
    let find = |name: &str| Arc::as_ptr(lanes.find(&name.into()));
    let first: Vec<*const Lane> = names.iter().map(|name| find(name)).collect();
    assert!(names.iter().zip(&first).all(|(name, lane)| ptr::eq(find(name), *lane)));
    let own = &first[..MOST_NAMED];
    assert!(own.iter().enumerate().all(|(at, lane)| !own[..at].iter().any(|other| ptr::eq(*other, *lane))));
    assert!(first[MOST_NAMED..].iter().all(|lane| ptr::eq(*lane, Arc::as_ptr(&lanes.shared))));
    assert!(!ptr::eq(find("orders"), find("refunds")));
    assert!(!ptr::eq(find("orders"), Arc::as_ptr(&lanes.shared)));
}

#[test]
fn a_sink_whose_destinations_are_one_has_one_lane() {
    let lanes = lanes(None);
    assert!(Arc::ptr_eq(lanes.find(&"a".into()), lanes.find(&"b".into())));
}

#[tokio::test]
async fn what_waits_for_a_name_is_found_again_whoever_names_it_now() {
    let home = tempfile::tempdir().unwrap();
    let before = Arc::new(lanes(Some(&["orders", "old"])).spooling(&spool(&home)).unwrap());
    for name in ["orders", "old", "made/1"] {
        let backlog = before.backlog(before.find(&name.into())).await.unwrap();
        backlog.turn(&record(name), false).unwrap().durable().await.unwrap();
    }
    drop(before);
    let after = Arc::new(lanes(Some(&["orders"])).spooling(&spool(&home)).unwrap());
    for name in ["orders", "old", "made/1"] {
        let lane = after.find(&name.into());
        assert_eq!(lane.destination(), Some(name));
        assert!(!lane.backlog.get().unwrap().is_direct(), "{name}");
    }
    assert!(after.find(&"new".into()).backlog.get().is_none());
}

#[tokio::test]
async fn while_something_waits_among_the_others_no_new_name_leaves_them() {
    let home = tempfile::tempdir().unwrap();
    let before = Arc::new(lanes(Some(&[])).spooling(&spool(&home)).unwrap());
    for n in 0..=MOST_NAMED {
        before.find(&format!("t{n}").into());
    }
    let shared = before.find(&"late".into());
    assert_eq!(shared.destination(), None);
    before.backlog(shared).await.unwrap().turn(&record("late"), false).unwrap().durable().await.unwrap();
    drop(before);
    let after = lanes(Some(&["late"])).spooling(&spool(&home)).unwrap();
    assert_eq!(
        after.find(&"late".into()).destination(),
        None,
        "its events wait there, though a route names it now"
    );
    assert!(!after.find(&"late".into()).backlog.get().unwrap().is_direct());
}

#[tokio::test]
async fn a_lane_that_several_open_at_the_same_moment_is_told_of_once() {
    let home = tempfile::tempdir().unwrap();
    let lanes = Arc::new(lanes(Some(&[])).spooling(&spool(&home)).unwrap());
    let told = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&told);
    lanes.when_opened(Box::new(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
    }));
    let lane = lanes.find(&"made".into());
    let both = tokio::join!(lanes.backlog(lane), lanes.backlog(lane), lanes.backlog(lane));
    assert!(both.0.is_ok() && both.1.is_ok() && both.2.is_ok());
    assert_eq!(told.load(Ordering::Relaxed), 1, "two drains of one lane would let its events change places");
}

#[tokio::test]
async fn a_name_that_may_wait_among_the_others_gets_no_lane_at_a_second_start_either() {
    let home = tempfile::tempdir().unwrap();
    let before = Arc::new(lanes(Some(&[])).spooling(&spool(&home)).unwrap());
    for n in 0..=MOST_NAMED {
        before.find(&format!("t{n}").into());
    }
    let shared = before.find(&"late".into());
    before.backlog(shared).await.unwrap().turn(&record("late"), false).unwrap().durable().await.unwrap();
    drop(before);
    for start in 1..=2 {
        let after = lanes(Some(&["late"])).spooling(&spool(&home)).unwrap();
        assert_eq!(after.find(&"late".into()).destination(), None, "start {start}");
    }
}

//! Fan-out, the form of records, and what tells them apart.

use super::{message_id::message_id, *};
use crate::{
    event::{
        Identity, Quarantine, Reason,
        envelope::{self, Binding},
    },
    observe::metrics::{Metrics, SinkMetrics},
    record::{Disposition, SinkFormat},
    request::Kept,
    verify::Assurance,
};
use jiff::Timestamp;
use parking_lot::Mutex;

/// A sink whose answer is scripted, for faults that no real journal shows; keeps what it was handed.
#[derive(Default)]
struct Scripted {
    handed: Mutex<Vec<Record>>,
    failing: Mutex<Vec<String>>,
    /// Destinations that answer as a stream does that has the record already.
    holding: Mutex<Vec<String>>,
}

impl Publisher for Scripted {
    fn publish(self: Arc<Self>, record: Record) -> BoxFuture<'static, Result<Ack, PublishError>> {
        let fails = self.failing.lock().iter().any(|name| **name == *record.destination);
        let duplicate = self.holding.lock().iter().any(|name| **name == *record.destination);
        self.handed.lock().push(record);
        Box::pin(async move {
            let ack = Ack::Nats { stream: "S".to_owned(), sequence: 1, duplicate };
            if fails { Err(PublishError::Saturated) } else { Ok(ack) }
        })
    }

    fn prepare(&self) -> BoxFuture<'_, Result<Prepared, PublishError>> {
        Box::pin(async { Ok(Prepared::default()) })
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Two sinks with scripted answers, and the counters of a source.
struct Fixture {
    publishers: [Arc<Scripted>; 2],
    sinks: Sinks,
    source: SourceMetrics,
    metrics: Metrics,
}

impl Fixture {
    fn new(formats: [SinkFormat; 2], binding: Binding) -> Self {
        Self::with(formats, binding, true)
    }

    fn with(formats: [SinkFormat; 2], binding: Binding, first_is_ready: bool) -> Self {
        let metrics = Metrics::new().unwrap();
        let publishers = [Arc::new(Scripted::default()), Arc::new(Scripted::default())];
        let names = ["first".to_owned(), "second".to_owned()];
        let sink = |index: usize| {
            let publisher: Arc<dyn Publisher> = Arc::<Scripted>::clone(&publishers[index]);
            Sink {
                name: names[index].clone(),
                form: Form { format: formats[index], binding },
                publisher,
                metrics: SinkMetrics::new(&metrics, &names[index]),
                ready: if index > 0 || first_is_ready {
                    OnceLock::from(Prepared::default())
                } else {
                    OnceLock::new()
                },
                hindrance: Mutex::default(),
            }
        };
        let sinks = Sinks::new(vec![sink(0), sink(1)], "node-1".to_owned());
        let source = SourceMetrics::new(&metrics, "hotel", "token", &names);
        Self { publishers, sinks, source, metrics }
    }

    fn structured() -> Self {
        Self::new([SinkFormat::Structured; 2], Binding::Kafka)
    }

    async fn publish(&self, targets: &[(usize, &str)], held: &[(usize, &str)]) -> Outcome {
        let targets: Vec<Target> = targets.iter().map(|(sink, name)| target(*sink, name)).collect();
        self.sinks.publish(&event(), &targets, &holds(held), Some(&self.source), Way::Strict).await
    }

    fn handed(&self, sink: usize) -> usize {
        self.publishers[sink].handed.lock().len()
    }
}

fn target(sink: usize, destination: &str) -> Target {
    let sink = ["first", "second"].get(sink).copied().unwrap_or("unknown");
    Target { sink: sink.into(), destination: destination.into() }
}

fn holds(targets: &[(usize, &str)]) -> Held {
    let mut held = Held::default();
    for (sink, destination) in targets {
        held.note(&target(*sink, destination), &Ack::Journal { sequence: 1 });
    }
    held
}

fn event() -> Event {
    Event {
        id: "1".to_owned(),
        identity: Identity::Bytes,
        id_conflicts: false,
        in_turn: false,
        source: "/test/hotel".into(),
        source_name: "hotel".into(),
        kind: "com.test.A".to_owned(),
        subject: None,
        key: Some("k".to_owned()),
        time: None,
        recorded: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
        content_type: Some("application/json".to_owned()),
        assurance: Assurance::Secret,
        data: Bytes::from_static(b"{ }"),
        data_is_json: true,
        type_is_unsigned: false,
        carried: None,
        quarantine: None,
    }
}

#[tokio::test]
async fn all_sinks_are_awaited_though_one_fails() {
    let fixture = Fixture::structured();
    fixture.publishers[0].failing.lock().push("a".to_owned());
    let outcome = fixture.publish(&[(0, "a"), (1, "b")], &[]).await;
    assert_eq!(outcome.held, holds(&[(1, "b")]));
    assert_eq!(outcome.failed, [(target(0, "a"), PublishError::Saturated)]);
}

#[tokio::test]
async fn a_retry_goes_only_to_the_sinks_that_lack_the_event() {
    let fixture = Fixture::structured();
    let outcome = fixture.publish(&[(0, "a"), (1, "b")], &[(1, "b")]).await;
    assert_eq!((fixture.handed(0), fixture.handed(1)), (1, 0));
    assert_eq!(outcome.held, holds(&[(1, "b"), (0, "a")]));
    assert!(outcome.failed.is_empty());
}

#[tokio::test]
async fn a_retry_goes_only_to_the_topic_of_a_sink_that_lacks_the_event() {
    for (failing, other) in [("a", "b"), ("b", "a")] {
        let fixture = Fixture::structured();
        fixture.publishers[0].failing.lock().push(failing.to_owned());
        let outcome = fixture.publish(&[(0, "a"), (0, "b")], &[]).await;
        assert_eq!((outcome.held, outcome.failed.len()), (holds(&[(0, other)]), 1));
        fixture.publishers[0].failing.lock().clear();
        let handed = fixture.handed(0);
        let again = fixture.publish(&[(0, "a"), (0, "b")], &[(0, other)]).await;
        assert_eq!(fixture.handed(0), handed + 1, "{other} has it");
        assert!(again.failed.is_empty());
    }
}

#[tokio::test]
async fn what_a_sink_holds_is_its_own_wherever_it_stands_among_the_sinks() {
    let mut fixture = Fixture::structured();
    let held = fixture.publish(&[(1, "b")], &[]).await.held;
    fixture.sinks.all.reverse();
    let targets = [target(0, "a"), target(1, "b")];
    let again = fixture.sinks.publish(&event(), &targets, &held, Some(&fixture.source), Way::Strict).await;
    assert_eq!((fixture.handed(0), fixture.handed(1)), (1, 1), "the second had it already");
    assert!(again.settled(&event(), &targets).is_some());
}

#[tokio::test]
async fn a_sink_that_was_never_found_good_gets_nothing() {
    let fixture = Fixture::with([SinkFormat::Structured; 2], Binding::Kafka, false);
    let outcome = fixture.publish(&[(0, "a")], &[]).await;
    assert!(matches!(outcome.failed[..], [(_, PublishError::Unprepared(_))]));
    assert_eq!(fixture.handed(0), 0);
    let outcome = fixture.publish(&[(7, "a")], &[]).await;
    assert!(matches!(outcome.failed[..], [(_, PublishError::Misconfigured(_))]));
}

#[tokio::test]
async fn each_outcome_is_counted_at_its_sink() {
    let fixture = Fixture::structured();
    fixture.publishers[1].failing.lock().push("b".to_owned());
    fixture.publish(&[(0, "a"), (1, "b")], &[]).await;
    let text = fixture.metrics.render().unwrap();
    for line in [
        r#"hookway_delivery_attempts_total{result="ok",sink="first"} 1"#,
        r#"hookway_delivery_attempts_total{result="retriable",sink="second"} 1"#,
        r#"hookway_delivery_errors_total{reason="queue_full",sink="second"} 1"#,
        r#"hookway_events_delivered_total{sink="first",source="hotel"} 1"#,
        r#"hookway_events_delivered_total{sink="second",source="hotel"} 0"#,
        r#"hookway_sink_up{sink="second"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
}

#[tokio::test]
async fn each_sink_gets_its_own_form() {
    let fixture = Fixture::new([SinkFormat::Structured, SinkFormat::Binary], Binding::Kafka);
    fixture.publish(&[(0, "a"), (1, "b")], &[]).await;
    let structured = fixture.publishers[0].handed.lock()[0].clone();
    let binary = fixture.publishers[1].handed.lock()[0].clone();
    assert_eq!(structured.headers, envelope::structured_headers());
    assert!(structured.value.ends_with(br#","data":{ }}"#));
    assert_eq!(&*binary.value, b"{ }");
    assert!(binary.headers.iter().any(|(name, value)| name == "ce_id" && value == "1"));
    for record in [structured, binary] {
        assert_eq!((record.key.as_deref(), record.timestamp_ms), (Some("k"), 1_700_000_000_123));
        assert_eq!(record.message_id, "", "only NATS needs one");
    }
}

#[test]
fn a_quarantined_event_is_always_one_document() {
    let fixture = Fixture::new([SinkFormat::Binary; 2], Binding::Nats);
    let mut event = event();
    let why = Quarantine::new(Reason::Unrouted, String::new(), Kept::default().into());
    event.quarantine = Some(Box::new(why));
    let sink = &fixture.sinks.all[0];
    let record = fixture.sinks.record(sink, &event, target(0, "q"), "direct", &OnceLock::new());
    assert_eq!(record.headers, envelope::structured_headers());
}

#[tokio::test]
async fn what_every_stream_has_already_is_not_published() {
    const BOTH: &[(usize, &str)] = &[(0, "a"), (1, "b")];
    let fixture = Fixture::structured();
    let disposition = |outcome: &Outcome, targets: &[(usize, &str)]| {
        let targets: Vec<Target> = targets.iter().map(|(sink, name)| target(*sink, name)).collect();
        outcome.settled(&event(), &targets).map(Settled::disposition)
    };
    fixture.publishers[0].holding.lock().push("a".to_owned());
    let both = fixture.publish(&[(0, "a"), (1, "b")], &[]).await;
    assert_eq!(disposition(&both, BOTH), Some(Disposition::Published), "one of them took it anew");
    let again = fixture.publish(&[(0, "a"), (1, "b")], &[(1, "b")]).await;
    assert_eq!(disposition(&again, BOTH), Some(Disposition::Published), "so did one at an earlier attempt");
    let alone = fixture.publish(&[(0, "a")], &[]).await;
    assert!(alone.held.has(&target(0, "a")), "it is there all the same");
    assert_eq!(disposition(&alone, &[(0, "a")]), Some(Disposition::AlreadyStored));
    let text = fixture.metrics.render().unwrap();
    for line in [
        r#"hookway_delivery_duplicates_total{sink="first"} 3"#,
        r#"hookway_delivery_duplicates_total{sink="second"} 0"#,
        r#"hookway_events_delivered_total{sink="first",source="hotel"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
}

#[test]
fn a_message_id_counts_as_a_copy_what_dedup_counts_as_one() {
    let id = |identity, data: &'static [u8], kind: &str| {
        let data = Bytes::from_static(data);
        message_id(&Event { identity, data, kind: kind.to_owned(), ..event() }, "w.a")
    };
    for identity in [Identity::Bytes, Identity::Digest] {
        assert_eq!(id(identity, b"1", "t"), id(identity, b"1", "t"));
        assert_ne!(id(identity, b"1", "t"), id(identity, b"2", "t"), "other bytes are another event");
        assert_ne!(id(identity, b"1", "t"), id(identity, b"1", "u"), "so is another name");
    }
    assert_eq!(
        id(Identity::BytesInId, b"1", "t"),
        id(Identity::BytesInId, b"2", "t"),
        "the id tells the bytes"
    );
    assert_ne!(id(Identity::BytesInId, b"1", "t"), id(Identity::BytesInId, b"1", "u"), "and not the name");
    assert_eq!(id(Identity::Id, b"1", "t"), id(Identity::Id, b"2", "u"), "the id alone names it");
    assert_ne!(id(Identity::Fresh, b"1", "t"), id(Identity::Fresh, b"1", "t"), "nothing names it");
}

#[test]
fn a_message_id_names_source_event_and_subject_and_no_run_of_them_together() {
    let id = |source: &str, id: &str, subject: &str| {
        let event = Event { source: source.into(), id: id.to_owned(), ..event() };
        message_id(&event, subject)
    };
    let first = id("/s/a", "1", "w.a");
    assert_eq!(first, id("/s/a", "1", "w.a"), "a retry has the same");
    assert_eq!(first.len(), 32);
    for other in
        [id("/s/b", "1", "w.a"), id("/s/a", "2", "w.a"), id("/s/a", "1", "w.b"), id("/s/a1", "", "w.a")]
    {
        assert_ne!(other, first);
    }
}

#[test]
fn a_body_that_its_sender_calls_an_event_is_called_by_its_plain_form_in_a_binary_record() {
    let fixture = Fixture::new([SinkFormat::Binary; 2], Binding::Nats);
    let sink = &fixture.sinks.all[0];
    let record = |content_type: &str| {
        let event = Event { content_type: Some(content_type.to_owned()), ..event() };
        fixture.sinks.record(sink, &event, target(0, "q"), "direct", &OnceLock::new())
    };
    for named in [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=UTF-8",
        "application/cloudevents-batch+json",
        "application/cloudevents",
        "application/cloudevents+avro",
        " \tApplication/CloudEvents+JSON",
        "text/plain, application/cloudevents+json",
        "\"application/cloudevents+json\"",
    ] {
        let record = record(named);
        assert_eq!(record.headers.iter().filter(|(name, _)| name == "content-type").count(), 1, "{named}");
        assert!(record.headers.contains(&("content-type".into(), "application/json".into())), "{named}");
        assert_eq!(&*record.value, b"{ }", "{named}");
    }
    for named in ["application/json", "application/cloud-events", "text/plain"] {
        assert_eq!(&*record(named).value, b"{ }", "{named}");
    }
}

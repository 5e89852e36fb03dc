//! What a JetStream acknowledgement is worth: who gave it, what the stream's settings make of it, and what becomes of
//! events that the server refuses or can't be asked about.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use futures_util::StreamExt;
use tokio::sync::oneshot;

use crate::Case;
use crate::bus::Bus;
use crate::delivery::{self, Delivery, reservation};
use crate::envelope;
use crate::hookway::{Hookway, http};
use crate::support::brokers::Brokers;
use crate::support::deadline::until;
use crate::support::nats::Nats;

const SETTLE: Duration = Duration::from_secs(40);

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            only_the_stream_is_believed_whoever_else_answers,
            a_stream_that_keeps_nothing_is_warned_of_and_has_durability_0,
            a_quarantine_whose_subject_no_stream_holds_leaves_the_event_in_a_file_and_is_a_success,
            a_sender_s_text_that_leads_to_no_subject_of_the_stream_goes_to_the_quarantine_and_the_rest_goes_on,
            a_full_stream_is_503_with_its_reason_and_a_message_too_large_for_it_goes_to_the_quarantine;
        own:
            what_waits_for_a_nats_that_is_away_is_bounded_and_then_gone,
            a_publish_that_the_server_forbids_is_told_as_that,
    ]
}

/// Answers each message of a subject with a text, until it is dropped: a core subscriber, as any client may be.
struct Impostor {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Impostor {
    fn answering(nats: &Nats, subject: &str, text: &'static str) -> Self {
        let (end, mut ended) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (url, subject) = (nats.url().to_owned(), subject.to_owned());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let client = async_nats::connect(url).await.expect("the server answers");
                let mut messages = client.subscribe(subject).await.expect("a subscription");
                client.flush().await.expect("the server has it");
                ready.send(()).expect("somebody waits");
                loop {
                    tokio::select! {
                        _ = &mut ended => return,
                        Some(message) = messages.next() => {
                            let reply = message.reply.expect("a publish to JetStream is a request");
                            client.publish(reply, text.into()).await.expect("an answer");
                            client.flush().await.expect("the server has it");
                        }
                    }
                }
            });
        });
        is_ready.recv_timeout(SETTLE).expect("the impostor listens");
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the impostor did not panic");
        }
    }
}

/// Starts Hookway with all events on `STREAM.all`, and waits until it is ready.
fn hookway(nats: &Nats, stream: &str) -> Hookway {
    let hookway = delivery::hookway(&format!(
        "sinks: {{ stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: stream, subject: {stream}.all }} }} ]
quarantine: {{ sink: kept }}\n",
        nats.url()
    ));
    hookway.until_ready();
    hookway
}

fn only_the_stream_is_believed_whoever_else_answers(brokers: &Brokers) {
    let (nats, stream) = (brokers.nats(), brokers.name("BELIEVED"));
    let subjects = format!("{stream}.>");
    nats.create_stream(&stream, &[&subjects]);
    let hookway = hookway(nats, &stream);
    nats.delete_stream(&stream);
    for (number, answer) in [
        r#"{"stream":"OTHER","seq":1}"#,
        r#"{"stream":"","seq":1}"#,
        r#"{"stream":"","seq":0,"duplicate":true}"#,
        "{}",
        "",
        "+ACK",
    ]
    .into_iter()
    .enumerate()
    {
        let impostor = Impostor::answering(nats, &subjects, answer);
        let refused = Delivery::reservation(&format!("forged-{number}"), "QWERTYUI-1", number).post(&hookway);
        assert_eq!(refused.status, 503, "{answer}: {refused:?}");
        assert!(refused.header("retry-after").is_some());
        drop(impostor);
    }
    assert!(hookway.log().contains(r#"it names stream \"OTHER\" and sequence 1"#), "{}", hookway.log());
    assert!(hookway.metric("hookway_events_published_total", &[]).abs() < 0.5);

    nats.create_stream(&stream, &[&subjects]);
    until("a 200 of the true stream", SETTLE, || {
        (Delivery::reservation("true", "QWERTYUI-1", 9).post(&hookway).status == 200).then_some(())
    });
    assert_eq!(envelope::of_messages(&nats.read(&stream, 1))[0].id(), "true");
}

fn a_stream_that_keeps_nothing_is_warned_of_and_has_durability_0(brokers: &Brokers) {
    let (nats, stream) = (brokers.nats(), brokers.name("INTEREST"));
    nats.create_stream_with(Config {
        name: stream.clone(),
        subjects: vec![format!("{stream}.>")],
        retention: RetentionPolicy::Interest,
        ..Config::default()
    });
    let hookway = hookway(nats, &stream);
    let log = hookway.log();
    let said = format!("stream {stream} has `retention: interest`");
    assert!(log.contains("sink is weaker than it should be") && log.contains(&said), "{log}");
    assert!(hookway.metric("hookway_durability_level", &["sink=\"stream\""]).abs() < 0.5);
}

fn a_full_stream_is_503_with_its_reason_and_a_message_too_large_for_it_goes_to_the_quarantine(
    brokers: &Brokers,
) {
    let (nats, stream) = (brokers.nats(), brokers.name("FULL"));
    nats.create_stream_with(Config {
        name: stream.clone(),
        subjects: vec![format!("{stream}.>")],
        discard: DiscardPolicy::New,
        max_messages: 1,
        max_message_size: 4096,
        ..Config::default()
    });
    let hookway = hookway(nats, &stream);
    let large = padded("large", 8000);
    large.accepted(&hookway);
    assert_eq!(envelope::of_journal(&hookway.home().join("kept"))[0].text("hookwayreason"), "too_large");
    Delivery::reservation("first", "QWERTYUI-1", 1).accepted(&hookway);
    let refused = Delivery::reservation("second", "QWERTYUI-1", 2).post(&hookway);
    assert_eq!(refused.status, 503, "{refused:?}");
    let errors = |reason: &str| {
        hookway.metric("hookway_delivery_errors_total", &["sink=\"stream\"", &format!("reason=\"{reason}\"")])
    };
    assert!((errors("full") - 1.0).abs() < 0.5 && errors("connection").abs() < 0.5, "{}", hookway.log());
    assert_eq!(envelope::of_messages(&nats.read(&stream, 1)).len(), 1);
}

fn a_sender_s_text_that_leads_to_no_subject_of_the_stream_goes_to_the_quarantine_and_the_rest_goes_on(
    brokers: &Brokers,
) {
    let (nats, stream, other) = (brokers.nats(), brokers.name("HELD"), brokers.name("OTHER"));
    let subjects = |object: &str| format!("{stream}.{object}.*");
    nats.create_stream(&stream, &[&subjects("RESERVATION")]);
    nats.create_stream(&other, &[&subjects("FOLIO")]);
    let hookway = delivery::hookway(&format!(
        "sinks: {{ stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: stream, subject: \"{stream}.{{object}}.{{key}}\" }} }} ]
quarantine: {{ sink: kept }}\n",
        nats.url()
    ));
    hookway.until_ready();
    let of = |id: &str, object: &str| {
        let mut body = reservation(id, "A-1", 1);
        body["objectType"] = object.into();
        Delivery::hotel(&body.to_string())
    };
    of("nobody's", "TASK").accepted(&hookway);
    of("another's", "FOLIO").accepted(&hookway);
    of("ours", "RESERVATION").accepted(&hookway);
    let kept = envelope::of_journal(&hookway.home().join("kept"));
    let reasons: Vec<_> = kept.iter().map(|event| (event.id(), event.text("hookwayreason"))).collect();
    assert_eq!(reasons, [("nobody's", "unroutable"), ("another's", "unroutable")]);
    assert_eq!(envelope::of_messages(&nats.read(&stream, 1))[0].id(), "ours");
    // While the stream is away nothing is known of its subjects.
    nats.delete_stream(&stream);
    // For a moment what was known before counts still; each is an event of its own, lest it be a repeat.
    let mut turn = 0;
    until("a 503 without the stream", SETTLE, || {
        turn += 1;
        (of(&format!("later-{turn}"), "TASK").post(&hookway).status == 503).then_some(())
    });
}

fn a_quarantine_whose_subject_no_stream_holds_leaves_the_event_in_a_file_and_is_a_success(brokers: &Brokers) {
    let (nats, stream) = (brokers.nats(), brokers.name("HELD"));
    nats.create_stream(&stream, &[&format!("{stream}.RESERVATION")]);
    let hookway = delivery::hookway(&format!(
        "sinks: {{ stream: {{ nats: {{ servers: [ \"{}\" ], stream: {stream} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ match: {{ object: FOLIO }}, to: {{ sink: kept }} }} ]
quarantine: {{ sink: stream, subject: \"{stream}.{{object}}\" }}\n",
        nats.url()
    ));
    hookway.until_ready();
    for object in ["TASK", "TASK", "RESERVATION"] {
        let mut body = reservation("unrouted", "A-1", 1);
        body["objectType"] = object.into();
        Delivery::hotel(&body.to_string()).accepted(&hookway);
    }
    let files: Vec<_> = std::fs::read_dir(hookway.home().join("kept/aside")).expect("a folder").collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(envelope::of_messages(&nats.read(&stream, 1)).len(), 1, "the other has its subject");
}

fn padded(id: &str, bytes: usize) -> Delivery {
    let mut body = reservation(id, id, 1);
    body["padding"] = "x".repeat(bytes).into();
    Delivery::hotel(&body.to_string())
}

fn a_publish_that_the_server_forbids_is_told_as_that(_: &Brokers) {
    let users = "users: [
  { user: app, password: \"not-a-secret-of-the-app\", permissions: { publish: { deny: [ \"events.b\" ] } } }
  { user: reader, password: reads } ]";
    let nats = Nats::start_with(&format!("authorization {{ {users} }}"));
    let hookway = Hookway::start(
        &format!(
            "{}sinks:
  bus: {{ nats: {{ servers: [ \"{}\" ], stream: EVENTS, create: {{ subjects: [ \"events.*\" ] }}, user: app, password: env:BUS_SECRET }} }}
  kept: {{ journal: {{ dir: kept }} }}
routes: [ {{ to: {{ sink: bus, subject: events.b }} }} ]\nquarantine: {{ sink: kept }}\n",
            delivery::SOURCES,
            nats.url()
        ),
        &[&delivery::SECRETS[..], &[("BUS_SECRET", "not-a-secret-of-the-app")]].concat(),
    );
    hookway.until_ready();
    #[expect(clippy::disallowed_methods, reason = "a deadline of a real process is measured in real time")]
    let start = Instant::now();
    let refused = Delivery::reservation("denied", "QWERTYUI-1", 1).post(&hookway);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "the server has said so at once: {:?}",
        start.elapsed()
    );
    assert!(hookway.metric("hookway_lane_down", &["sink=\"bus\""]).abs() < 0.5, "it answers");
    let errors = ["sink=\"bus\"", "reason=\"refused\""];
    assert!(
        (hookway.metric("hookway_delivery_errors_total", &errors) - 1.0).abs() < 0.5,
        "{}",
        hookway.log()
    );
    assert!(hookway.log().to_lowercase().contains("permissions violation for publish"), "{}", hookway.log());
}

fn what_waits_for_a_nats_that_is_away_is_bounded_and_then_gone(_: &Brokers) {
    let mut bus = Bus::nats();
    let sources = delivery::SOURCES.replace("25s", "1s");
    let hookway = Hookway::start(&format!("{sources}{}", bus.config()), &delivery::SECRETS);
    hookway.until_ready();
    bus.kill();
    let refused = |reason: &str| {
        let labels = ["sink=\"bus\"".to_owned(), format!("reason=\"{reason}\"")];
        hookway.metric("hookway_delivery_errors_total", &labels.each_ref().map(String::as_str))
    };
    // 64 MiB take some 134 of these; before they are full, the stream may be known to be down.
    let connections: Vec<_> =
        (0..150).map(|number| padded(&format!("e{number}"), 500_000).send(&hookway)).collect();
    for connection in connections {
        assert_eq!(http::receive(connection).status, 503);
    }
    assert!(refused("queue_full") + refused("down") > 10.0, "{} {}", refused("queue_full"), refused("down"));
    // A client gets nothing while it has no connection, so that what is given up is gone.
    hookway.until_metric("hookway_events_in_flight", &[], 0.0);
    bus.restart();
    until("a 200 once NATS is back", SETTLE, || {
        (padded("e999", 500_000).post(&hookway).status == 200).then_some(())
    });
}

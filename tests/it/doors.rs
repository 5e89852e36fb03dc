//! What a stranger may send, and what a sender does that is unusual and right: nobody holds anything on a word, what is
//! not read is not accepted, and whoever is refused reads why.

use crate::{
    binary::Hookway,
    bridge::{Bridge, ORDINARY},
    client::{Connection, post},
    deadline,
    doubles::Fault,
    eventually::{PATIENCE, eventually},
    samples::{SECRET, event, likemagic, likemagic_body},
};
use std::time::Duration;
use tokio::time::Instant;

/// The ordinary configuration with these limits of the process.
fn with_limits(limits: &str) -> String {
    format!("{ORDINARY}limits: {{ {limits} }}\n")
}

/// Returns a LIKE MAGIC request's head with these lines more.
fn head(version: &str, lines: &str) -> String {
    format!("POST /hooks/hotel HTTP/{version}\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n{lines}\r\n")
}

#[tokio::test]
async fn a_post_that_does_not_say_how_long_its_body_is_is_refused() {
    let bridge = Bridge::ordinary().await;
    let body = likemagic_body("1", "a");
    for (version, lines, status, code) in [
        ("1.1", "", 411, "length_required"),
        ("1.1", "connection: close\r\n", 411, "length_required"),
        ("1.0", "", 400, "request_malformed"),
    ] {
        for body in [body.as_str(), ""] {
            let mut connection = Connection::open(bridge.address).await;
            let reply = connection.exchange(format!("{}{body}", head(version, lines)).as_bytes()).await;
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{version} {lines}");
            assert!(connection.is_closed().await);
        }
    }
    let mut connection = Connection::open(bridge.address).await;
    let reply = connection.exchange(head("1.1", "content-length: 0\r\n").as_bytes()).await;
    assert_eq!(reply.status, 200, "a body of no bytes is legal where it is said");
    bridge.finish().await;
    assert!(bridge.stored("kept").is_empty(), "nothing was made of what was not read");
}

#[tokio::test]
async fn heads_without_bodies_and_bodies_without_ends_take_nothing_from_others() {
    let config =
        with_limits("body_bytes: 512KiB").replace("secrets:", "max_body: 64KiB, max_in_flight: 2, secrets:");
    let bridge = Bridge::start(&config).await;
    let mut strangers = Vec::new();
    for framing in ["content-length: 65536\r\n", "transfer-encoding: chunked\r\n", "content-length: 2\r\n"] {
        for _ in 0..20 {
            let mut stranger = Connection::open(bridge.address).await;
            stranger.send(format!("{}5", head("1.1", framing)).as_bytes()).await;
            strangers.push(stranger);
        }
    }
    eventually("all are being read", || bridge.metrics.in_flight.get() == 60).await;
    for id in ["1", "2", "3"] {
        assert_eq!(bridge.send(&event(id)).await.status, 200);
    }
}

#[tokio::test]
async fn a_body_is_given_up_at_the_deadline_of_its_source() {
    let config = ORDINARY.replace("preset: likemagic,", "preset: likemagic, deadline: 200ms,");
    let bridge = Bridge::start(&format!("{config}limits: {{ body: 60s }}\n")).await;
    let mut connection = Connection::open(bridge.address).await;
    let start = Instant::now();
    let reply = connection.exchange(format!("{}{{", head("1.1", "content-length: 9\r\n")).as_bytes()).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "deadline"));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn a_body_that_only_drips_is_ended_before_its_time_is_over() {
    let bridge = Bridge::start(&with_limits("body: 3s, body_rate: 1MiB")).await;
    let mut connection = Connection::open(bridge.address).await;
    let start = Instant::now();
    let reply = connection.exchange(format!("{}{{", head("1.1", "content-length: 9\r\n")).as_bytes()).await;
    assert_eq!((reply.status, reply.code().as_str()), (408, "body_stalled"));
    assert!(start.elapsed() < Duration::from_millis(2900), "after half of the time: {:?}", start.elapsed());
}

#[tokio::test]
async fn a_body_whose_end_is_doubtful_is_400() {
    let bridge = Bridge::ordinary().await;
    let chunked = "transfer-encoding: chunked\r\n";
    for (lines, body) in [
        (format!("content-length: 5\r\n{chunked}"), "0\r\n\r\n"),
        (format!("{chunked}Content-Length: 5\r\n"), "0\r\n\r\n"),
        (format!("{chunked}{chunked}"), "0\r\n\r\n"),
        ("transfer-encoding: chunked, chunked\r\n".to_owned(), "0\r\n\r\n"),
        ("transfer-encoding: gzip, chunked\r\n".to_owned(), "0\r\n\r\n"),
        (chunked.to_owned(), "zz\r\n"),
        (chunked.to_owned(), "FFFFFFFFFFFFFFFFF\r\n"),
        (chunked.to_owned(), "1\r\nab\r\n0\r\n\r\n"),
    ] {
        let mut connection = Connection::open(bridge.address).await;
        let reply = connection.exchange(format!("{}{body}", head("1.1", &lines)).as_bytes()).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "request_malformed"), "{lines:?} {body:?}");
        assert!(connection.is_closed().await);
    }
    let body = likemagic_body("1", "a");
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let request = format!("{}{chunks}", head("1.1", "Transfer-Encoding: Chunked\r\n"));
    let mut connection = Connection::open(bridge.address).await;
    for _ in 0..2 {
        assert_eq!(connection.exchange(request.as_bytes()).await.status, 200, "an honest one, and a second");
    }
}

#[tokio::test]
async fn who_is_refused_while_sending_a_large_body_reads_the_answer() {
    let bridge = Bridge::ordinary().await;
    let large = vec![b' '; 4 << 20];
    for (path, extra, status) in [
        ("/hooks/hotel", ("x-a", "b"), 413),
        ("/hooks/nobody", ("x-a", "b"), 404),
        ("/hooks/hotel", ("content-encoding", "gzip"), 415),
    ] {
        let mut connection = Connection::open(bridge.address).await;
        let reply = connection.exchange(&post(path, &[extra], &large)).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("connection"), Some("close"));
        assert!(connection.is_closed().await);
    }
}

#[tokio::test]
async fn a_sender_that_closes_its_half_gets_its_answer() {
    let bridge = Bridge::ordinary().await;
    bridge.sink("kept").becomes(Fault::Held);
    let mut connection = Connection::open(bridge.address).await;
    connection.send(&event("1")).await;
    connection.close_half().await;
    bridge.handed("kept", 1).await;
    bridge.sink("kept").let_one_through();
    assert_eq!(connection.reply().await.expect("an answer").event_id(), "1");
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn a_panic_before_the_work_begins_is_503_and_leaves_no_count_behind() {
    let config = "
sources:
  sns:
    secrets: [ file:$home/secret ]
    confirm: true
    verify: { algorithm: token, header: authorization }
    respond:
      - name: confirmation
        verified: true
        when: { is: { /Type: Confirmation } }
        confirm: { at: /Url, hosts: [ sns.*.amazonaws.com ] }
sinks: { kept: { journal: { dir: $home/kept } } }
routes: [ { to: { sink: kept } } ]
quarantine: { sink: kept }
";
    let bridge = Bridge::start(config).await;
    bridge.agreeing.panics(true);
    let body = r#"{"Type":"Confirmation","Url":"https://sns.eu-west-1.amazonaws.com/?a=b"}"#;
    let request = post("/hooks/sns", &[("authorization", SECRET)], body.as_bytes());
    let mut connection = Connection::open(bridge.address).await;
    let reply = connection.exchange(&request).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "internal"));
    bridge.agreeing.panics(false);
    assert_eq!(connection.exchange(&request).await.status, 200, "the connection lives");
    assert_eq!(bridge.metrics.in_flight.get(), 0);
    drop(connection);
    eventually("no connection is open", || bridge.metrics.connections.get() == 0).await;
}

#[tokio::test]
async fn a_copy_that_was_answered_gives_its_place_back() {
    let yaml =
        ORDINARY.replace("preset: likemagic,", "preset: likemagic, max_in_flight: 4, deadline: 300ms,");
    let bridge = Bridge::start(&yaml).await;
    bridge.sink("kept").becomes(Fault::Held);
    let copies: Vec<_> = (0..4).map(|_| event("1")).collect();
    let answers = copies.iter().map(|copy| bridge.send(copy));
    let answers = futures_util::future::join_all(answers).await;
    assert!(answers.iter().all(|reply| reply.status == 503));
    // The first copy's work goes on; the three that waited for it have nothing left to do.
    eventually("the copies are gone", || bridge.metrics.events_in_flight.get() == 1).await;
    bridge.sink("kept").becomes(Fault::None);
    assert_eq!(bridge.send(&event("2")).await.status, 200);
}

#[tokio::test]
async fn a_stop_of_ours_while_a_body_comes_is_not_the_senders() {
    // The stop is longer than all of a body's time; whatever this machine adds has seconds of room on both sides of it.
    let config = ORDINARY.replace("preset: likemagic,", "preset: likemagic, deadline: 25s,");
    let hookway = Hookway::start(&format!("{config}limits: {{ body: 4s, body_rate: 0B }}\n"));
    let mut connection = Connection::open(hookway.webhooks).await;
    let (request, start) = (likemagic(&likemagic_body("1", "a")), Instant::now());
    let (first, rest) = request.split_at(request.len() - 10);
    connection.send(first).await;
    hookway.process.signal("STOP");
    let passed = |millis| {
        let is_over = || (start.elapsed() > Duration::from_millis(millis)).then_some(());
        deadline::until("time", PATIENCE, is_over);
    };
    passed(4500);
    hookway.process.signal("CONT");
    // What it would have ended by its clock, it has ended before the rest comes.
    passed(5000);
    connection.send(rest).await;
    assert_eq!(connection.reply().await.unwrap().status, 200);
}

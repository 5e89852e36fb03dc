//! Holds the load generator itself to its word: a ledger that missed a promise, or a client that misread an
//! answer, would make the conservation test and the bench worthless.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

#[path = "../support/load.rs"]
mod load;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use load::{
    Load, Outcome, Promise, Until,
    client::Connection,
    github::{BODY_BYTES, Deliveries, Endpoint, body},
};
use sha2::Sha256;
use std::{
    collections::HashSet,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Barrier,
};

const SECRET: &str = "a secret of this test";

fn deliveries() -> Arc<Deliveries> {
    let endpoint = Endpoint { path: "/hooks/bench".to_owned(), secret: SECRET.to_owned() };
    Arc::new(Deliveries::sign(&endpoint, 50))
}

/// What a receiver saw: delivery id and body.
type Seen = Arc<Mutex<Vec<(String, Bytes)>>>;

/// Starts a receiver that checks the signature, refuses every third delivery, and answers the others with an
/// event id made from the delivery's.
async fn receiver() -> (SocketAddr, Seen) {
    async fn receive(State(seen): State<Seen>, headers: HeaderMap, body: Bytes) -> axum::response::Response {
        let header = |name| headers.get(name).unwrap().to_str().unwrap();
        let signature = hex::decode(header("x-hub-signature-256").strip_prefix("sha256=").unwrap()).unwrap();
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(&body);
        if mac.verify_slice(&signature).is_err() {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let id = header("x-github-delivery").to_owned();
        let mut seen = seen.lock().unwrap();
        seen.push((id.clone(), body));
        if seen.len().is_multiple_of(3) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        ([("Hookway-Event-Id", format!("event-{id}"))]).into_response()
    }
    let seen = Seen::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/hooks/bench", post(receive)).with_state(Arc::clone(&seen));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    (address, seen)
}

#[tokio::test]
async fn the_ledger_holds_every_2xx_with_its_event_id_and_nothing_else() {
    let (address, seen) = receiver().await;
    let mut load = Load::connect(address, deliveries(), 4).await.unwrap().with_ledger();
    let Outcome { ledger, statuses, accepted, .. } = load.run(Until::Sent(300)).await;
    assert_eq!((statuses[&200], statuses[&503], accepted), (200, 100, 200));

    let promised = |seen: &(usize, &(String, Bytes))| !(seen.0 + 1).is_multiple_of(3);
    let seen = seen.lock().unwrap();
    let expected: HashSet<_> =
        seen.iter().enumerate().filter(promised).map(|(_, (id, _))| format!("event-{id}")).collect();
    let held: HashSet<_> = ledger.iter().map(|promise| promise.event_id.clone()).collect();
    assert_eq!(held, expected);
    for Promise { sequence, status, event_id } in ledger {
        assert_eq!(status, 200);
        assert!(event_id.ends_with(&format!("{sequence:012x}")), "{event_id} is not that of {sequence}");
    }
}

#[tokio::test]
async fn deliveries_have_their_own_ids_signed_bodies_of_881_bytes_and_no_number_is_left_out() {
    let (address, seen) = receiver().await;
    let deliveries = deliveries();
    for _ in 0..2 {
        let mut load = Load::connect(address, Arc::clone(&deliveries), 3).await.unwrap();
        for count in [70, 50] {
            let outcome = load.run(Until::Sent(count)).await;
            assert!(!outcome.statuses.contains_key(&401), "a signature was wrong");
            assert_eq!(outcome.statuses.values().sum::<u64>(), count);
        }
    }
    let seen = seen.lock().unwrap();
    let ids: HashSet<_> = seen.iter().map(|(id, _)| uuid::Uuid::parse_str(id).unwrap()).collect();
    assert_eq!((seen.len(), ids.len()), (240, 240));
    let bodies: HashSet<_> = seen.iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies, (0..50).map(|place| Bytes::from(body(place))).collect());
    for body in bodies {
        assert_eq!(body.len(), BODY_BYTES);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(body["issue"]["number"].is_u64() && body["repository"]["id"].is_u64());
        assert!(body["action"].is_string());
    }
}

#[tokio::test]
async fn a_timed_run_ends_and_counts_what_came_within_its_window() {
    let (address, _) = receiver().await;
    let mut load = Load::connect(address, deliveries(), 2).await.unwrap();
    let window = Duration::from_millis(200);
    let outcome = load.run(Until::Elapsed(window)).await;
    let answered = u64::try_from(outcome.latencies.len()).unwrap();
    assert_eq!(outcome.window, window);
    assert!(outcome.accepted > 0 && outcome.accepted <= answered && answered <= outcome.accepted + 2);
    assert!(outcome.latencies.is_sorted());
    assert!((outcome.rate() * 0.2 - f64::from(u32::try_from(outcome.accepted).unwrap())).abs() < 0.001);
    assert_eq!(outcome.unaccepted(), outcome.statuses[&503]);
}

/// Serves one connection after another, each with the next of these answers in the smallest pieces TCP has.
async fn scripted(answers: Vec<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            for byte in answer.as_bytes() {
                stream.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    address
}

async fn answer(text: &'static str) -> io::Result<load::client::Answer> {
    Connection::open(scripted(vec![text]).await).await?.exchange(b"GET / HTTP/1.1\r\n\r\n").await
}

#[tokio::test]
async fn an_answer_in_single_bytes_after_an_interim_one_is_read_whole() {
    let answer = answer(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nhookway-event-id:  e-1 \r\nCONTENT-LENGTH: 5\r\n\r\nhello",
    );
    let answer = answer.await.unwrap();
    assert_eq!((answer.status, answer.event_id.as_str(), answer.last), (202, "e-1", false));
    assert_eq!(answer.body, b"hello");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_whole_is_an_error() {
    for (text, kind) in [
        ("HTTP/1.1 200 OK\r\n\r\n", io::ErrorKind::InvalidData),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", io::ErrorKind::UnexpectedEof),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", io::ErrorKind::InvalidData),
        ("HTTP/1.1 20", io::ErrorKind::UnexpectedEof),
        ("SSH-2.0\r\n\r\n", io::ErrorKind::InvalidData),
    ] {
        assert_eq!(answer(text).await.unwrap_err().kind(), kind, "{text:?}");
    }
}

#[tokio::test]
async fn a_closed_or_broken_connection_is_opened_again_and_only_the_broken_one_is_a_failure() {
    let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let address = scripted(vec![closing, "HTTP/1.1 200", closing]).await;
    let mut load = Load::connect(address, deliveries(), 1).await.unwrap().with_ledger();
    let outcome = load.run(Until::Sent(3)).await;
    assert_eq!(outcome.ledger.iter().map(|promise| promise.sequence).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(outcome.failures.into_values().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_redirected_load_goes_on_with_the_next_delivery_elsewhere() {
    let (first, _) = receiver().await;
    let (second, seen) = receiver().await;
    let mut load = Load::connect(first, deliveries(), 2).await.unwrap().with_ledger();
    load.run(Until::Sent(10)).await;
    load.redirect(second);
    let outcome = load.run(Until::Sent(10)).await;
    assert_eq!(seen.lock().unwrap().len(), 10);
    assert!(outcome.ledger.iter().all(|promise| (10..20).contains(&promise.sequence)));
}

#[tokio::test]
async fn as_many_deliveries_as_were_allowed_are_on_their_way_and_no_more() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (seen, pairs) = (Arc::clone(&most), Arc::new(Barrier::new(2)));
    let handler = post(move |_: Bytes| async move {
        seen.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        pairs.wait().await;
        inside.fetch_sub(1, Ordering::SeqCst);
        StatusCode::OK
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/hooks/bench", handler);
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    let mut load = Load::connect(address, deliveries(), 5).await.unwrap();
    load.at_most(2);
    let outcome = load.run(Until::Sent(20)).await;
    assert_eq!((outcome.accepted, most.load(Ordering::SeqCst)), (20, 2));
}

#[test]
fn a_percentile_is_the_latency_that_so_many_answers_did_not_exceed() {
    let latencies: Vec<_> = (1..=200).map(Duration::from_millis).collect();
    let outcome = Outcome { latencies, ..Outcome::default() };
    let expected = [(50, 100), (90, 180), (99, 198), (100, 200)];
    for (percent, milliseconds) in expected {
        assert_eq!(outcome.percentile(percent), Duration::from_millis(milliseconds));
    }
    assert_eq!(Outcome::default().percentile(50), Duration::ZERO);
}

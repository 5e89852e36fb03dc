//! Requests in pieces: cut at any byte, many in one write, a thousand on one connection, broken off anywhere. How the
//! bytes come changes nothing of what they say, and half a request is never an event.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::{Connection, Reply, post},
    eventually::eventually,
    samples::{SECRET, event, likemagic_body},
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tokio::task::yield_now;

/// Turns of the runtime after which a connection has read what was sent.
const TURNS: usize = 8;

/// Writes an event whose body comes in two chunks, with all that a chunk may carry.
fn in_chunks(id: &str) -> Vec<u8> {
    let body = likemagic_body(id, "a");
    let (one, two) = body.split_at(body.len() / 2);
    format!(
        "POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\nTransfer-Encoding: Chunked\r\n\r\n\
         {:x};note=\"x\"\r\n{one}\r\n00{:X}\r\n{two}\r\n0\r\nx-trailer: y\r\n\r\n",
        one.len(),
        two.len()
    )
    .into_bytes()
}

/// Sends bytes in two writes, of which the first is read before the second begins.
async fn in_two(connection: &mut Connection, bytes: &[u8], at: usize) {
    let (before, behind) = bytes.split_at(at);
    connection.send(before).await;
    for _ in 0..TURNS {
        yield_now().await;
    }
    connection.send(behind).await;
}

fn ids(bridge: &Bridge) -> BTreeSet<String> {
    let events = bridge.stored("kept");
    let ids: BTreeSet<String> =
        events.iter().map(|event| event.envelope["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), events.len(), "each event stands there once");
    ids
}

/// Sends a request in two pieces, cut at each of its bytes, and holds what is stored to the whole; `object` is that of its
/// events.
async fn cut_everywhere(request: impl Fn(&str) -> Vec<u8>, object: &str) {
    let bridge = Bridge::ordinary().await;
    let length = request("1000").len();
    for at in 1..length {
        let id = (1000 + at).to_string();
        let mut connection = Connection::open(bridge.address).await;
        in_two(&mut connection, &request(&id), at).await;
        let reply = connection.reply().await.unwrap_or_else(|| panic!("no answer, cut at {at}"));
        assert_eq!((reply.status, reply.event_id()), (200, id.as_str()), "cut at {at}");
    }
    let events = bridge.stored("kept");
    assert_eq!(events.len(), length - 1);
    for event in events {
        let body = likemagic_body(event.envelope["id"].as_str().unwrap(), object);
        assert_eq!(event.data(), body.as_bytes(), "no byte is lost between two pieces");
    }
}

#[tokio::test]
async fn a_request_cut_at_any_byte_is_the_request() {
    cut_everywhere(event, "QWERTYUI-1").await;
}

#[tokio::test]
async fn chunks_cut_at_any_byte_are_the_same_body() {
    cut_everywhere(in_chunks, "a").await;
}

#[tokio::test]
async fn a_thousand_requests_on_one_connection_are_a_thousand_events() {
    let bridge = Bridge::ordinary().await;
    let mut connection = Connection::open(bridge.address).await;
    for id in 0..1000 {
        let id = id.to_string();
        let reply = connection.exchange(&event(&id)).await;
        assert_eq!((reply.status, reply.event_id()), (200, id.as_str()));
        assert_eq!(reply.header("connection"), None, "the sender may keep the connection");
    }
    assert_eq!(bridge.count("hookway_http_connections", &[]), 1);
    assert_eq!(bridge.count("hookway_http_requests_total", &[("source", "hotel"), ("code", "200")]), 1000);
    assert_eq!(ids(&bridge).len(), 1000);
    drop(connection);
    eventually("the connection is over", || bridge.metrics.connections.get() == 0).await;
}

#[tokio::test]
async fn a_sender_that_hangs_up_at_any_byte_has_sent_an_event_only_where_all_of_it_came() {
    let bridge = Bridge::ordinary().await;
    let length = event("1000").len();
    for at in 0..=length {
        let mut connection = Connection::open(bridge.address).await;
        connection.send(&event(&(1000 + at).to_string())[..at]).await;
    }
    eventually("all connections are over", || bridge.metrics.connections.get() == 0).await;
    bridge.finish().await;
    // Whole, an event may have been accepted before the hang-up was seen or not; anything less never is.
    let whole = (1000 + length).to_string();
    assert!(ids(&bridge).iter().all(|id| *id == whole), "{:?}", ids(&bridge));
    assert!(bridge.stored("aside").is_empty(), "half a request is nothing to look at");
    for gauge in ["hookway_http_requests_in_flight", "hookway_events_in_flight", "hookway_unaccounted_events"]
    {
        assert_eq!(bridge.count(gauge, &[]), 0, "{gauge}");
    }
}

#[tokio::test]
async fn a_sender_that_closes_its_half_at_any_byte_hears_a_success_only_for_the_whole() {
    let bridge = Bridge::ordinary().await;
    for (written, chunked) in [(event("1"), false), (in_chunks("2"), true)] {
        for at in 0..=written.len() {
            let mut connection = Connection::open(bridge.address).await;
            connection.send(&written[..at]).await;
            connection.close_half().await;
            let reply = connection.reply().await;
            let status = reply.as_ref().map(|reply| reply.status);
            match status {
                Some(200) => assert_eq!(at, written.len(), "half a request was accepted, chunks: {chunked}"),
                None | Some(400 | 408) => assert!(at < written.len(), "{reply:?} to a whole request"),
                _ => panic!("cut at {at}: {reply:?}"),
            }
            assert!(connection.is_closed().await);
        }
    }
    assert_eq!(ids(&bridge), ["1", "2"].map(str::to_owned).into());
}

/// What a sender may write next on a connection, and what it hears.
#[derive(Debug, Clone, Copy)]
enum Next {
    Event,
    Forged,
    Elsewhere,
    Wrong,
    Packed,
}

impl Next {
    fn written(self, id: &str) -> Vec<u8> {
        let body = likemagic_body(id, "a");
        match self {
            Self::Event => event(id),
            Self::Forged => post("/hooks/hotel", &[("lm-webhook-secret", "another")], body.as_bytes()),
            Self::Elsewhere => post("/hooks/nobody", &[], b""),
            Self::Wrong => b"PUT /hooks/hotel HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".to_vec(),
            Self::Packed => post("/hooks/hotel", &[("content-encoding", "gzip")], b"{}"),
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Event => 200,
            Self::Forged => 401,
            Self::Elsewhere => 404,
            Self::Wrong => 405,
            Self::Packed => 415,
        }
    }
}

/// Sends all at once in pieces of these sizes and returns the answers until the connection ends or all have come.
async fn answers(bridge: &Bridge, requests: &[Next], sizes: &[usize]) -> Vec<Reply> {
    let written: Vec<u8> =
        (0..).zip(requests).flat_map(|(id, next): (u32, _)| next.written(&id.to_string())).collect();
    let mut connection = Connection::open(bridge.address).await;
    let (mut rest, mut sizes) = (written.as_slice(), sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        connection.send(piece).await;
        yield_now().await;
        rest = behind;
    }
    let mut answers = Vec::new();
    while answers.len() < requests.len() {
        let Some(reply) = connection.reply().await else { break };
        answers.push(reply);
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn requests_in_pieces_of_any_size_are_answered_each_for_itself_and_in_their_order(
        requests in prop::collection::vec(
            prop_oneof![6 => Just(Next::Event), 2 => Just(Next::Forged), 2 => Just(Next::Elsewhere), 2 => Just(Next::Wrong), 1 => Just(Next::Packed)],
            1..24,
        ),
        sizes in prop::collection::vec(1..700_usize, 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bridge = Bridge::start(ORDINARY).await;
            let answers = answers(&bridge, &requests, &sizes).await;
            // A body that was not read to its end is the connection's last.
            let last = requests.iter().position(|next| matches!(next, Next::Packed));
            let expected: Vec<u16> =
                requests.iter().take(last.map_or(requests.len(), |last| last + 1)).map(|next| next.status()).collect();
            let statuses: Vec<u16> = answers.iter().map(|reply| reply.status).collect();
            assert_eq!(statuses, expected);
            for (place, reply) in answers.iter().enumerate().filter(|(_, reply)| reply.status == 200) {
                assert_eq!(reply.event_id(), place.to_string(), "an answer belongs to its own request");
            }
            bridge.finish().await;
            let accepted = statuses.iter().filter(|status| **status == 200).count();
            assert_eq!(ids(&bridge).len(), accepted, "nothing behind the last answer became an event");
        });
    }
}

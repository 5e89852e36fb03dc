//! Requests whose end two readers could see in different places: whatever is made of the first, nothing behind
//! it is ever run as a second one on the same connection.

use crate::{bridge::Bridge, client::Connection, samples::SECRET};

/// The request that must never run: it would be accepted.
fn hidden() -> String {
    let body = crate::samples::likemagic_body("smuggled", "a");
    let length = body.len();
    format!(
        "POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Sends bytes and reads all answers until the connection ends; nothing smuggled may have run.
async fn attack(what: &str, bytes: &str) {
    let bridge = Bridge::start(&format!("{}limits: {{ idle: 100ms }}\n", crate::bridge::ORDINARY)).await;
    let mut connection = Connection::open(bridge.address).await;
    connection.send(bytes.as_bytes()).await;
    let mut answers = Vec::new();
    while let Some(reply) = connection.reply().await {
        answers.push(reply.status);
    }
    bridge.finish().await;
    assert!(answers.len() <= 1, "{what}: {answers:?}");
    let stored = [bridge.stored("kept"), bridge.stored("aside")].concat();
    assert!(stored.iter().all(|event| event.envelope["id"] != "smuggled"), "{what}: the hidden request ran");
    assert!(!bridge.logs.text().contains("smuggled"));
}

#[tokio::test]
async fn a_length_beside_chunks_ends_the_connection() {
    let hidden = hidden();
    let length = hidden.len() + 5;
    for (what, framing) in [
        ("length first", format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n")),
        ("chunks first", format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n")),
        ("spelt otherwise", format!("Content-Length: {length}\r\nTransfer-Encoding: ChUnKeD\r\n")),
    ] {
        let head = "POST /hooks/nobody HTTP/1.1\r\nhost: a\r\n";
        attack(what, &format!("{head}{framing}\r\n0\r\n\r\n{hidden}")).await;
        let head = format!("POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n");
        attack(what, &format!("{head}{framing}\r\n0\r\n\r\n{hidden}")).await;
    }
}

#[tokio::test]
async fn a_transfer_encoding_that_is_not_plainly_chunked_is_refused() {
    let hidden = hidden();
    for encoding in [
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: chunked\r\ntransfer-encoding: x",
        "transfer-encoding: identity",
        "transfer-encoding : chunked",
        "transfer-encoding: \"chunked\"",
        "transfer-encoding:\u{b}chunked",
        "transfer-encoding:\r\n chunked",
        " transfer-encoding: chunked",
        "x: y\r\n\ttransfer-encoding: chunked",
    ] {
        let head = "POST /hooks/hotel HTTP/1.1\r\nhost: a\r\n";
        attack(encoding, &format!("{head}{encoding}\r\ncontent-length: 5\r\n\r\n0\r\n\r\n{hidden}")).await;
    }
}

#[tokio::test]
async fn lengths_that_contradict_or_are_no_number_are_refused() {
    let hidden = hidden();
    for lengths in [
        "content-length: 0\r\ncontent-length: 5",
        "content-length: 5, 0",
        "content-length: +0",
        "content-length: -1",
        "content-length: 0x0",
        "content-length: 0 0",
        "content-length : 0",
        "content-length: 99999999999999999999999",
    ] {
        let head = "POST /hooks/hotel HTTP/1.1\r\nhost: a\r\n";
        attack(lengths, &format!("{head}{lengths}\r\n\r\n{hidden}")).await;
    }
}

#[tokio::test]
async fn chunk_sizes_that_are_no_number_are_refused() {
    let hidden = hidden();
    for size in ["-1", "0x0", "FFFFFFFFFFFFFFFFF", "g", "", " ", "5 5", "\u{b}0"] {
        let head = "POST /hooks/hotel HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n";
        attack(size, &format!("{head}\r\n{size}\r\n\r\n{hidden}")).await;
    }
}

#[tokio::test]
async fn what_is_not_http_1_1_is_never_run() {
    let hidden = hidden();
    for first in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST /hooks/hotel\r\n\r\n",
        "POST /hooks/hotel HTTP/1.1 x\r\nhost: a\r\n\r\n",
        "POST /hooks/hotel HTTP/3.0\r\nhost: a\r\n\r\n",
        "POST  /hooks/hotel HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST /hooks/hotel HTTP/1.1\r\nno colon here\r\n\r\n",
        "POST /hooks/hotel HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        attack(first, &format!("{first}{hidden}")).await;
    }
}

#[tokio::test]
async fn two_honest_requests_on_one_connection_both_run() {
    let bridge = Bridge::ordinary().await;
    let mut connection = Connection::open(bridge.address).await;
    let pair = [crate::samples::event("1"), crate::samples::event("2")].concat();
    connection.send(&pair).await;
    assert_eq!(connection.reply().await.unwrap().event_id(), "1");
    assert_eq!(connection.reply().await.unwrap().event_id(), "2");
}

/// Writes an event in chunks.
fn in_chunks(id: &str, framing: &str) -> String {
    let body = crate::samples::likemagic_body(id, "a");
    let length = body.len();
    format!(
        "POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n{framing}transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
    )
}

#[tokio::test]
async fn a_length_beside_chunks_is_seen_wherever_the_head_comes_with_the_request_in_front_of_it() {
    let hidden = in_chunks("smuggled", "content-length: 5\r\n");
    let first = String::from_utf8(crate::samples::event("1")).unwrap();
    for at in [1, hidden.find("\r\ntransfer").unwrap(), hidden.find('{').unwrap() - 10, hidden.len()] {
        let bridge = Bridge::ordinary().await;
        let mut connection = Connection::open(bridge.address).await;
        let (with, later) = hidden.split_at(at);
        connection.send(format!("{first}{with}").as_bytes()).await;
        assert_eq!(connection.reply().await.unwrap().event_id(), "1");
        connection.send(later.as_bytes()).await;
        let refused = connection.reply().await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (400, "request_malformed"), "{at}");
        assert_eq!(connection.reply().await, None);
        assert_eq!(bridge.stored("kept").len(), 1);
    }
}

#[tokio::test]
async fn chunks_on_a_connection_that_was_used_before_are_taken_and_nothing_right_behind_them_is() {
    let bridge = Bridge::ordinary().await;
    let mut connection = Connection::open(bridge.address).await;
    let plain = String::from_utf8(crate::samples::event("0")).unwrap();
    for (id, request) in [("0", plain), ("1", in_chunks("1", "")), ("2", in_chunks("2", ""))] {
        connection.send(request.as_bytes()).await;
        assert_eq!(connection.reply().await.unwrap().event_id(), id);
    }
    let hidden = in_chunks("smuggled", "content-length: 5\r\n");
    connection.send(format!("{}{hidden}", in_chunks("3", "")).as_bytes()).await;
    let last = connection.reply().await.unwrap();
    assert_eq!((last.event_id(), last.header("connection")), ("3", Some("close")));
    assert_eq!(connection.reply().await, None);
    assert_eq!(bridge.stored("kept").len(), 4);
}

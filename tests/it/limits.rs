//! What a sender, or a stranger, can make Hookway hold: bytes, connections, time. Each bound gives its share back.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::{Connection, post},
    doubles::Fault,
    eventually::eventually,
    samples::{SECRET, event, likemagic, likemagic_body},
};

/// The ordinary configuration with these limits of the process.
fn with_limits(limits: &str) -> String {
    format!("{ORDINARY}limits: {{ {limits} }}\n")
}

/// Returns the head of a LIKE MAGIC request that declares a body of this size.
fn head(length: usize) -> Vec<u8> {
    let head = format!("POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n");
    format!("{head}content-length: {length}\r\n\r\n").into_bytes()
}

/// Returns this many header lines.
fn headers(count: usize) -> String {
    (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<Vec<_>>().concat()
}

async fn works(bridge: &Bridge, id: &str) {
    assert_eq!(bridge.send(&event(id)).await.status, 200);
}

#[tokio::test]
async fn a_chunked_body_is_cut_off_at_the_limit() {
    let bridge =
        Bridge::start(&ORDINARY.replace("preset: likemagic,", "preset: likemagic, max_body: 4KiB,")).await;
    let mut connection = Connection::open(bridge.address).await;
    let head = format!("POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n");
    connection.send(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).await;
    let chunk = [b"400\r\n".to_vec(), vec![b'a'; 0x400], b"\r\n".to_vec()].concat();
    for _ in 0..5 {
        connection.send(&chunk).await;
    }
    let reply = connection.reply().await.expect("an answer before the body ends");
    assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"));
    assert!(connection.is_closed().await);
    works(&bridge, "1").await;
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
    let bridge =
        Bridge::start(&ORDINARY.replace("preset: likemagic,", "preset: likemagic, max_body: 1KiB,")).await;
    let mut body = likemagic_body("1", "a");
    body.push_str(&" ".repeat(1024 - body.len()));
    assert_eq!(bridge.send(&likemagic(&body)).await.status, 200);
    body.push(' ');
    assert_eq!(bridge.send(&likemagic(&body)).await.status, 413);
}

#[tokio::test]
async fn chunks_of_any_size_make_one_body() {
    let bridge = Bridge::ordinary().await;
    let body = likemagic_body("1", "a");
    let head = format!("POST /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n");
    let chunks: Vec<String> = body.chars().map(|byte| format!("1;note=x\r\n{byte}\r\n")).collect();
    let chunks = chunks.concat();
    let request = format!("{head}transfer-encoding: chunked\r\n\r\n{chunks}0\r\nx-trailer: y\r\n\r\n");
    assert_eq!(bridge.send(request.as_bytes()).await.status, 200);
    assert_eq!(bridge.stored("kept")[0].data(), body.as_bytes());
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_408() {
    let bridge = Bridge::start(&with_limits("body: 100ms")).await;
    let mut connection = Connection::open(bridge.address).await;
    connection.send(&[&head(100)[..], b"{"].concat()).await;
    let reply = connection.reply().await.expect("an answer");
    assert_eq!((reply.status, reply.code().as_str()), (408, "body_stalled"));
    assert!(connection.is_closed().await);
    works(&bridge, "1").await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_event() {
    let bridge = Bridge::ordinary().await;
    let body = likemagic_body("1", "a");
    let mut connection = Connection::open(bridge.address).await;
    connection.send(&[&head(body.len() + 1)[..], body.as_bytes()].concat()).await;
    eventually("the request is being handled", || bridge.metrics.in_flight.get() == 1).await;
    drop(connection);
    eventually("the request is over", || bridge.metrics.in_flight.get() == 0).await;
    bridge.finish().await;
    assert!(bridge.stored("kept").is_empty() && bridge.stored("aside").is_empty());
}

#[tokio::test]
async fn a_silent_connection_is_closed_and_so_is_half_a_head() {
    let bridge = Bridge::start(&with_limits("idle: 100ms")).await;
    for bytes in [&b""[..], b"P", b"POST /hooks/hotel HTTP/1.1\r\nhost: a\r\n", b"\r\n\r\n"] {
        let mut connection = Connection::open(bridge.address).await;
        connection.send(bytes).await;
        assert!(connection.is_closed().await, "after {:?}", String::from_utf8_lossy(bytes));
    }
    let mut connection = Connection::open(bridge.address).await;
    assert_eq!(connection.exchange(&event("1")).await.status, 200);
    assert!(connection.is_closed().await, "an idle connection that was used is closed too");
    eventually("no connection is open", || bridge.metrics.connections.get() == 0).await;
}

#[tokio::test]
async fn a_head_that_drips_is_closed_at_the_same_deadline() {
    let bridge = Bridge::start(&with_limits("idle: 200ms")).await;
    let mut connection = Connection::open(bridge.address).await;
    let start = tokio::time::Instant::now();
    // Each byte comes well before the deadline; a deadline per byte would never pass.
    for byte in head(0).iter().cycle().take(100) {
        connection.send(&[*byte]).await;
        let closed = tokio::time::timeout(std::time::Duration::from_millis(20), connection.is_closed()).await;
        if closed == Ok(true) {
            break;
        }
    }
    assert!(connection.is_closed().await);
    assert!(start.elapsed() < std::time::Duration::from_secs(2), "closed after {:?}", start.elapsed());
}

#[tokio::test]
async fn bodies_beyond_the_byte_budget_are_shed_and_the_budget_comes_back() {
    let config = with_limits("body_bytes: 64KiB").replace("secrets:", "max_body: 64KiB, secrets:");
    let bridge = Bridge::start(&config).await;
    let mut large = Connection::open(bridge.address).await;
    large.send(&[head(61 * 1024), vec![b' '; 60 * 1024]].concat()).await;
    eventually("the large one is being read", || bridge.metrics.in_flight.get() == 1).await;
    // What is charged is what has come; when it has come is seen by its effect.
    let filler = " ".repeat(8 * 1024);
    let small = likemagic(&format!("{}{filler}", likemagic_body("1", "a")));
    let reply = loop {
        let reply = bridge.send(&small).await;
        if reply.status != 200 {
            break reply;
        }
    };
    assert_eq!((reply.status, reply.code().as_str()), (503, "overloaded"));
    assert!(reply.header("retry-after").is_some());
    works(&bridge, "2").await;

    drop(large);
    eventually("the large one is over", || bridge.metrics.in_flight.get() == 0).await;
    assert_eq!(bridge.send(&small).await.status, 200);
}

#[tokio::test]
async fn a_source_takes_no_more_requests_at_once_than_configured_and_others_go_on() {
    let bridge =
        Bridge::start(&ORDINARY.replace("preset: likemagic,", "preset: likemagic, max_in_flight: 1,")).await;
    bridge.sink("kept").becomes(Fault::Held);
    let mut first = Connection::open(bridge.address).await;
    first.send(&event("1")).await;
    bridge.handed("kept", 1).await;
    bridge.sink("kept").becomes(Fault::None);

    let reply = bridge.send(&event("2")).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "overloaded"));
    assert_eq!(bridge.send(&crate::samples::syncaroo()).await.status, 200, "another source");

    bridge.sink("kept").let_one_through();
    assert_eq!(first.reply().await.unwrap().status, 200);
    works(&bridge, "2").await;
}

#[tokio::test]
async fn connections_beyond_the_cap_are_closed_and_counted() {
    let bridge = Bridge::start(&with_limits("connections: 2")).await;
    let mut first = Connection::open(bridge.address).await;
    let mut second = Connection::open(bridge.address).await;
    assert_eq!(first.exchange(&event("1")).await.status, 200);
    assert_eq!(second.exchange(&event("2")).await.status, 200);
    let mut third = Connection::open(bridge.address).await;
    assert!(third.is_closed().await);
    assert_eq!(bridge.count("hookway_http_connections_rejected_total", &[]), 1);
    assert_eq!(bridge.count("hookway_http_connections", &[]), 2);
    drop(first);
    eventually("a connection is free", || bridge.metrics.connections.get() == 1).await;
    works(&bridge, "3").await;
}

#[tokio::test]
async fn a_flood_of_headers_is_431_or_the_end_of_the_connection() {
    let bridge = Bridge::ordinary().await;
    let many = headers(10_000);
    let wide = format!("x: {}\r\n", "y".repeat(1 << 20));
    let hundred = headers(101);
    for flood in [many, wide, hundred] {
        let mut connection = Connection::open(bridge.address).await;
        connection.send(format!("POST /hooks/hotel HTTP/1.1\r\nhost: a\r\n{flood}\r\n").as_bytes()).await;
        // What is sent into a closed connection can cost the answer, never the refusal.
        if let Some(reply) = connection.reply().await {
            assert_eq!(reply.status, 431);
        }
    }
    let mut connection = Connection::open(bridge.address).await;
    let exact = headers(101);
    let reply = connection.exchange(format!("POST / HTTP/1.1\r\nhost: a\r\n{exact}\r\n").as_bytes()).await;
    assert_eq!(reply.status, 431, "a small flood always hears why");
    works(&bridge, "1").await;
}

#[tokio::test]
async fn bodies_that_json_readers_choke_on_are_quarantined_in_short_time() {
    let bridge = Bridge::ordinary().await;
    let members = (0..40_000).map(|n| format!("\"{n}\":0,")).collect::<Vec<_>>().concat();
    let bombs = [
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        "{\"a\":".repeat(80_000),
        format!("{{{members}\"id\":1}}"),
        format!("{{\"id\":{}}}", "9".repeat(500_000)),
    ];
    for (n, bomb) in bombs.iter().enumerate() {
        let reply =
            bridge.send(&post("/hooks/hotel", &[("lm-webhook-secret", SECRET)], bomb.as_bytes())).await;
        assert_eq!(reply.status, 200);
        let quarantined = bridge.stored("aside");
        assert_eq!(quarantined.len(), n + 1, "authentic, so it is kept");
    }
    assert!(bridge.stored("kept").is_empty());
}

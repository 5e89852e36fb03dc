//! One test per public code: status, headers, body, metric and log line, and none of them tells a secret.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::{Connection, Reply, post},
    doubles::Fault,
    eventually::eventually,
    samples::{self, SECRET, event, likemagic_at, likemagic_body},
};
use hookway::record::PublishError;

/// Holds a refusal to its status and code, in the answer, in the metrics and in the log.
fn is_refused(bridge: &Bridge, reply: &Reply, source: &str, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code));
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("hookway-event-id"), None);
    match reply.header("retry-after") {
        Some(pause) => {
            assert_eq!(status, 503);
            assert!((5..=15).contains(&pause.parse::<u32>().unwrap()), "{pause}");
        }
        None => assert_ne!(status, 503),
    }
    let status = status.to_string();
    assert!(bridge.count("hookway_http_requests_total", &[("source", source), ("code", &status)]) >= 1);
    if source != "unmatched" {
        assert!(bridge.count("hookway_events_rejected_total", &[("source", source), ("reason", code)]) >= 1);
    }
    let lines = bridge.logs.lines("refused");
    let line =
        lines.iter().find(|line| line["code"] == code).unwrap_or_else(|| panic!("{code} in {lines:?}"));
    assert!(line["client"].as_str().unwrap().starts_with("127.0.0.1:"));
    let said = format!("{reply:?}{}{}", bridge.logs.text(), bridge.exposition());
    assert!(!said.contains(SECRET), "a secret was told");
}

fn nothing_is_stored(bridge: &Bridge) {
    assert!(bridge.stored("kept").is_empty() && bridge.stored("aside").is_empty());
}

#[tokio::test]
async fn a_path_that_names_no_source_is_404_and_leads_nowhere() {
    let bridge = Bridge::ordinary().await;
    let long = format!("/hooks/{}", "a".repeat(12_000));
    for path in [
        "/hooks/nobody",
        "/hooks/",
        "/hooks",
        "/",
        "/metrics",
        "/readyz",
        "/HOOKS/hotel",
        "/hooks/HOTEL",
        "/hooks/hotel/x",
        "/hooks/hotel//",
        "/hooks//hotel",
        "/hooks/hotel%2F",
        "/hooks%2Fhotel",
        "/hooks/..%2Fhooks%2Fhotel",
        "/hooks/../hooks/hotel",
        "/hooks/./hotel",
        "/hooks/%2e%2e/hotel",
        "/hooks/hotel%00",
        "/hooks/hotel%0d%0aset-cookie:%20a=b",
        "/hooks/hotel;a=b",
        "/hooks/h%D0%BEtel",
        "/hooks/hotel%20",
        "/hooks/%ff%fe",
        "/hooks/%",
        &long,
    ] {
        let reply = bridge.send(&likemagic_at(path, &likemagic_body("1", "a"))).await;
        is_refused(&bridge, &reply, "unmatched", 404, "source_unknown");
        assert_eq!(reply.header("location"), None, "{path}");
        assert_eq!(reply.header("set-cookie"), None, "{path}");
    }
    nothing_is_stored(&bridge);
    assert!(!bridge.logs.text().contains("set-cookie"), "a path of the sender's is not logged");
}

#[tokio::test]
async fn a_trailing_slash_and_a_query_lead_to_the_source_without_a_redirect() {
    let bridge = Bridge::ordinary().await;
    for (id, path) in [("1", "/hooks/hotel/"), ("2", "/hooks/hotel?x=../y"), ("3", "/hooks/hotel/?")] {
        let reply = bridge.send(&likemagic_at(path, &likemagic_body(id, "a"))).await;
        assert_eq!((reply.status, reply.event_id()), (200, id), "{path}");
    }
}

#[tokio::test]
async fn another_method_is_405_and_told_the_right_one() {
    let bridge = Bridge::ordinary().await;
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
        let request =
            format!("{method} /hooks/hotel HTTP/1.1\r\nhost: a\r\nlm-webhook-secret: {SECRET}\r\n\r\n");
        let reply = bridge.send(request.as_bytes()).await;
        is_refused(&bridge, &reply, "hotel", 405, "method_not_allowed");
        assert_eq!(reply.header("allow"), Some("POST"), "{method}");
    }
}

#[tokio::test]
async fn a_head_without_exactly_one_host_is_400() {
    let bridge = Bridge::ordinary().await;
    for hosts in ["", "host: a\r\nhost: b\r\n", "host: a\r\nHost: a\r\n"] {
        let request = format!(
            "POST /hooks/hotel HTTP/1.1\r\n{hosts}lm-webhook-secret: {SECRET}\r\ncontent-length: 0\r\n\r\n"
        );
        let reply = bridge.send(request.as_bytes()).await;
        is_refused(&bridge, &reply, "hotel", 400, "request_malformed");
    }
    nothing_is_stored(&bridge);
}

#[tokio::test]
async fn what_is_no_request_at_all_is_counted_and_told_like_every_refusal() {
    let bridge = Bridge::ordinary().await;
    let line = |target: &str| [b"POST ", target.as_bytes(), b" HTTP/1.1\r\nhost: a\r\n\r\n"].concat();
    let many = format!("POST /hooks/hotel HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(101));
    let proxied = b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\nPOST /hooks/hotel HTTP/1.1\r\nhost: a\r\n\r\n";
    for (bytes, status, code, said) in [
        (line("/hooks/hotel?name=\"x\""), 400, "request_malformed", "invalid URI"),
        (b"POST /hooks/hotel HTTP/1.1\r\nno colon\r\n\r\n".to_vec(), 400, "request_malformed", "header"),
        (many.into_bytes(), 431, "head_too_large", "too large"),
        (b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), 400, "request_malformed", "end TLS in front"),
        (proxied.to_vec(), 400, "request_malformed", "PROXY protocol"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec(), 400, "request_malformed", "PROXY protocol"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400, "request_malformed", "send HTTP/1.1"),
    ] {
        let counted = [("source", "unmatched"), ("code", &*status.to_string())];
        let before = bridge.count("hookway_http_requests_total", &counted);
        let mut connection = Connection::open(bridge.address).await;
        connection.send(&bytes).await;
        // HTTP/2 is told nothing that it would understand.
        let reply = connection.reply().await;
        assert!(reply.is_none_or(|reply| reply.status == status), "{said}");
        let is_counted = || bridge.count("hookway_http_requests_total", &counted) == before + 1;
        eventually(said, is_counted).await;
        let lines = bridge.logs.lines("refused");
        let line = lines.last().unwrap();
        assert_eq!(
            (line["code"].as_str(), line["status"].as_u64()),
            (Some(code), Some(status.into())),
            "{line}"
        );
        assert!(line["detail"].as_str().unwrap().contains(said), "{line}");
        assert!(line["client"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
}

#[tokio::test]
async fn a_compressed_body_is_415() {
    let bridge = Bridge::ordinary().await;
    for encoding in ["gzip", "identity, gzip", "br"] {
        let headers = [("content-encoding", encoding), ("lm-webhook-secret", SECRET)];
        let reply = bridge.send(&post("/hooks/hotel", &headers, b"{}")).await;
        is_refused(&bridge, &reply, "hotel", 415, "encoding_unsupported");
    }
}

#[tokio::test]
async fn a_content_encoding_that_names_no_coding_changes_nothing() {
    let bridge = Bridge::ordinary().await;
    for (n, encoding) in
        ["Identity", "utf-8", "", "identity, identity", ",", "UTF8", "none"].iter().enumerate()
    {
        let headers = [("content-encoding", *encoding), ("lm-webhook-secret", SECRET)];
        let body = likemagic_body(&n.to_string(), "a");
        let reply = bridge.send(&post("/hooks/hotel", &headers, body.as_bytes())).await;
        assert_eq!(reply.status, 200, "{encoding:?}");
    }
    let twice = [("content-encoding", "utf-8"), ("content-encoding", "zstd"), ("lm-webhook-secret", SECRET)];
    let reply = bridge.send(&post("/hooks/hotel", &twice, b"{}")).await;
    assert_eq!(reply.status, 415, "whichever line names it");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_and_ends_the_connection() {
    let bridge = Bridge::ordinary().await;
    let mut connection = Connection::open(bridge.address).await;
    let reply = connection
        .exchange(b"POST /hooks/hotel HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999999\r\n\r\n")
        .await;
    is_refused(&bridge, &reply, "hotel", 413, "body_too_large");
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn every_failed_check_is_the_same_401() {
    let config = ORDINARY.replace(
        "\nsinks:",
        "\n  timed: { preset: standard-webhooks, secrets: [ file:$home/secret ], verify: { key: utf8 } }\nsinks:",
    );
    let bridge = Bridge::start(&config).await;
    let body = likemagic_body("1", "a");
    let hotel = |headers: &[(&str, &str)]| post("/hooks/hotel", headers, body.as_bytes());
    let units = |signature: &str| post("/hooks/units", &[("propexo-signature", signature)], body.as_bytes());
    let forged = "0".repeat(64);
    let expired = samples::standard_webhook("/hooks/timed", 1_000_000_000, &body);
    let requests = [
        ("hotel", "missing", hotel(&[])),
        ("hotel", "mismatch", hotel(&[("lm-webhook-secret", "canary-attempt")])),
        ("hotel", "mismatch", hotel(&[("lm-webhook-secret", &SECRET.to_uppercase())])),
        ("hotel", "mismatch", hotel(&[("lm-webhook-secret", &format!("{SECRET},"))])),
        ("hotel", "mismatch", hotel(&[("lm-webhook-secret", "")])),
        ("hotel", "malformed", hotel(&[("lm-webhook-secret", SECRET), ("lm-webhook-secret", SECRET)])),
        ("units", "missing", post("/hooks/units", &[], body.as_bytes())),
        ("units", "malformed", units("no-signature")),
        ("units", "mismatch", units(&forged)),
        ("rooms", "missing", post("/hooks/rooms", &[], br#"{"connectionId":1}"#)),
        (
            "rooms",
            "mismatch",
            post("/hooks/rooms", &[], format!(r#"{{"a":1,"hash":"{forged}"}}"#).as_bytes()),
        ),
        ("rooms", "malformed", post("/hooks/rooms", &[], b"not json")),
        ("timed", "expired", expired),
    ];
    let mut seen = Vec::new();
    for (source, reason, request) in requests {
        let before = bridge.count("hookway_verifications_total", &[("source", source), ("result", reason)]);
        let mut reply = bridge.send(&request).await;
        is_refused(&bridge, &reply, source, 401, "signature_invalid");
        let after = bridge.count("hookway_verifications_total", &[("source", source), ("result", reason)]);
        assert_eq!(after, before + 1, "{source}: {reason}\n{}", bridge.logs.text());
        assert!(reply.header("www-authenticate").is_some());
        reply.headers.retain(|(name, _)| name != "date");
        seen.push(reply);
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(!bridge.logs.text().contains("canary-attempt"), "a wrong secret may be a right one elsewhere");
    nothing_is_stored(&bridge);
}

#[tokio::test]
async fn a_source_without_a_usable_secret_is_503_and_the_others_live() {
    let config = ORDINARY
        .replace("likemagic, secrets: [ file:$home/secret ]", "likemagic, secrets: [ file:$home/empty ]");
    let bridge = Bridge::start(&config).await;
    for secret in [SECRET, ""] {
        let reply = bridge.send(&post("/hooks/hotel", &[("lm-webhook-secret", secret)], b"{}")).await;
        is_refused(&bridge, &reply, "hotel", 503, "secret_unset");
    }
    assert_eq!(bridge.send(&samples::syncaroo()).await.status, 200);
}

#[tokio::test]
async fn a_sink_that_does_not_acknowledge_is_503_whatever_its_reason() {
    let bridge = Bridge::ordinary().await;
    for error in [
        PublishError::Unprepared("x".to_owned()),
        PublishError::Unavailable("x".to_owned()),
        PublishError::Saturated,
        PublishError::Misconfigured("x".to_owned()),
        PublishError::Refused("x".to_owned()),
        PublishError::Full("x".to_owned()),
        PublishError::Disk("x".to_owned()),
    ] {
        let reason = error.reason();
        bridge.sink("kept").becomes(Fault::Fails(error));
        let reply = bridge.send(&event("1")).await;
        is_refused(&bridge, &reply, "hotel", 503, "sink_unavailable");
        assert!(bridge.count("hookway_delivery_errors_total", &[("sink", "kept"), ("reason", reason)]) >= 1);
        assert!(bridge.logs.lines("refused").iter().any(|line| line["reason"] == reason), "{reason}");
    }
    bridge.sink("kept").becomes(Fault::None);
    assert_eq!(bridge.send(&event("1")).await.status, 200, "and the same event can still be published");
}

#[tokio::test]
async fn no_outcome_within_the_deadline_is_503() {
    let bridge =
        Bridge::start(&ORDINARY.replace("preset: likemagic,", "preset: likemagic, deadline: 100ms,")).await;
    bridge.sink("kept").becomes(Fault::Held);
    let reply = bridge.send(&event("1")).await;
    is_refused(&bridge, &reply, "hotel", 503, "deadline");
    bridge.sink("kept").let_one_through();
    bridge.finish().await;
}

#[tokio::test]
async fn a_panic_is_503_and_neither_the_connection_nor_the_process_ends() {
    let bridge = Bridge::ordinary().await;
    bridge.sink("kept").becomes(Fault::Panics);
    let mut connection = Connection::open(bridge.address).await;
    let reply = connection.exchange(&event("1")).await;
    is_refused(&bridge, &reply, "hotel", 503, "internal");
    bridge.sink("kept").becomes(Fault::None);
    assert_eq!(connection.exchange(&event("1")).await.status, 200);
    assert_eq!(bridge.count("hookway_events_in_flight", &[]), 0);
}

#[tokio::test]
async fn a_copy_whose_first_one_fails_is_503() {
    let bridge = Bridge::ordinary().await;
    bridge.sink("kept").becomes(Fault::HeldThenFails);
    let mut first = Connection::open(bridge.address).await;
    first.send(&event("1")).await;
    bridge.handed("kept", 1).await;
    let mut second = Connection::open(bridge.address).await;
    second.send(&event("1")).await;
    bridge.until_in_flight(2).await;
    bridge.sink("kept").let_one_through();
    is_refused(&bridge, &first.reply().await.unwrap(), "hotel", 503, "sink_unavailable");
    is_refused(&bridge, &second.reply().await.unwrap(), "hotel", 503, "in_flight");
    nothing_is_stored(&bridge);
}

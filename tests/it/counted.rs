//! Every series, exactly. What one delivery may become moves certain counters by certain numbers, and no other: a counter
//! too much is as wrong as one too few, since alerts and the accounting of events rest on both.

use crate::{
    bridge::Bridge,
    client::{Connection, post},
    doubles::Fault,
    eventually::eventually,
    samples::{SECRET, event, hmac, likemagic, likemagic_body},
    series,
};
use hookway::record::PublishError;
use std::collections::BTreeMap;

const CONFIG: &str = "
sources:
  hotel: { preset: likemagic, secrets: [ file:$home/secret ] }
  list: { preset: hmac, secrets: [ file:$home/secret ], event: { each: /*, id: '{./id}', object: thing, object_id: ./id, type: ./type } }
  hello: { preset: hmac, secrets: [ file:$home/secret ], respond: [ { name: ask, when: { has: [ /ask ] }, reply: { text: '{/ask}' } } ] }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes:
  - { match: { type: '*.dropped' }, to: drop }
  - { match: { source: '*' }, to: { sink: kept } }
quarantine: { sink: aside }
";

/// Returns every number that one delivery may move: of histograms how often something was observed, of the rest all but
/// times and what the machine says of the process.
fn numbers(bridge: &Bridge) -> BTreeMap<String, i64> {
    let moves = |series: &str| {
        let family = series.split('{').next().unwrap();
        let is_left =
            ["_bucket", "_sum", "_timestamp_seconds", "_bytes"].iter().any(|end| family.ends_with(end));
        family.starts_with("hookway_") && !is_left && family != "hookway_sink_up"
    };
    let all = series::parse(&bridge.exposition());
    let kept = all.into_iter().filter(|(series, _)| moves(series));
    kept.map(|(series, value)| (series, value.parse().expect("a whole number"))).collect()
}

/// Returns what differs, without the project's name and the quotes.
fn moved(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> Vec<String> {
    assert!(before.keys().all(|series| after.contains_key(series)), "a series has gone");
    let differs = after.iter().filter_map(|(series, value)| {
        let by = value - before.get(series).copied().unwrap_or_default();
        let name = series.strip_prefix("hookway_").unwrap().replace('"', "");
        (by != 0).then(|| format!("{name} {by:+}"))
    });
    differs.collect()
}

/// Writes a list for the source `list`.
fn list(body: &str) -> Vec<u8> {
    post(
        "/hooks/list",
        &[("x-signature", &hmac(body.as_bytes())), ("content-type", "application/json")],
        body.as_bytes(),
    )
}

/// What every request with a whole body moves that came to an answer, beside what is said of it.
const READ: [&str; 2] =
    ["http_request_body_bytes_count{source=S} +1", "stage_duration_seconds_count{stage=receive} +1"];

/// What every verified request moves besides.
const VERIFIED: [&str; 4] = [
    "secret_matches_total{key=1,source=S} +1",
    "stage_duration_seconds_count{stage=normalize} +1",
    "stage_duration_seconds_count{stage=verify} +1",
    "verifications_total{result=ok,scheme=A,source=S} +1",
];

/// What every event moves besides that is handed to the sink `kept` and taken.
const KEPT: [&str; 6] = [
    "delivery_attempts_total{result=ok,sink=kept} +1",
    "delivery_duration_seconds_count{sink=kept} +1",
    "event_latency_seconds_count{sink=kept,source=S} +1",
    "events_delivered_total{sink=kept,source=S} +1",
    "stage_duration_seconds_count{stage=publish} +1",
    "stage_duration_seconds_count{stage=route} +1",
];

/// What every answer with this status moves besides.
fn answered(status: u16) -> [String; 2] {
    let outcome = match status {
        200 => "accepted",
        503 => "unavailable",
        _ => "rejected",
    };
    [
        format!("http_requests_total{{code={status},source=S}} +1"),
        format!("http_request_duration_seconds_count{{outcome={outcome},source=S}} +1"),
    ]
}

/// Holds one request of a source to its answer and to all that it moves: what is common to such requests, and `own`.
async fn moves(bridge: &Bridge, source: &str, request: &[u8], status: u16, common: &[&[&str]], own: &[&str]) {
    let before = numbers(bridge);
    let reply = bridge.send(request).await;
    assert_eq!(reply.status, status, "{}", reply.body);
    settled(bridge).await;
    let scheme = if source == "hotel" { "token" } else { "hmac-sha256" };
    let own = own.iter().chain(common.iter().copied().flatten()).map(|line| (*line).to_owned());
    let named = |line: String| {
        line.replace("source=S", &format!("source={source}")).replace("scheme=A", &format!("scheme={scheme}"))
    };
    let mut expected: Vec<String> = own.chain(answered(status)).map(named).collect();
    expected.sort_unstable();
    assert_eq!(moved(&before, &numbers(bridge)), expected);
}

/// Waits until nothing is on its way.
async fn settled(bridge: &Bridge) {
    let is_idle = || bridge.metrics.in_flight.get() == 0 && bridge.metrics.connections.get() == 0;
    eventually("nothing is on its way", || is_idle() && bridge.count("hookway_events_in_flight", &[]) == 0)
        .await;
}

#[tokio::test]
async fn an_event_its_repeat_and_another_under_its_id_are_counted_once_each() {
    let bridge = Bridge::start(CONFIG).await;
    let accepted = "events_accepted_total{durability=broker,source=S} +1";
    let published = "events_published_total{source=S} +1";
    moves(&bridge, "hotel", &event("1"), 200, &[&READ, &VERIFIED, &KEPT], &[accepted, published]).await;
    let repeated = ["events_duplicate_total{source=S} +1", "events_suppressed_total{source=S} +1", accepted];
    moves(&bridge, "hotel", &event("1"), 200, &[&READ, &VERIFIED], &repeated).await;
    let other = likemagic(&likemagic_body("1", "another"));
    let conflict = [accepted, published, "event_id_conflicts_total{source=S} +1"];
    moves(&bridge, "hotel", &other, 200, &[&READ, &VERIFIED, &KEPT], &conflict).await;
    // The same object, at a time before.
    let older = likemagic_body("2", "QWERTYUI-1").replace("2025-11-03", "2025-11-02");
    let late = [accepted, published, "events_out_of_order_total{source=S} +1"];
    moves(&bridge, "hotel", &likemagic(&older), 200, &[&READ, &VERIFIED, &KEPT], &late).await;
}

#[tokio::test]
async fn what_is_refused_is_counted_under_its_reason_and_as_no_event() {
    let bridge = Bridge::start(CONFIG).await;
    let token = ("lm-webhook-secret", SECRET);
    let hotel = |headers: &[(&str, &str)]| post("/hooks/hotel", headers, b"{}");
    for (request, result) in [
        (hotel(&[("lm-webhook-secret", "another")]), "mismatch"),
        (hotel(&[]), "missing"),
        (hotel(&[token, token]), "malformed"),
    ] {
        let result = format!("verifications_total{{result={result},scheme=A,source=S}} +1");
        let own = ["events_rejected_total{reason=signature_invalid,source=S} +1", &result];
        moves(&bridge, "hotel", &request, 401, &[&READ], &own).await;
    }
    for (request, status, reason) in [
        (hotel(&[token, ("content-encoding", "gzip")]), 415, "encoding_unsupported"),
        (b"GET /hooks/hotel HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(), 405, "method_not_allowed"),
        (
            b"POST /hooks/hotel HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n".to_vec(),
            413,
            "body_too_large",
        ),
        (b"POST /hooks/hotel HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(), 411, "length_required"),
    ] {
        let own = format!("events_rejected_total{{reason={reason},source=S}} +1");
        moves(&bridge, "hotel", &request, status, &[], &[&own]).await;
    }
    let before = numbers(&bridge);
    assert_eq!(bridge.send(&post("/hooks/nobody", &[], b"{}")).await.status, 404);
    settled(&bridge).await;
    assert_eq!(moved(&before, &numbers(&bridge)), ["http_requests_total{code=404,source=unmatched} +1"]);
}

/// What an event in the quarantine moves.
const ASIDE: [&str; 4] = [
    "delivery_attempts_total{result=ok,sink=aside} +1",
    "delivery_duration_seconds_count{sink=aside} +1",
    "event_latency_seconds_count{sink=aside,source=S} +1",
    "events_delivered_total{sink=aside,source=S} +1",
];

#[tokio::test]
async fn each_element_of_a_list_is_counted_for_what_became_of_it() {
    let bridge = Bridge::start(CONFIG).await;
    let mixed = r#"[{"id":"a","type":"t"},{"id":"b","type":"dropped"},{"id":"c"},{"id":"a","type":"t"}]"#;
    let own = [
        "delivery_attempts_total{result=ok,sink=kept} +1",
        "delivery_duration_seconds_count{sink=kept} +1",
        "event_latency_seconds_count{sink=kept,source=S} +1",
        "events_delivered_total{sink=kept,source=S} +1",
        "events_accepted_total{durability=broker,source=S} +4",
        "events_published_total{source=S} +1",
        "events_filtered_total{source=S} +1",
        "events_quarantined_total{reason=unrecognized,source=S} +1",
        "events_keyless_total{source=S} +1",
        "events_duplicate_total{source=S} +1",
        "events_suppressed_total{source=S} +1",
        // The repeat goes no further than to the window.
        "stage_duration_seconds_count{stage=publish} +3",
        "stage_duration_seconds_count{stage=route} +3",
    ];
    moves(&bridge, "list", &list(mixed), 200, &[&READ, &VERIFIED, &ASIDE], &own).await;
    let empty = [
        "events_accepted_total{durability=broker,source=S} +1",
        "events_quarantined_total{reason=unrecognized,source=S} +1",
        "events_keyless_total{source=S} +1",
        "stage_duration_seconds_count{stage=publish} +1",
        "stage_duration_seconds_count{stage=route} +1",
    ];
    moves(&bridge, "list", &list("[]"), 200, &[&READ, &VERIFIED, &ASIDE], &empty).await;
}

#[tokio::test]
async fn a_handshake_is_counted_as_itself_and_as_no_event() {
    let bridge = Bridge::start(CONFIG).await;
    let ask = post("/hooks/hello", &[("content-type", "application/json")], br#"{"ask":"abc"}"#);
    moves(&bridge, "hello", &ask, 200, &[&READ], &["handshakes_total{name=ask,source=S} +1"]).await;
}

#[tokio::test]
async fn what_a_sink_answers_is_counted_at_the_sink_and_decides_what_becomes_of_the_event() {
    let bridge = Bridge::start(CONFIG).await;
    let staged =
        ["stage_duration_seconds_count{stage=publish} +1", "stage_duration_seconds_count{stage=route} +1"];
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Saturated));
    let retriable = [
        "delivery_attempts_total{result=retriable,sink=kept} +1",
        "delivery_errors_total{reason=queue_full,sink=kept} +1",
        "events_rejected_total{reason=sink_unavailable,source=S} +1",
    ];
    moves(&bridge, "hotel", &event("1"), 503, &[&READ, &VERIFIED, &staged], &retriable).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Rejected("x".to_owned())));
    let fatal = [
        "delivery_attempts_total{result=fatal,sink=kept} +1",
        "delivery_errors_total{reason=rejected,sink=kept} +1",
        "events_accepted_total{durability=broker,source=S} +1",
        "events_quarantined_total{reason=rejected,source=S} +1",
    ];
    moves(&bridge, "hotel", &event("2"), 200, &[&READ, &VERIFIED, &ASIDE, &staged], &fatal).await;
    bridge.sink("kept").becomes(Fault::Panics);
    let bug = [
        "events_rejected_total{reason=internal,source=S} +1",
        "stage_duration_seconds_count{stage=route} +1",
    ];
    moves(&bridge, "hotel", &event("3"), 503, &[&READ, &VERIFIED], &bug).await;
    // What was refused can come again, and is then an event like any other.
    bridge.sink("kept").becomes(Fault::None);
    let well =
        ["events_accepted_total{durability=broker,source=S} +1", "events_published_total{source=S} +1"];
    for id in ["1", "3"] {
        moves(&bridge, "hotel", &event(id), 200, &[&READ, &VERIFIED, &KEPT], &well).await;
    }
}

#[tokio::test]
async fn an_event_behind_its_deadline_is_late_and_not_accepted() {
    let bridge =
        Bridge::start(&CONFIG.replace("preset: likemagic,", "preset: likemagic, deadline: 300ms,")).await;
    bridge.sink("kept").becomes(Fault::Held);
    let before = numbers(&bridge);
    let mut connection = Connection::open(bridge.address).await;
    let reply = connection.exchange(&event("1")).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "deadline"));
    drop(connection);
    bridge.sink("kept").let_one_through();
    settled(&bridge).await;
    let own = [
        "events_rejected_total{reason=deadline,source=S} +1",
        "events_late_total{source=S} +1",
        "events_published_total{source=S} +1",
    ];
    let all = own
        .iter()
        .chain(&READ)
        .chain(&VERIFIED)
        .chain(&KEPT)
        .map(|line| (*line).to_owned())
        .chain(answered(503));
    let mut expected: Vec<String> = all
        .map(|line| line.replace("source=S", "source=hotel").replace("scheme=A", "scheme=token"))
        .collect();
    expected.sort_unstable();
    assert_eq!(moved(&before, &numbers(&bridge)), expected);
}

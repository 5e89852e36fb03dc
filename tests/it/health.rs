//! What a supervisor and an operator see of a running process: probes, unset secrets, secrets that change.

use crate::{
    binary::Hookway,
    client::{Connection, post},
    eventually::PATIENCE,
    samples::{SECRET, likemagic_body},
};
use std::fs;
use tokio::time::{Instant, sleep, timeout};

const CONFIG: &str = "
sources:
  hotel: { preset: likemagic, secrets: [ file:$home/secret ] }
  inn: { preset: likemagic, secrets: [ file:$home/other ] }
  unset: { preset: likemagic, secrets: [ file:$home/empty ] }
";

/// Posts a new event to a source with a secret.
async fn status(hookway: &Hookway, source: &str, secret: &str) -> u16 {
    let body = likemagic_body(&uuid::Uuid::now_v7().to_string(), "a");
    let headers = [("lm-webhook-secret", secret)];
    hookway.send(&post(&format!("/hooks/{source}"), &headers, body.as_bytes())).await.status
}

/// Waits until a source accepts a secret.
async fn accepts(hookway: &Hookway, source: &str, secret: &str) {
    let end = Instant::now() + PATIENCE;
    while status(hookway, source, secret).await != 200 {
        assert!(Instant::now() < end, "{source} never took up its new secret:\n{}", hookway.log());
        sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Waits until the admin listener answers a path with this status.
async fn answers(hookway: &Hookway, path: &str, wanted: u16) {
    let end = Instant::now() + PATIENCE;
    while hookway.ask(path).await.status != wanted {
        assert!(Instant::now() < end, "{path} never answered {wanted}");
        sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn probes_tell_that_the_process_lives_has_started_and_can_be_sent_to() {
    let hookway = Hookway::start(CONFIG);
    answers(&hookway, "/readyz", 200).await;
    for path in ["/livez", "/startupz", "/readyz"] {
        let reply = hookway.ask(path).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "ok\n"), "{path}");
    }
    let verbose = hookway.ask("/readyz?verbose").await.body;
    for part in ["[+]sink.journal ok", "[+]sink.quarantine ok", "[!]source.unset has no usable secret"] {
        assert!(verbose.contains(part), "{part} is missing in {verbose}");
    }
    assert!(!verbose.contains("source.hotel"), "{verbose}");
    assert_eq!(status(&hookway, "unset", "").await, 503);
    assert!(hookway.log().contains("a secret or key file is missing"));
    assert!(hookway.ask("/metrics").await.body.contains("\nhookway_ready 1\n"));
    // Each listener has its own paths.
    assert_eq!(hookway.ask("/hooks/hotel").await.status, 404);
    for path in ["/metrics", "/readyz", "/livez"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(hookway.send(request.as_bytes()).await.status, 404, "{path} is not public");
    }
}

#[tokio::test]
async fn half_sent_heads_on_the_admin_port_keep_no_probe_from_its_answer_and_are_ended() {
    let hookway = Hookway::start(CONFIG);
    answers(&hookway, "/readyz", 200).await;
    let mut held = Vec::new();
    for _ in 0..300 {
        let mut half = Connection::open(hookway.admin).await;
        half.send(b"GET /livez HTTP/1.1\r\nhost: a\r\n").await;
        held.push(half);
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(hookway.ask(path).await.status, 200, "{path}");
    }
    for (at, half) in held.iter_mut().enumerate() {
        let reply = timeout(PATIENCE, half.reply()).await;
        assert!(reply.is_ok_and(|reply| reply.is_none()), "half head {at} was left open");
    }
}

#[tokio::test]
async fn a_sink_that_was_never_reached_keeps_its_sources_at_503_and_the_process_ready() {
    // Port 1 of the loopback device: nothing listens there.
    let hookway = Hookway::start(
        "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
sinks:
  bus: { nats: { servers: [ 'nats://127.0.0.1:1' ], stream: S } }
  log: { kafka: { brokers: [ '127.0.0.1:1' ] } }
  aside: { journal: { dir: $home/aside } }
routes: [ { to: [ { sink: bus, subject: 'w.{key}' }, { sink: log, topic: w } ] } ]
quarantine: { sink: aside }
",
    );
    for path in ["/livez", "/startupz", "/readyz"] {
        answers(&hookway, path, 200).await;
    }
    let verbose = hookway.ask("/readyz?verbose").await.body;
    let away = |sink: &str| format!("[!]sink.{sink} failed: the broker does not answer: ");
    for sink in ["bus", "log"] {
        let line =
            verbose.lines().find(|line| line.starts_with(&away(sink))).unwrap_or_else(|| panic!("{verbose}"));
        assert!(line.contains("127.0.0.1:1") && line.contains("Connection refused"), "{line}");
    }
    assert!(hookway.ask("/metrics").await.body.contains("hookway_sink_up{sink=\"bus\"} 0"));
    assert_eq!(status(&hookway, "hotel", SECRET).await, 503);
    let log = hookway.log();
    let refused = log.lines().find(|line| line.contains("\"refused\"")).unwrap();
    assert!(refused.contains("127.0.0.1:1") && refused.contains("Connection refused"), "{refused}");
    // What their clients say is one line each, with the address, however often they try.
    for broker in ["kafka at 127.0.0.1:1: ", "nats at nats://127.0.0.1:1: "] {
        assert_eq!(log.matches(broker).count(), 1, "{log}");
    }
}

#[tokio::test]
async fn a_rotated_secret_is_taken_up_and_an_emptied_file_keeps_the_last_good_one() {
    let hookway = Hookway::start(CONFIG);
    answers(&hookway, "/readyz", 200).await;
    assert_eq!(status(&hookway, "hotel", SECRET).await, 200);

    fs::write(hookway.path("secret"), "canary-second-secret").unwrap();
    accepts(&hookway, "hotel", "canary-second-secret").await;
    assert_eq!(status(&hookway, "hotel", SECRET).await, 401, "the old one is out");

    fs::write(hookway.path("secret"), "").unwrap();
    // That two later changes elsewhere were taken up shows that the emptied file was looked at in between.
    for secret in ["canary-third-secret", "canary-fourth-secret"] {
        fs::write(hookway.path("other"), secret).unwrap();
        accepts(&hookway, "inn", secret).await;
    }
    assert_eq!(status(&hookway, "hotel", "canary-second-secret").await, 200);
    assert_eq!(status(&hookway, "hotel", "").await, 401);
    let told = format!("{}{}", hookway.log(), hookway.ask("/metrics").await.body);
    assert!(!told.contains("canary"), "{told}");
}

#[tokio::test]
async fn a_secret_file_that_is_gone_holds_up_no_other_and_is_told() {
    let hookway = Hookway::start(
        "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret, file:$home/other ] } }
",
    );
    answers(&hookway, "/readyz", 200).await;
    fs::remove_file(hookway.path("secret")).unwrap();
    for secret in ["canary-third-secret", "canary-fourth-secret"] {
        fs::write(hookway.path("other"), secret).unwrap();
        accepts(&hookway, "hotel", secret).await;
    }
    assert_eq!(status(&hookway, "hotel", SECRET).await, 200, "for a minute it still counts");
    let metrics = hookway.ask("/metrics").await.body;
    assert!(metrics.contains("hookway_secret_files_missing{source=\"hotel\"} 1"), "{metrics}");
    let ready = hookway.ask("/readyz?verbose").await;
    assert_eq!(ready.status, 200);
    assert!(ready.body.contains("still in use, dropped soon"), "{}", ready.body);
    assert!(hookway.log().contains("a secret or key file is missing"), "{}", hookway.log());
}

/// Waits until the verbose readiness of a process holds `part`, or no more.
async fn is_told(hookway: &Hookway, part: &str, wanted: bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let told = hookway.ask("/readyz?verbose").await.body;
        if told.contains(part) == wanted {
            return;
        }
        assert!(Instant::now() < end, "{part:?} in {told}: {}", !wanted);
        sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_key_file_that_holds_no_key_is_told_at_the_start_and_later() {
    let event = "event: { format: json, type: /type, key: /id, id: /id }";
    let hookway = Hookway::start(&format!(
        "
sources:
  tokens:
    sender: acme
    verify: {{ algorithm: jwt, jwt: {{ algorithms: [ RS256 ], jwks: $home/empty, issuer: i, audience: a }} }}
    {event}
  texts:
    sender: acme
    verify: {{ algorithm: jwt, jwt: {{ algorithms: [ RS256 ], jwks: $home/secret, issuer: i, audience: a }} }}
    {event}
  certified:
    sender: acme
    verify: {{ algorithm: rsa-x509, header: x-signature, encoding: base64, message: '{{body}}', certificate: {{ files: [ $home/other ] }} }}
    {event}
"
    ));
    answers(&hookway, "/readyz", 200).await;
    for source in ["tokens", "texts", "certified"] {
        is_told(&hookway, &format!("[!]source.{source} has no usable secret"), true).await;
    }
    is_told(&hookway, "can't use what is there: ", true).await;
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/");
    fs::copy(format!("{keys}rsa.jwks.json"), hookway.path("secret")).unwrap();
    fs::copy(format!("{keys}certificate-1.pem"), hookway.path("other")).unwrap();
    for source in ["texts", "certified"] {
        is_told(&hookway, &format!("[!]source.{source}"), false).await;
    }
    fs::write(hookway.path("secret"), "{\"keys\":[").unwrap();
    is_told(&hookway, "[!]source.texts.files can't use what is there: ", true).await;
    is_told(&hookway, "[!]source.texts has no", false).await;
    let metrics = hookway.ask("/metrics").await.body;
    for (source, count) in [("tokens", 1), ("texts", 1), ("certified", 0)] {
        let line = format!("hookway_secret_files_missing{{source=\"{source}\"}} {count}");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn a_body_that_came_while_the_process_stood_still_is_taken_and_no_fault_of_its_sender() {
    let hookway = Hookway::start(&format!("{CONFIG}limits: {{ body: 500ms }}\n"));
    answers(&hookway, "/readyz", 200).await;
    // More than the connection reads at once.
    let body = likemagic_body("still", "a")
        .replace("\"context\":{}", &format!("\"context\":\"{}\"", "x".repeat(100_000)));
    let request = post(
        "/hooks/hotel",
        &[("lm-webhook-secret", SECRET), ("content-type", "application/json")],
        body.as_bytes(),
    );
    let (before, rest) = request.split_at(request.len() - 90_000);
    let mut connection = Connection::open(hookway.webhooks).await;
    connection.send(before).await;
    let begun =
        || async { hookway.ask("/metrics").await.body.contains("\nhookway_http_requests_in_flight 1\n") };
    while !begun().await {
        sleep(std::time::Duration::from_millis(20)).await;
    }
    hookway.process.signal("STOP");
    connection.send(rest).await;
    // Its time goes by, and nobody is here to read.
    sleep(std::time::Duration::from_millis(900)).await;
    hookway.process.signal("CONT");
    let reply = connection.reply().await.expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.body);
}

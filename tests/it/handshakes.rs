//! Handshakes over HTTP: each form that senders use, answered as they want it, and never published.

use crate::{
    binary::Hookway,
    bridge::Bridge,
    client::{Reply, post},
    deadline,
    eventually::{PATIENCE, eventually},
    samples::{SECRET, hmac},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// One source for each form of handshake; `$home` is the test's folder.
const CONFIG: &str = r#"
sources:
  zoom:
    secrets: [ file:$home/secret ]
    verify: { algorithm: hmac-sha256, header: x-zm-signature, encoding: hex }
    event: { type: /event }
    respond:
      - name: url-validation
        when: { is: { /event: endpoint.url_validation } }
        reply: { json: { plainToken: "{/payload/plainToken}", encryptedToken: "{hmac:sha256:hex:/payload/plainToken}" } }
  x:
    secrets: [ file:$home/secret ]
    verify: { algorithm: hmac-sha256, header: x-twitter-webhooks-signature, prefix: "sha256=", encoding: base64 }
    respond:
      - name: crc
        when: { method: GET, has: [ query:crc_token ] }
        reply: { json: { response_token: "sha256={hmac:sha256:base64:query:crc_token}" } }
  slack:
    secrets: [ file:$home/secret ]
    verify: { algorithm: hmac-sha256, header: x-slack-signature, prefix: "v0=", encoding: hex }
    respond:
      - name: url-verification
        verified: true
        when: { is: { /type: url_verification } }
        reply: { text: "{/challenge}" }
  meta:
    secrets: [ file:$home/secret ]
    params: { verify_token: file:$home/secret }
    verify: { algorithm: hmac-sha256, header: x-hub-signature-256, prefix: "sha256=", encoding: hex }
    respond:
      - name: subscribe
        when: { method: GET, is: { query:hub.mode: subscribe, query:hub.verify_token: "{param:verify_token}" } }
        reply: { text: "{query:hub.challenge}" }
  dropbox:
    secrets: [ file:$home/secret ]
    verify: { algorithm: hmac-sha256, header: x-dropbox-signature, encoding: hex }
    respond:
      - { name: challenge, when: { method: GET, has: [ query:challenge ] }, reply: { text: "{query:challenge}" } }
  okta:
    secrets: [ file:$home/secret ]
    verify: { algorithm: token, header: authorization }
    respond:
      - name: verification
        when: { method: GET, has: [ header:x-okta-verification-challenge ] }
        reply: { json: { verification: "{header:x-okta-verification-challenge}" } }
  graph:
    verify: { algorithm: none }
    respond:
      - { name: validation, when: { has: [ query:validationToken ] }, reply: { text: "{query:validationToken}" } }
  grid:
    secrets: [ file:$home/secret ]
    verify: { algorithm: token, header: authorization }
    respond:
      - name: validation
        when: { is: { header:aeg-event-type: SubscriptionValidation } }
        reply: { json: { validationResponse: "{/0/data/validationCode}" } }
  cloud:
    secrets: [ file:$home/secret ]
    verify: { algorithm: token, header: authorization }
    respond:
      - name: permission
        when: { method: OPTIONS, has: [ header:webhook-request-origin ] }
        reply:
          headers:
            webhook-allowed-origin: "{header:webhook-request-origin}"
            webhook-allowed-rate: "{header:webhook-request-rate|'*'}"
  discord:
    secrets: [ file:$home/secret ]
    verify: { algorithm: hmac-sha256, header: x-signature, encoding: hex }
    respond:
      - { name: ping, verified: true, when: { is: { /type: "0" } }, reply: { status: 204 } }
      - { name: interaction, verified: true, when: { is: { /type: "1" } }, reply: { json: { type: 1 } } }
  trello:
    secrets: [ file:$home/secret ]
    verify: { algorithm: hmac-sha1, header: x-trello-webhook, encoding: base64 }
    respond: [ { name: hello, when: { method: HEAD } } ]
  asana:
    secrets: [ file:$home/asana ]
    capture: { file: $home/asana, until: 2999-01-01T00:00:00Z }
    verify: { algorithm: hmac-sha256, header: x-hook-signature, encoding: hex }
    respond:
      - name: secret
        when: { has: [ header:x-hook-secret ] }
        capture: header:x-hook-secret
        reply: { headers: { x-hook-secret: "{header:x-hook-secret}" } }
  notion:
    secrets: [ file:$home/notion ]
    verify: { algorithm: hmac-sha256, header: x-notion-signature, prefix: "sha256=", encoding: hex }
    respond: [ { name: token, when: { has: [ /verification_token ] }, capture: /verification_token } ]
  late:
    secrets: [ file:$home/late ]
    capture: { file: $home/late, until: 2001-01-01T00:00:00Z }
    verify: { algorithm: hmac-sha256, header: x-notion-signature, prefix: "sha256=", encoding: hex }
    respond: [ { name: token, when: { has: [ /verification_token ] }, capture: /verification_token } ]
  sns:
    secrets: [ file:$home/secret ]
    verify: { algorithm: token, header: authorization }
    respond:
      - name: confirmation
        verified: true
        when: { is: { /Type: SubscriptionConfirmation } }
        confirm: { at: /SubscribeURL, hosts: [ sns.*.amazonaws.com ] }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
"#;

async fn start() -> Bridge {
    Bridge::start(CONFIG).await
}

/// Sends a request without a body.
async fn ask(bridge: &Bridge, method: &str, target: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: a\r\n");
    for (name, value) in headers {
        request.extend([*name, ": ", *value, "\r\n"]);
    }
    bridge.send([request.as_bytes(), b"\r\n"].concat().as_slice()).await
}

/// Posts a JSON body, with the HMAC over it in `header` where one is named.
async fn tell(bridge: &Bridge, source: &str, header: Option<(&str, &str)>, body: &str) -> Reply {
    let signed = header.map(|(name, prefix)| (name, format!("{prefix}{}", hmac(body.as_bytes()))));
    let headers: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    bridge.send(&post(&format!("/hooks/{source}"), &headers, body.as_bytes())).await
}

/// Holds that a handshake was answered, counted and not published.
fn is_answered(bridge: &Bridge, reply: &Reply, source: &str, name: &str) {
    assert_eq!(reply.status / 100, 2, "{reply:?}\n{}", bridge.logs.text());
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("hookway-event-id"), None);
    assert_eq!(
        bridge.count("hookway_handshakes_total", &[("source", source), ("name", name)]),
        1,
        "{source}"
    );
    assert!(bridge.stored("kept").is_empty() && bridge.stored("aside").is_empty(), "nothing is published");
    assert!(!format!("{reply:?}{}", bridge.logs.text()).contains(SECRET), "a secret was told");
}

fn json_of(reply: &Reply) -> Value {
    assert_eq!(reply.header("content-type"), Some("application/json"));
    serde_json::from_str(&reply.body).expect("an answer in JSON")
}

fn text_of(reply: &Reply) -> &str {
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    &reply.body
}

#[tokio::test]
async fn zoom_hears_its_token_and_the_hmac_of_it() {
    let bridge = start().await;
    let body = r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qW-e_1"},"event_ts":1}"#;
    let reply = tell(&bridge, "zoom", None, body).await;
    is_answered(&bridge, &reply, "zoom", "url-validation");
    assert_eq!(json_of(&reply), json!({ "plainToken": "qW-e_1", "encryptedToken": hmac(b"qW-e_1") }));
}

#[tokio::test]
async fn x_hears_the_hmac_of_its_token() {
    let bridge = start().await;
    let reply = ask(&bridge, "GET", "/hooks/x?crc_token=abc%2B1&nonce=2", &[]).await;
    is_answered(&bridge, &reply, "x", "crc");
    let mac = STANDARD.encode(hex::decode(hmac(b"abc+1")).unwrap());
    assert_eq!(json_of(&reply), json!({ "response_token": format!("sha256={mac}") }));
}

#[tokio::test]
async fn free_text_is_never_signed_for_a_stranger() {
    let bridge = start().await;
    for token in ["%7B%22event%22%3A1%7D", "v0%3A1700000000%3A%7B%7D", &"a".repeat(129), ""] {
        let reply = ask(&bridge, "GET", &format!("/hooks/x?crc_token={token}"), &[]).await;
        assert!([400, 403].contains(&reply.status), "{token}: {reply:?}");
        assert!(!reply.body.contains("sha256="));
    }
}

#[tokio::test]
async fn slack_hears_its_challenge_only_where_it_has_signed_it() {
    let bridge = start().await;
    let body = r#"{"type":"url_verification","challenge":"3eZbrw1aB","token":"x"}"#;
    let reply = tell(&bridge, "slack", None, body).await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "signature_invalid"));
    let reply = tell(&bridge, "slack", Some(("x-slack-signature", "v0=")), body).await;
    is_answered(&bridge, &reply, "slack", "url-verification");
    assert_eq!(text_of(&reply), "3eZbrw1aB");
}

#[tokio::test]
async fn meta_hears_its_challenge_only_with_the_right_token() {
    let bridge = start().await;
    let target = |token: &str| {
        format!("/hooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}")
    };
    for wrong in ["guess", "", &SECRET.to_uppercase(), &format!("{SECRET}&hub.verify_token={SECRET}")] {
        let reply = ask(&bridge, "GET", &target(wrong), &[]).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "handshake_refused"), "{wrong}");
    }
    let reply = ask(&bridge, "GET", &target(SECRET), &[]).await;
    is_answered(&bridge, &reply, "meta", "subscribe");
    assert_eq!(text_of(&reply), "1158201444");
}

#[tokio::test]
async fn dropbox_hears_its_challenge_as_plain_text_that_no_browser_takes_for_a_page() {
    let bridge = start().await;
    let reply =
        ask(&bridge, "GET", "/hooks/dropbox?challenge=%3Cscript%3Ealert(1)%3C%2Fscript%3E", &[]).await;
    is_answered(&bridge, &reply, "dropbox", "challenge");
    assert_eq!(text_of(&reply), "<script>alert(1)</script>");
}

#[tokio::test]
async fn what_is_sent_back_is_short_and_has_no_control_characters() {
    let bridge = start().await;
    let longest = "a".repeat(1024);
    let reply = ask(&bridge, "GET", &format!("/hooks/dropbox?challenge={longest}"), &[]).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, longest.as_str()));
    let refused =
        [format!("{longest}a"), "a%00".into(), "a%0d%0aset-cookie:%20b".into(), "a%7f".into(), "%ff".into()];
    for value in refused {
        let reply = ask(&bridge, "GET", &format!("/hooks/dropbox?challenge={value}"), &[]).await;
        assert!([400, 403].contains(&reply.status), "{value}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn okta_hears_its_header_as_json() {
    let bridge = start().await;
    let reply =
        ask(&bridge, "GET", "/hooks/okta", &[("x-okta-verification-challenge", "my \"value\"")]).await;
    is_answered(&bridge, &reply, "okta", "verification");
    assert_eq!(json_of(&reply), json!({ "verification": "my \"value\"" }));
}

#[tokio::test]
async fn graph_hears_its_token_decoded() {
    let bridge = start().await;
    let reply =
        bridge.send(&post("/hooks/graph?validationToken=Validation%3A+Z%C3%BCrich+1", &[], b"")).await;
    is_answered(&bridge, &reply, "graph", "validation");
    assert_eq!(text_of(&reply), "Validation: Zürich 1");
}

#[tokio::test]
async fn event_grid_hears_its_code() {
    let bridge = start().await;
    let body = r#"[{"id":"1","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]"#;
    let headers = [("aeg-event-type", "SubscriptionValidation")];
    let reply = bridge.send(&post("/hooks/grid", &headers, body.as_bytes())).await;
    is_answered(&bridge, &reply, "grid", "validation");
    assert_eq!(json_of(&reply), json!({ "validationResponse": "512d38b6" }));
}

#[tokio::test]
async fn a_sender_of_cloudevents_hears_that_it_may_send() {
    let bridge = start().await;
    let headers = [("webhook-request-origin", "emitter.example.com"), ("webhook-request-rate", "120")];
    let reply = ask(&bridge, "OPTIONS", "/hooks/cloud", &headers).await;
    is_answered(&bridge, &reply, "cloud", "permission");
    let told =
        ["webhook-allowed-origin", "webhook-allowed-rate", "allow"].map(|name| reply.header(name).unwrap());
    assert_eq!((reply.status, told), (200, ["emitter.example.com", "120", "POST"]));
    let reply = ask(&bridge, "OPTIONS", "/hooks/cloud", &headers[..1]).await;
    assert_eq!(reply.header("webhook-allowed-rate"), Some("*"));
}

#[tokio::test]
async fn discord_hears_its_ping_and_its_wrong_signatures_are_401() {
    let bridge = start().await;
    assert_eq!(tell(&bridge, "discord", None, r#"{"type":0}"#).await.status, 401);
    let signed = Some(("x-signature", ""));
    let reply = tell(&bridge, "discord", signed, r#"{"type":0}"#).await;
    is_answered(&bridge, &reply, "discord", "ping");
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    let reply = tell(&bridge, "discord", signed, r#"{"type":1}"#).await;
    is_answered(&bridge, &reply, "discord", "interaction");
    assert_eq!(json_of(&reply), json!({ "type": 1 }));
}

#[tokio::test]
async fn trello_looks_whether_somebody_is_there() {
    let bridge = start().await;
    let reply = ask(&bridge, "HEAD", "/hooks/trello", &[]).await;
    is_answered(&bridge, &reply, "trello", "hello");
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
}

#[tokio::test]
async fn asana_hands_over_its_secret_once_and_hears_it_back() {
    let bridge = start().await;
    let ask = |secret: &'static str| bridge.send_with("/hooks/asana", "x-hook-secret", secret);
    let reply = ask("b537207f20cbfa02357cf448134da559").await;
    is_answered(&bridge, &reply, "asana", "secret");
    assert_eq!(reply.header("x-hook-secret"), Some("b537207f20cbfa02357cf448134da559"));
    assert_eq!(std::fs::read_to_string(bridge.path("asana")).unwrap(), "b537207f20cbfa02357cf448134da559");
    assert!(!bridge.logs.text().contains("b537207f"), "the secret is not logged");
    assert_eq!(ask("b537207f20cbfa02357cf448134da559").await.status, 200, "a repeat that missed its answer");
    let reply = ask("another-secret-of-somebody-else").await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "handshake_unready"));
    assert_eq!(std::fs::read_to_string(bridge.path("asana")).unwrap(), "b537207f20cbfa02357cf448134da559");
}

#[tokio::test]
async fn a_secret_whose_file_does_not_answer_is_503_at_the_deadline() {
    let config =
        CONFIG.replace("secrets: [ file:$home/asana ]", "secrets: [ file:$home/asana ]\n    deadline: 200ms");
    let bridge = Bridge::start(&config).await;
    // Whoever opens a pipe to read it waits until somebody writes: a disk that takes its time.
    let pipe = bridge.path("asana");
    drop(std::fs::remove_file(&pipe));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for _ in 0..2 {
        let reply = bridge.send_with("/hooks/asana", "x-hook-secret", "a-secret-that-is-handed-over").await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "handshake_unready"));
    }
    drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
}

#[tokio::test]
async fn a_secret_that_nobody_takes_is_503_and_the_log_says_how_to_take_it() {
    let bridge = start().await;
    let body = r#"{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZG"}"#;
    for (source, told) in [("notion", "capture: { file: PATH, until: TIME }"), ("late", "is over")] {
        let reply = tell(&bridge, source, None, body).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "handshake_unready"));
        assert!(reply.header("retry-after").is_some());
        eventually("the log says why", || bridge.logs.text().contains(told)).await;
        assert!(!bridge.path(source).exists());
    }
    assert!(!bridge.logs.text().contains("secret_tMrl"), "the secret is not logged");
}

#[tokio::test]
async fn a_source_that_has_its_secret_takes_no_other() {
    let bridge =
        Bridge::start(&CONFIG.replace("[ file:$home/asana ]", "[ file:$home/asana, file:$home/secret ]"))
            .await;
    let reply = bridge.send_with("/hooks/asana", "x-hook-secret", "a-secret-of-somebody-else").await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "signature_invalid"));
    assert!(!bridge.path("asana").exists());
}

#[tokio::test]
async fn agreement_is_the_operators_to_give() {
    let bridge = start().await;
    let body = r#"{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.eu-west-1.amazonaws.com/?Token=1"}"#;
    assert_eq!(
        tell(&bridge, "sns", None, body).await.status,
        401,
        "an unsigned address is not even looked at"
    );
    let reply = bridge.send(&post("/hooks/sns", &[("authorization", SECRET)], body.as_bytes())).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "handshake_unready"));
    assert!(bridge.logs.text().contains("confirm: true"));
    let elsewhere = body.replace("sns.eu-west-1.amazonaws.com", "169.254.169.254");
    let reply = bridge.send(&post("/hooks/sns", &[("authorization", SECRET)], elsewhere.as_bytes())).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "request_malformed"));
    assert!(bridge.stored("kept").is_empty() && bridge.stored("aside").is_empty());
}

#[tokio::test]
async fn an_address_is_fetched_where_the_operator_agrees() {
    let bridge = Bridge::start(&CONFIG.replace("  sns:\n", "  sns:\n    confirm: true\n")).await;
    let address = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=23";
    let body = format!(r#"{{"Type":"SubscriptionConfirmation","SubscribeURL":"{address}"}}"#);
    let signed = post("/hooks/sns", &[("authorization", SECRET)], body.as_bytes());
    let send = || bridge.send(&signed);
    assert_eq!(tell(&bridge, "sns", None, &body).await.status, 401);
    assert!(bridge.agreeing.asked().is_empty(), "an unsigned address is not fetched");
    bridge.agreeing.refuses(Some("the server answers 403"));
    let reply = send().await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "handshake_unready"));
    assert!(bridge.logs.text().contains("the server answers 403"));
    bridge.agreeing.refuses(None);
    let reply = send().await;
    is_answered(&bridge, &reply, "sns", "confirmation");
    assert_eq!(bridge.agreeing.asked(), [address, address]);
    assert!(!bridge.logs.text().contains("Token=23"), "the address holds a token");
}

#[tokio::test]
async fn a_method_that_no_handshake_uses_is_405_and_told_those_that_are() {
    let bridge = start().await;
    for (source, method, allowed) in [
        ("x", "PUT", "POST, GET"),
        ("x", "PATCH", "POST, GET"),
        ("cloud", "GET", "POST, OPTIONS"),
        ("zoom", "GET", "POST"),
    ] {
        let reply = ask(&bridge, method, &format!("/hooks/{source}"), &[]).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)), "{source} {method}");
    }
}

#[tokio::test]
async fn what_is_no_handshake_goes_the_ordinary_way() {
    let bridge = start().await;
    let reply = tell(&bridge, "zoom", Some(("x-zm-signature", "")), r#"{"event":"meeting.started"}"#).await;
    assert_eq!(reply.status, 200);
    let reply =
        tell(&bridge, "slack", Some(("x-slack-signature", "v0=")), r#"{"type":"event_callback"}"#).await;
    assert_eq!(reply.status, 200);
    let reply = tell(
        &bridge,
        "zoom",
        Some(("x-zm-signature", "")),
        r#"{"event":"a","event":"endpoint.url_validation"}"#,
    )
    .await;
    assert_eq!(reply.status, 200, "a member that stands twice is no handshake");
    assert_eq!(tell(&bridge, "zoom", None, r#"{"event":"meeting.started"}"#).await.status, 401);
    assert_eq!(bridge.stored("kept").len() + bridge.stored("aside").len(), 3);
    assert_eq!(bridge.count("hookway_handshakes_total", &[]), 0);
}

#[tokio::test]
async fn a_handshake_keeps_to_the_limits_of_the_source() {
    let bridge = Bridge::start(&CONFIG.replace("  zoom:\n", "  zoom:\n    max_body: 100B\n")).await;
    let body =
        format!(r#"{{"event":"endpoint.url_validation","payload":{{"plainToken":"{}"}}}}"#, "a".repeat(100));
    assert_eq!(tell(&bridge, "zoom", None, &body).await.status, 413);
}

#[tokio::test]
async fn a_secret_that_was_handed_over_verifies_what_follows_without_a_restart() {
    let hookway = Hookway::start(
        "
sources:
  tasks:
    secrets: [ file:$home/asana ]
    capture: { file: $home/asana, until: 2999-01-01T00:00:00Z }
    verify: { algorithm: hmac-sha256, header: x-hook-signature, encoding: hex }
    respond:
      - name: secret
        when: { has: [ header:x-hook-secret ] }
        capture: header:x-hook-secret
        reply: { headers: { x-hook-secret: '{header:x-hook-secret}' } }
",
    );
    let body = br#"{"events":[]}"#;
    let signature = hmac(body);
    let signed = post("/hooks/tasks", &[("x-hook-signature", &signature)], body);
    assert_eq!(hookway.send(&signed).await.code(), "secret_unset");
    let reply = hookway.send(&post("/hooks/tasks", &[("x-hook-secret", SECRET)], b"{}")).await;
    assert_eq!((reply.status, reply.header("x-hook-secret")), (200, Some(SECRET)));
    let is_read = || hookway.log().contains("secrets were read").then_some(());
    deadline::until("the secret was taken into use", PATIENCE, is_read);
    let reply = hookway.send(&signed).await;
    assert_eq!(reply.status, 200, "{}", hookway.log());
    assert!(!hookway.log().contains(SECRET), "the secret is not logged");
    let metrics = hookway.ask("/metrics").await.body;
    assert!(metrics.contains(r#"hookway_handshakes_total{name="secret",source="tasks"} 1"#), "{metrics}");
}

impl Bridge {
    /// Posts an empty object with one header.
    async fn send_with(&self, path: &str, name: &str, value: &str) -> Reply {
        self.send(&post(path, &[(name, value)], b"{}")).await
    }
}

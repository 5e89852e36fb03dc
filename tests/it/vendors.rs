//! What vendors do beside signed JSON of ordinary size: forms with files, checks and reports that are not signed, large
//! bodies, and tests that want a refusal without a body.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::{Reply, post},
    samples::hmac,
};
use hookway::clock;

/// The ordinary sinks with other sources.
fn with(sources: &str) -> String {
    let sinks = ORDINARY.find("sinks:").expect("sinks");
    format!("sources:\n  {sources}\n{}", &ORDINARY[sinks..])
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_form_with_a_file_is_verified_by_its_fields() {
    let bridge = Bridge::start(&with("mail: { preset: mailgun-form, secrets: [ file:$home/secret ] }")).await;
    let time = clock::now().as_second().to_string();
    let form = |token: &str, signature: &str| {
        let part = |(name, value): (&str, &str)| {
            format!("--xYzZY\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields = [
            ("recipient", "doors@example.com"),
            ("timestamp", &time),
            ("token", token),
            ("signature", signature),
        ];
        let file = "--xYzZY\r\nContent-Disposition: form-data; name=\"attachment-1\"; filename=\"r.pdf\"\r\n\
                    Content-Type: application/pdf\r\n\r\n%PDF-\0\r\n--xYzZY--\r\n";
        let body = fields.map(part).concat() + file;
        post("/hooks/mail", &[("content-type", "multipart/form-data; boundary=xYzZY")], body.as_bytes())
    };
    let signature = hmac(format!("{time}t2").as_bytes());
    assert_eq!(bridge.send(&form("t2", &signature)).await.status, 200);
    assert_eq!(bridge.send(&form("t3", &signature)).await.status, 401, "another token");
    let stored = bridge.stored("kept");
    assert_eq!(stored.len(), 1);
    let envelope = &stored[0].envelope;
    assert_eq!(envelope["type"], "com.mailgun.inbound");
    assert_eq!(envelope["partitionkey"], "recipient:doors@example.com");
    assert!(envelope["data_base64"].is_string(), "{envelope}");
}

#[tokio::test]
async fn a_vendor_s_own_check_is_answered_and_never_published() {
    let sources = "bb: { preset: bitbucket-server, secrets: [ file:$home/secret ] }
  chat: { preset: slack, secrets: [ file:$home/secret ] }";
    let bridge = Bridge::start(&with(sources)).await;
    let ping = [JSON, ("x-event-key", "diagnostics:ping"), ("x-request-id", "d872ad25")];
    assert_eq!(bridge.send(&post("/hooks/bb", &ping, br#"{"test": true}"#)).await.status, 200);
    let body = "ssl_check=1&token=abc";
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(bridge.send(&post("/hooks/chat", &[form], body.as_bytes())).await.status, 200);
    let time = clock::now().as_second().to_string();
    let signature = format!("v0={}", hmac(format!("v0:{time}:{body}").as_bytes()));
    let signed = [form, ("x-slack-request-timestamp", &time), ("x-slack-signature", &signature)];
    assert_eq!(bridge.send(&post("/hooks/chat", &signed, body.as_bytes())).await.status, 200);
    let other = [JSON, ("x-event-key", "repo:refs_changed")];
    assert_eq!(bridge.send(&post("/hooks/bb", &other, br#"{"test": true}"#)).await.status, 401, "no check");
    assert!(bridge.stored("kept").is_empty() && bridge.stored("aside").is_empty());
    let body = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message","url":"http://a?x&ssl_check=1&y"}}"#;
    let signature = format!("v0={}", hmac(format!("v0:{time}:{body}").as_bytes()));
    let message = [JSON, ("x-slack-request-timestamp", &time), ("x-slack-signature", &signature)];
    assert_eq!(bridge.send(&post("/hooks/chat", &message, body.as_bytes())).await.status, 200);
    assert_eq!(bridge.stored("kept").len(), 1, "a text is no field");
}

#[tokio::test]
async fn an_unsigned_report_is_taken_where_the_source_says_so_and_marked() {
    let report = |source: &str, code: &str| {
        let item = format!(
            r#"{{"amount":{{"currency":"EUR","value":0}},"eventCode":"{code}","merchantAccountCode":"Acme","pspReference":"batch_1.csv","success":"true"}}"#
        );
        let body =
            format!(r#"{{"live":"false","notificationItems":[{{"NotificationRequestItem":{item}}}]}}"#);
        post(&format!("/hooks/{source}"), &[JSON], body.as_bytes())
    };
    let sources = "pay: { preset: adyen, secrets: [ file:$home/hex ] }
  reports: { preset: adyen-reports, secrets: [ file:$home/hex ] }";
    let bridge = Bridge::start(&with(sources)).await;
    assert_eq!(bridge.send(&report("pay", "REPORT_AVAILABLE")).await.status, 401);
    assert_eq!(bridge.send(&report("reports", "AUTHORISATION")).await.status, 401);
    assert_eq!(bridge.send(&report("reports", "REPORT_AVAILABLE")).await.status, 200);
    let stored = bridge.stored("kept");
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].envelope["hookwayverified"], "none");
    assert_eq!(stored[0].envelope["subject"], "report/Acme:batch_1.csv");
}

#[tokio::test]
async fn a_refusal_has_no_body_where_the_sender_takes_none() {
    let sources = "ledger: { preset: hmac, secrets: [ file:$home/secret ], reply: { problems: false } }
  other: { preset: hmac, secrets: [ file:$home/secret ] }";
    let bridge = Bridge::start(&with(sources)).await;
    let told = |reply: &Reply| (reply.status, reply.body.is_empty(), reply.header("content-type").is_none());
    let (right, wrong) = (hmac(b"{}"), hmac(b"{ }"));
    let ask = |source: &str, signature: &str| {
        post(&format!("/hooks/{source}"), &[JSON, ("x-signature", signature)], b"{}")
    };
    assert_eq!(told(&bridge.send(&ask("ledger", &right)).await), (200, true, true));
    assert_eq!(told(&bridge.send(&ask("ledger", &wrong)).await), (401, true, true));
    assert_eq!(told(&bridge.send(&ask("other", &wrong)).await), (401, false, false));
}

#[tokio::test]
async fn a_preset_takes_what_its_sender_sends_at_most() {
    let bridge = Bridge::start(&with("code: { preset: github, secrets: [ file:$home/secret ] }")).await;
    let push = |bytes: usize| {
        let body = format!(r#"{{"repository":{{"id":7}},"pad":"{}"}}"#, "x".repeat(bytes));
        let signature = format!("sha256={}", hmac(body.as_bytes()));
        let headers = [JSON, ("x-github-event", "push"), ("x-hub-signature-256", &*signature)];
        post("/hooks/code", &headers, body.as_bytes())
    };
    for bytes in [600_000, 3_000_000] {
        assert_eq!(bridge.send(&push(bytes)).await.status, 200, "{bytes} bytes");
    }
    assert_eq!(bridge.send(&push(27 << 20)).await.status, 413);
}

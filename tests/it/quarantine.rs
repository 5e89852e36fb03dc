//! What can't go its way is kept as it came: every byte, every header but the credentials, and the reason.

use crate::{
    bridge::Bridge,
    client::post,
    doubles::Fault,
    samples::{SECRET, likemagic, likemagic_body},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookway::record::PublishError;
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// Sources whose token stands in the query, and in the path.
const TOKENS: &str = "
sources:
  query: { sender: a, verify: { algorithm: token, from: 'query:code' }, secrets: [ file:$home/secret ], event: { format: json, type: 'query:topic', object: thing, object_id: 'query:topic' } }
  path: { sender: a, verify: { algorithm: token, from: 'path:2' }, secrets: [ file:$home/secret ], event: { format: json, type: 'path:3', object: thing, object_id: 'path:3' } }
sinks:
  kept: { journal: { dir: $home/kept } }
  aside: { journal: { dir: $home/aside } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

fn headers(envelope: &serde_json::Value) -> Vec<(String, Vec<u8>)> {
    let pairs: Vec<(String, String)> =
        serde_json::from_str(envelope["hookwayheaders"].as_str().unwrap()).unwrap();
    pairs.into_iter().map(|(name, value)| (name, percent_decode_str(&value).collect())).collect()
}

#[tokio::test]
async fn bytes_and_headers_survive_and_credentials_do_not() {
    let bridge = Bridge::ordinary().await;
    let mut request = post(
        "/hooks/hotel",
        &[
            ("lm-webhook-secret", SECRET),
            ("authorization", "Bearer canary-bearer"),
            ("cookie", "canary-cookie"),
            ("proxy-authorization", "canary-proxy"),
            ("x-twice", "one"),
            ("x-twice", "two 100%41"),
            ("user-agent", "sender/1"),
        ],
        b"\xff\x00 no json \r\n",
    );
    // A header that is not text, in place of one that is.
    let at = request.windows(8).position(|window| window == b"sender/1").unwrap();
    request[at] = 0xe9;
    assert_eq!(bridge.send(&request).await.status, 200);

    let quarantined = bridge.stored("aside");
    assert_eq!(quarantined.len(), 1);
    let envelope = &quarantined[0].envelope;
    assert_eq!(envelope["hookwayreason"], "malformed");
    assert!(envelope["hookwaydetail"].as_str().unwrap().contains("not UTF-8 from byte 0"));
    assert_eq!(STANDARD.decode(envelope["data_base64"].as_str().unwrap()).unwrap(), b"\xff\x00 no json \r\n");
    let kept = headers(envelope);
    let values = |name: &str| -> Vec<&[u8]> {
        kept.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_slice()).collect()
    };
    assert_eq!(values("x-twice"), [&b"one"[..], b"two 100%41"]);
    assert_eq!(values("user-agent"), [&b"\xe9ender/1"[..]]);
    let document = String::from_utf8_lossy(&quarantined[0].record.value).into_owned();
    assert!(!document.contains("canary"), "{document}");
}

#[tokio::test]
async fn a_repeat_of_what_was_not_understood_is_kept_again() {
    let bridge = Bridge::ordinary().await;
    for _ in 0..2 {
        assert_eq!(bridge.send(&likemagic("not json")).await.status, 200);
    }
    let quarantined = bridge.stored("aside");
    assert_eq!(quarantined.len(), 2);
    assert_ne!(
        quarantined[0].envelope["id"], quarantined[1].envelope["id"],
        "nobody knows whether they are one"
    );
    let labels = [("source", "hotel"), ("reason", "malformed")];
    assert_eq!(bridge.count("hookway_events_quarantined_total", &labels), 2);
}

#[tokio::test]
async fn a_quarantine_that_is_away_leaves_the_event_with_the_sender() {
    let bridge = Bridge::ordinary().await;
    let error = PublishError::Disk("full".to_owned());
    bridge.sink("aside").becomes(Fault::Fails(error));
    assert_eq!(bridge.send(&likemagic("not json")).await.code(), "sink_unavailable");
    assert!(bridge.stored("aside").is_empty());
}

#[tokio::test]
async fn all_that_a_document_may_read_of_the_request_is_kept_and_a_credential_in_it_is_not() {
    let bridge = Bridge::start(TOKENS).await;
    let sent = [
        ("/hooks/query?topic=a%2Fb&code=$SECRET&x", "/hooks/query?topic=a%2Fb&x"),
        ("/hooks/path/one/$SECRET/three?topic=c", "/hooks/path/one/*/three?topic=c"),
    ];
    for (target, _) in sent {
        let request =
            post(&target.replace("$SECRET", SECRET), &[("content-type", "application/json")], b"no json");
        assert_eq!(bridge.send(&request).await.status, 200, "{target}");
    }
    let quarantined = bridge.stored("aside");
    for (event, (_, kept)) in quarantined.iter().zip(sent) {
        assert_eq!(event.envelope["hookwaytarget"], kept);
        assert_eq!(event.envelope["hookwaymethod"], "POST");
        assert!(!String::from_utf8_lossy(&event.record.value).contains(SECRET));
    }
    assert_eq!(quarantined.len(), 2);
}

/// Sends what can't be mapped, with a large header and a body of `bytes`, to a quarantine that takes `limit` bytes.
async fn quarantined_within(limit: usize, bytes: usize) -> (Bridge, serde_json::Value) {
    let bridge = Bridge::ordinary().await;
    bridge.sink("aside").becomes(Fault::Small(limit));
    let headers = [("lm-webhook-secret", SECRET), ("x-large", &"%".repeat(4000)), ("x-small", "1")];
    let request = post("/hooks/hotel?topic=a", &headers, &vec![b'x'; bytes]);
    let reply = bridge.send(&request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let mut quarantined = bridge.stored("aside");
    assert_eq!(quarantined.len(), 1);
    assert_eq!(bridge.count("hookway_events_quarantined_total", &[("reason", "malformed")]), 1);
    let envelope = quarantined.remove(0).envelope;
    (bridge, envelope)
}

#[tokio::test]
async fn an_event_too_large_for_the_quarantine_loses_large_headers_first() {
    let (_bridge, envelope) = quarantined_within(8000, 3000).await;
    assert_eq!(envelope["hookwaycut"], "request");
    assert_eq!(STANDARD.decode(envelope["data_base64"].as_str().unwrap()).unwrap(), [b'x'; 3000]);
    let kept: Vec<String> = headers(&envelope).into_iter().map(|(name, _)| name).collect();
    assert!(kept.contains(&"x-small".to_owned()) && !kept.contains(&"x-large".to_owned()), "{kept:?}");
    assert_eq!(envelope["hookwaytarget"], "/hooks/hotel?topic=a");
}

#[tokio::test]
async fn an_event_too_large_for_the_quarantine_even_so_stands_whole_in_a_file_that_it_names() {
    let (bridge, envelope) = quarantined_within(4000, 9000).await;
    assert_eq!(envelope["hookwaycut"], "data");
    let file = std::path::PathBuf::from(envelope["data"]["file"].as_str().unwrap());
    assert!(file.starts_with(bridge.path("quarantine/aside")), "{}", file.display());
    let document = std::fs::read(&file).unwrap();
    assert_eq!(envelope["data"]["bytes"], document.len());
    assert_eq!(envelope["data"]["sha256"], hex::encode(Sha256::digest(&document)));
    let whole: serde_json::Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(whole["id"], envelope["id"]);
    assert_eq!(STANDARD.decode(whole["data_base64"].as_str().unwrap()).unwrap(), [b'x'; 9000]);
    assert!(headers(&whole).iter().any(|(name, value)| name == "x-large" && value.len() == 4000));
}

#[tokio::test]
async fn what_was_routed_and_is_too_large_for_both_its_place_and_the_quarantine_is_kept_as_well() {
    let bridge = Bridge::ordinary().await;
    for sink in ["kept", "aside"] {
        bridge.sink(sink).becomes(Fault::Small(4000));
    }
    let body = likemagic_body("large", "QWERTYUI-1").replacen(
        '{',
        &format!("{{\"padding\":\"{}\",", "x".repeat(9000)),
        1,
    );
    assert_eq!(bridge.send(&likemagic(&body)).await.status, 200);
    let quarantined = bridge.stored("aside");
    let envelope = &quarantined[0].envelope;
    assert_eq!((&envelope["hookwayreason"], &envelope["hookwaycut"]), (&"too_large".into(), &"data".into()));
    let whole = std::fs::read_to_string(envelope["data"]["file"].as_str().unwrap()).unwrap();
    assert!(whole.ends_with(&format!("\"data\":{body}}}")), "byte for byte");
    assert!(bridge.stored("kept").is_empty());
}

#[tokio::test]
async fn a_retry_of_what_stands_in_a_file_finds_that_file_and_other_headers_make_another() {
    let bridge = Bridge::ordinary().await;
    bridge.sink("aside").becomes(Fault::Small(4000));
    for topic in ["a", "a", "b"] {
        let headers = [("lm-webhook-secret", SECRET), ("x-topic", topic)];
        let reply = bridge.send(&post("/hooks/hotel", &headers, &[b'x'; 9000])).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let named: Vec<_> = bridge.stored("aside").iter().map(|event| event.envelope["data"].clone()).collect();
    assert_eq!(named[0], named[1], "name, size and digest of one file");
    assert_ne!(named[0]["file"], named[2]["file"], "a sender may say in a header what it is");
    assert_eq!(std::fs::read_dir(bridge.path("quarantine/aside")).unwrap().count(), 2);
}

#[tokio::test]
async fn what_the_quarantine_refuses_for_good_stands_in_a_file_and_is_a_success() {
    for refuse in [PublishError::Unroutable, PublishError::Rejected, PublishError::TooLarge] {
        let bridge = Bridge::ordinary().await;
        let error = refuse("planted".to_owned());
        bridge.sink("aside").becomes(Fault::FailsFor("", error.clone()));
        bridge.sink("kept").becomes(Fault::FailsFor("RESERVATION", error.clone()));
        let routed = likemagic_body("1", "QWERTYUI-1");
        for body in ["not json", "not json", &routed] {
            let reply = bridge.send(&likemagic(body)).await;
            assert_eq!(reply.status, 200, "{error}: {reply:?}");
        }
        assert!(bridge.stored("aside").is_empty() && bridge.stored("kept").is_empty(), "{error}");
        let files = std::fs::read_dir(bridge.path("quarantine/aside")).unwrap();
        let mut files: Vec<String> =
            files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        files.sort_by_key(String::len);
        assert_eq!(files.len(), 3, "{error}: nobody knows whether two of equal bytes are one");
        assert_eq!(ids_in_files(&bridge).len(), 3, "{error}");
        assert!(files[2].ends_with(&format!("\"data\":{routed}}}")), "byte for byte");
        let reasons = [("reason", "malformed"), ("reason", error.reason())];
        let counts = reasons.map(|reason| bridge.count("hookway_events_quarantined_total", &[reason]));
        assert_eq!(counts, [2, 1], "{error}");
        assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
    }
}

#[tokio::test]
async fn what_may_go_well_the_next_time_is_in_no_file() {
    let bridge = Bridge::ordinary().await;
    for refuse in [PublishError::Misconfigured, PublishError::Full, PublishError::Refused] {
        bridge.sink("aside").becomes(Fault::FailsFor("", refuse("planted".to_owned())));
        assert_eq!(bridge.send(&likemagic("not json")).await.status, 503);
    }
    assert!(!bridge.path("quarantine").exists());
}

#[tokio::test]
async fn events_of_equal_bytes_that_no_record_names_stand_in_a_file_each() {
    let document = "
sources:
  list: { sender: a, verify: { algorithm: token, from: 'query:code' }, secrets: [ file:$home/secret ], event: { format: json, each: /list/*, type: ./name, object: thing, object_id: ./name } }
sinks: { kept: { journal: { dir: $home/kept } }, aside: { journal: { dir: $home/aside } } }
routes: [ { match: { source: '*' }, to: { sink: kept } } ]
quarantine: { sink: aside }
";
    let bridge = Bridge::start(document).await;
    bridge.sink("aside").becomes(Fault::FailsFor("", PublishError::Rejected("planted".to_owned())));
    let json = [("content-type", "application/json")];
    let request =
        post(&format!("/hooks/list?code={SECRET}"), &json, br#"{"list":[{"unnamed":1},{"unnamed":1}]}"#);
    assert_eq!(bridge.send(&request).await.status, 200);
    assert_eq!(ids_in_files(&bridge).len(), 2);
    assert_eq!(bridge.send(&request).await.status, 200);
    assert_eq!(ids_in_files(&bridge).len(), 2, "a retry is known by the ids");
}

/// Returns the ids of the events that stand in files, each once.
fn ids_in_files(bridge: &Bridge) -> BTreeSet<String> {
    let files = std::fs::read_dir(bridge.path("quarantine/aside")).unwrap();
    let id = |file: std::io::Result<std::fs::DirEntry>| -> String {
        let whole: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        whole["id"].as_str().unwrap().to_owned()
    };
    files.map(id).collect()
}

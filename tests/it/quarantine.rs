//! What can't go its way is kept as it came: every byte, every header but the credentials, and the reason.

use crate::{
    bridge::Bridge,
    client::post,
    samples::{SECRET, likemagic},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

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
    assert_eq!(quarantined[0].envelope["id"], quarantined[1].envelope["id"], "its bytes name it");
    let labels = [("source", "hotel"), ("reason", "malformed")];
    assert_eq!(bridge.count("hookway_events_quarantined_total", &labels), 2);
}

#[tokio::test]
async fn a_quarantine_that_is_away_leaves_the_event_with_the_sender() {
    let bridge = Bridge::ordinary().await;
    let error = hookway::publish::PublishError::Disk("full".to_owned());
    bridge.sink("aside").becomes(crate::doubles::Fault::Fails(error));
    assert_eq!(bridge.send(&likemagic("not json")).await.code(), "sink_unavailable");
    bridge.sink("aside").becomes(crate::doubles::Fault::Refuses("quarantined"));
    assert_eq!(
        bridge.send(&likemagic("not json")).await.code(),
        "sink_unavailable",
        "too large for it as well"
    );
    assert!(bridge.stored("aside").is_empty());
}

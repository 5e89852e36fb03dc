//! The embedded journal as a sink: a 2xx means that the event is on disk, a full journal is no 2xx, and an
//! envelope stands in it in the form that was configured.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::Connection,
    samples::{event, likemagic_body},
    stored,
};
use hookway::journal::Reader;
use std::collections::BTreeSet;

#[tokio::test]
async fn every_event_that_was_acknowledged_is_on_disk_once() {
    let bridge = Bridge::ordinary().await;
    let mut senders = Vec::new();
    for sender in 0..8 {
        let address = bridge.address;
        senders.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut acknowledged = Vec::new();
            for n in 0..25 {
                let reply = connection.exchange(&event(&format!("{sender}-{n}"))).await;
                assert_eq!(reply.status, 200);
                acknowledged.push(reply.event_id().to_owned());
            }
            acknowledged
        }));
    }
    let mut acknowledged = BTreeSet::new();
    for sender in senders {
        acknowledged.extend(sender.await.unwrap());
    }
    // Read beside the writer, which has not been told to end: what was acknowledged is there already.
    let stored = bridge.stored("kept");
    let ids: BTreeSet<String> =
        stored.iter().map(|event| event.envelope["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((stored.len(), &ids), (200, &acknowledged));
}

#[tokio::test]
async fn a_full_journal_is_503_and_what_it_holds_stays() {
    let config = ORDINARY.replace("dir: $home/kept }", "dir: $home/kept, max_bytes: 8KiB }");
    let bridge = Bridge::start(&config).await;
    let mut accepted = 0;
    let refused = loop {
        let reply = bridge.send(&event(&format!("id-{accepted}"))).await;
        if reply.status != 200 {
            break reply;
        }
        accepted += 1;
        assert!(accepted < 100, "8 KiB hold fewer than 100 events");
    };
    assert!(accepted > 0);
    assert_eq!((refused.status, refused.code().as_str()), (503, "sink_unavailable"));
    assert_eq!(bridge.stored("kept").len(), accepted);
    assert!(bridge.count("hookway_delivery_errors_total", &[("sink", "kept"), ("reason", "full")]) >= 1);
}

#[tokio::test]
async fn binary_form_is_the_body_with_its_attributes_as_headers() {
    let config = ORDINARY.replace("dir: $home/kept }", "dir: $home/kept, format: binary }");
    let bridge = Bridge::start(&config).await;
    let body = likemagic_body("1", "Zürich-1");
    assert_eq!(bridge.send(&crate::samples::likemagic(&body)).await.status, 200);
    let record = Reader::open(&bridge.path("kept"), 0).unwrap().read().unwrap().unwrap().record;
    assert_eq!(&record.value[..], body.as_bytes());
    assert_eq!(record.key.as_deref(), Some("RESERVATION:Zürich-1"));
    let header = |wanted: &str| {
        record.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_ref())
    };
    assert_eq!(header("ce_id"), Some("1"));
    assert_eq!(header("ce_specversion"), Some("1.0"));
    assert_eq!(header("ce_subject"), Some("RESERVATION/Zürich-1"));
    assert_eq!(header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_record_s_time_is_that_of_its_receipt() {
    let bridge = Bridge::ordinary().await;
    bridge.send(&event("1")).await;
    let stored = &stored::events(&bridge.path("kept"))[0];
    let recorded: jiff::Timestamp = stored.envelope["recordedtime"].as_str().unwrap().parse().unwrap();
    assert_eq!(stored.record.timestamp_ms, recorded.as_millisecond());
}

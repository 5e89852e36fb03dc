//! The order of the events of one object: sent after the 2xx stands behind it, and what comes late is counted.

use crate::{
    bridge::Bridge,
    client::Connection,
    samples::{likemagic, likemagic_body},
};

#[tokio::test]
async fn events_of_one_object_stand_in_the_order_in_which_they_were_sent() {
    let bridge = Bridge::ordinary().await;
    let mut others = Vec::new();
    for sender in 0..4 {
        let address = bridge.address;
        others.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            for n in 0..50 {
                let body = likemagic_body(&format!("{sender}-{n:03}"), &format!("object-{sender}"));
                assert_eq!(connection.exchange(&likemagic(&body)).await.status, 200);
            }
        }));
    }
    for sender in others {
        sender.await.unwrap();
    }
    let stored = bridge.stored("kept");
    assert_eq!(stored.len(), 200);
    for sender in 0..4 {
        let key = format!("RESERVATION:object-{sender}");
        let ids: Vec<&str> = stored
            .iter()
            .filter(|event| event.record.key.as_deref() == Some(&key))
            .map(|event| event.envelope["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), 50);
        assert!(ids.is_sorted(), "{ids:?}");
    }
}

#[tokio::test]
async fn an_event_older_than_one_already_seen_is_published_and_counted() {
    let bridge = Bridge::ordinary().await;
    let at = |id: &str, object: &str, second: u8| {
        likemagic(&likemagic_body(id, object).replace("14:02:11Z", &format!("14:02:{second:02}Z")))
    };
    for request in [at("1", "a", 20), at("2", "a", 10), at("3", "b", 10), at("4", "a", 20), at("5", "a", 30)]
    {
        assert_eq!(bridge.send(&request).await.status, 200);
    }
    assert_eq!(bridge.stored("kept").len(), 5);
    assert_eq!(bridge.count("hookway_events_out_of_order_total", &[("source", "hotel")]), 1);
}

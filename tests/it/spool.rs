//! Level `available`: what a destination does not take at once waits on disk, is answered 202, and is published in order.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::post,
    doubles::Fault,
    eventually::eventually,
    samples::{event, hmac, likemagic, likemagic_body},
    stored::Stored,
};
use hookway::record::PublishError;

/// The ordinary configuration with a spool. A short deadline makes the patience with a sink a fifth of a second.
fn spooling() -> String {
    ORDINARY.replace("preset: likemagic,", "preset: likemagic, deadline: 1s, reply: { spooled: 202 },")
        + "spool: { dir: $home/spool, max_bytes: 1MiB }\n"
}

/// Returns one attribute of all that a sink holds.
fn attribute(bridge: &Bridge, sink: &str, name: &str) -> Vec<String> {
    let text = |event: &Stored| event.envelope[name].as_str().unwrap_or_default().to_owned();
    bridge.stored(sink).iter().map(text).collect()
}

fn settled(bridge: &Bridge, result: &str) -> i64 {
    bridge.count("hookway_spool_settled_records_total", &[("result", result)])
}

async fn is_direct(bridge: &Bridge) {
    eventually("the destination is up to date", || bridge.count("hookway_lanes_spooling", &[]) == 0).await;
    assert_eq!(bridge.count("hookway_spool_pending_records", &[]), 0);
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
}

#[tokio::test]
async fn what_fails_waits_on_disk_with_all_that_comes_later_and_is_published_in_order() {
    let bridge = Bridge::start(&spooling()).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    for n in 1..=20 {
        assert_eq!(bridge.send(&event(&n.to_string())).await.status, 202, "{n}");
    }
    assert!(bridge.stored("kept").is_empty());
    assert_eq!(bridge.count("hookway_spool_pending_records", &[]), 20);
    assert_eq!(bridge.count("hookway_lanes_spooling", &[("sink", "kept")]), 1);
    assert_eq!(bridge.count("hookway_events_spooled_total", &[("source", "hotel")]), 20);
    bridge.sink("kept").becomes(Fault::None);
    is_direct(&bridge).await;
    assert_eq!(bridge.send(&event("21")).await.status, 200, "directly again");
    bridge.finish().await;
    let ids = attribute(&bridge, "kept", "id");
    let expected: Vec<String> = (1..=21).map(|n| n.to_string()).collect();
    assert_eq!(ids, expected);
    let paths = attribute(&bridge, "kept", "hookwaypath");
    assert!(paths[..20].iter().all(|path| path == "spool") && paths[20] == "direct", "{paths:?}");
    assert_eq!(settled(&bridge, "published"), 20);
}

#[tokio::test]
async fn a_late_success_is_the_event_and_its_copy_is_left_out() {
    let bridge = Bridge::start(&spooling()).await;
    bridge.sink("kept").becomes(Fault::Held);
    assert_eq!(bridge.send(&event("1")).await.status, 202);
    bridge.sink("kept").becomes(Fault::None);
    assert_eq!(bridge.send(&event("2")).await.status, 202, "it waits behind the first");
    assert_eq!(bridge.sink("kept").handed(), 1, "whose attempt goes on");
    bridge.sink("kept").let_one_through();
    is_direct(&bridge).await;
    bridge.finish().await;
    assert_eq!(bridge.stored("kept").len(), 2);
    assert_eq!((settled(&bridge, "late"), settled(&bridge, "published")), (1, 1));
}

#[tokio::test]
async fn what_a_destination_never_takes_goes_to_the_quarantine_with_its_request_and_the_others_go_on() {
    let bridge = Bridge::start(&spooling()).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    for n in ["1", "odd", "3"] {
        assert_eq!(bridge.send(&event(n)).await.status, 202, "{n}");
    }
    bridge.sink("kept").becomes(Fault::Refuses("odd"));
    is_direct(&bridge).await;
    bridge.finish().await;
    assert_eq!((bridge.stored("kept").len(), bridge.stored("aside").len()), (2, 1));
    let aside = |name: &str| attribute(&bridge, "aside", name).remove(0);
    assert_eq!(aside("hookwayreason"), "too_large");
    assert_eq!(aside("hookwaytarget"), "/hooks/hotel");
    assert!(!aside("hookwayheaders").contains("lm-webhook-secret"), "and none of its secrets");
    assert_eq!(settled(&bridge, "quarantined"), 1);
}

#[tokio::test]
async fn a_repeat_of_what_waits_adds_nothing() {
    let bridge = Bridge::start(&spooling()).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    let first = bridge.send(&event("1")).await;
    let second = bridge.send(&event("1")).await;
    assert_eq!((first.status, second.status), (202, 200));
    bridge.sink("kept").becomes(Fault::None);
    is_direct(&bridge).await;
    bridge.finish().await;
    assert_eq!(bridge.stored("kept").len(), 1);
}

#[tokio::test]
async fn a_source_that_says_so_is_never_spooled() {
    let config = spooling().replace("hotel: {", "hotel: { spool: false,");
    let bridge = Bridge::start(&config).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    assert_eq!(bridge.send(&event("1")).await.status, 503);
    bridge.finish().await;
    assert_eq!(bridge.count("hookway_spool_taken_records_total", &[]), 0);
}

#[tokio::test]
async fn a_full_spool_refuses_and_drops_nothing() {
    let bridge = Bridge::start(&spooling().replace("1MiB", "20KiB")).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    let mut taken = 0;
    for n in 0..100 {
        match bridge.send(&event(&n.to_string())).await.status {
            202 => taken += 1,
            503 => break,
            other => panic!("{other}"),
        }
    }
    assert!((2..100).contains(&taken), "{taken}");
    bridge.sink("kept").becomes(Fault::None);
    is_direct(&bridge).await;
    assert_eq!(bridge.send(&event("after")).await.status, 200);
    eventually("its room is free again", || bridge.count("hookway_spool_bytes", &[]) == 0).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    assert_eq!(bridge.send(&event("again")).await.status, 202);
    bridge.sink("kept").becomes(Fault::None);
    is_direct(&bridge).await;
    bridge.finish().await;
    assert_eq!(bridge.stored("kept").len(), taken + 2);
}

#[tokio::test]
async fn what_the_quarantine_refuses_too_ends_in_a_file_and_does_not_circle() {
    let bridge =
        Bridge::start(&spooling().replace("quarantine: { sink: aside }", "quarantine: { sink: kept }")).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    for n in ["1", "2"] {
        assert_eq!(bridge.send(&event(n)).await.status, 202, "{n}");
    }
    // Neither as it is, nor cut, nor as the name of a file.
    bridge.sink("kept").becomes(Fault::Small(10));
    is_direct(&bridge).await;
    bridge.finish().await;
    assert_eq!(settled(&bridge, "quarantined"), 2, "each once");
    let files = std::fs::read_dir(bridge.path("quarantine/aside")).unwrap();
    assert_eq!(
        files
            .filter(|file| file.as_ref().unwrap().path().extension().is_none_or(|kind| kind == "json"))
            .count(),
        2
    );
}

/// A source of lists beside the ordinary ones.
const LISTS: &str = "sources:
  lists:
    preset: hmac
    secrets: [ file:$home/secret ]
    deadline: 25s
    event: { format: json, each: /*, type: ./e, object: thing, object_id: ./o, id: '{./n}' }
";

/// Sends a list of so many events of one object, numbered from `first` on.
async fn send_list(bridge: &Bridge, first: usize, count: usize) -> u16 {
    let element = |n: usize| format!(r#"{{"e":"changed","o":"one","n":"{n:06}"}}"#);
    let body = format!("[{}]", (first..first + count).map(element).collect::<Vec<_>>().join(","));
    let signature = hmac(body.as_bytes());
    let headers = [("x-signature", signature.as_str()), ("content-type", "application/json")];
    bridge.send(&post("/hooks/lists", &headers, body.as_bytes())).await.status
}

#[tokio::test]
async fn a_long_list_of_one_object_keeps_its_order_when_its_destination_goes_away() {
    let bridge = Bridge::start(&spooling().replace("sources:\n", LISTS).replace("1MiB", "64MiB")).await;
    assert_eq!(send_list(&bridge, 0, 50).await, 200, "one after the other");
    bridge.sink("kept").becomes(Fault::FailsFor("000070", PublishError::Unavailable("away".to_owned())));
    assert_eq!(send_list(&bridge, 50, 50).await, 202, "away in the middle of a list");
    assert_eq!(send_list(&bridge, 100, 400).await, 202, "all of it behind the others");
    bridge.sink("kept").becomes(Fault::None);
    is_direct(&bridge).await;
    bridge.finish().await;
    let ids = attribute(&bridge, "kept", "id");
    let expected: Vec<String> = (0..500).map(|n| format!("{n:06}")).collect();
    let first = ids.iter().zip(&expected).position(|(id, expected)| id != expected);
    assert_eq!(
        (ids.len(), first),
        (expected.len(), None),
        "{:?}",
        first.map(|at| &ids[at.saturating_sub(2)..at + 3])
    );
}

#[tokio::test]
async fn while_the_quarantine_is_away_only_what_it_is_for_waits() {
    let bridge = Bridge::start(&spooling()).await;
    let away = || Fault::Fails(PublishError::Unavailable("away".to_owned()));
    bridge.sink("kept").becomes(away());
    let other = |n: &str| likemagic(&likemagic_body(n, &format!("OTHER-{n}")));
    for request in [event("odd"), other("2"), other("3")] {
        assert_eq!(bridge.send(&request).await.status, 202);
    }
    bridge.sink("aside").becomes(away());
    bridge.sink("kept").becomes(Fault::Refuses("odd"));
    eventually("the others are published", || settled(&bridge, "published") == 2).await;
    eventually("it is said", || bridge.count("hookway_lanes_held", &[("sink", "kept")]) == 1).await;
    assert_eq!(bridge.send(&other("4")).await.status, 202);
    eventually("and later ones", || settled(&bridge, "published") == 3).await;
    bridge.sink("aside").becomes(Fault::None);
    is_direct(&bridge).await;
    bridge.finish().await;
    assert_eq!((bridge.stored("kept").len(), bridge.stored("aside").len()), (3, 1));
}

#[tokio::test]
async fn a_panic_over_a_record_that_waits_ends_no_drain() {
    let bridge = Bridge::start(&spooling()).await;
    bridge.sink("kept").becomes(Fault::Fails(PublishError::Unavailable("away".to_owned())));
    for n in ["1", "2"] {
        assert_eq!(bridge.send(&event(n)).await.status, 202);
    }
    let handed = bridge.sink("kept").handed();
    bridge.sink("kept").becomes(Fault::Panics);
    bridge.handed("kept", handed + 1).await;
    bridge.sink("kept").becomes(Fault::None);
    eventually("both are published", || bridge.stored("kept").len() == 2).await;
    bridge.finish().await;
    assert_eq!(attribute(&bridge, "kept", "id"), ["1", "2"]);
}

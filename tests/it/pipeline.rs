//! What a sender and a broker can do to one delivery behind verification: hang up, time out, repeat, fail in
//! part, panic. Nothing is lost, and a retry adds no second record.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::Connection,
    doubles::Fault,
    eventually::eventually,
    samples::{self, event, likemagic, likemagic_at, likemagic_body, propexo},
};
use hookway::record::PublishError;

const SYNC: &str = r#"{"event":"SYNC_COMPLETE","failed_job_count":0,"integration_id":"int_1","is_sync_finished":true,"job_schedule_id":null,"successful_job_count":12,"vendor":"YARDI"}"#;

/// Two sinks for every event, and a quarantine.
const FAN_OUT: &str = "
sources:
  hotel: { preset: likemagic, deadline: 10s, secrets: [ file:$home/secret ] }
sinks:
  first: { journal: { dir: $home/first } }
  second: { journal: { dir: $home/second } }
  aside: { journal: { dir: $home/aside } }
routes: [ { to: [ { sink: first }, { sink: second } ] } ]
quarantine: { sink: aside }
";

fn failing() -> Fault {
    Fault::Fails(PublishError::Unavailable("planted".to_owned()))
}

fn ids(bridge: &Bridge, sink: &str) -> Vec<String> {
    bridge.stored(sink).iter().map(|event| event.envelope["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_sender_that_hangs_up_cancels_nothing_and_its_retry_is_suppressed() {
    let bridge = Bridge::ordinary().await;
    bridge.sink("kept").becomes(Fault::Held);
    let mut connection = Connection::open(bridge.address).await;
    connection.send(&event("1")).await;
    bridge.handed("kept", 1).await;
    drop(connection);
    eventually("the hang-up was noticed", || bridge.metrics.in_flight.get() == 0).await;
    assert!(bridge.stored("kept").is_empty());

    bridge.sink("kept").let_one_through();
    eventually("the event is counted", || {
        bridge.count("hookway_events_late_total", &[("source", "hotel")]) == 1
    })
    .await;
    assert_eq!(bridge.send(&event("1")).await.status, 200);
    bridge.finish().await;
    assert_eq!(ids(&bridge, "kept"), ["1"]);
    assert_eq!(bridge.count("hookway_events_suppressed_total", &[("source", "hotel")]), 1);
    assert_eq!(bridge.count("hookway_events_accepted_total", &[("source", "hotel")]), 1);
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
}

#[tokio::test]
async fn a_success_behind_the_deadline_counts_as_late_and_the_retry_adds_no_record() {
    let bridge =
        Bridge::start(&ORDINARY.replace("preset: likemagic,", "preset: likemagic, deadline: 100ms,")).await;
    bridge.sink("kept").becomes(Fault::Held);
    let reply = bridge.send(&event("1")).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "deadline"));
    let impatient = bridge.send(&event("1")).await;
    assert_eq!(impatient.code(), "deadline", "a retry waits for the first copy and starts no second one");
    assert_eq!(bridge.sink("kept").handed(), 1);

    bridge.sink("kept").let_one_through();
    // The retry gave up with its answer: only the first copy comes late.
    eventually("it is counted", || bridge.count("hookway_events_late_total", &[("source", "hotel")]) == 1)
        .await;
    let retry = bridge.send(&event("1")).await;
    assert_eq!((retry.status, retry.event_id()), (200, "1"));
    bridge.finish().await;
    assert_eq!(ids(&bridge, "kept"), ["1"]);
    assert_eq!(bridge.count("hookway_events_published_total", &[("source", "hotel")]), 1);
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
}

#[tokio::test]
async fn a_late_failure_leaves_the_event_free_for_the_retry() {
    let bridge =
        Bridge::start(&ORDINARY.replace("preset: likemagic,", "preset: likemagic, deadline: 100ms,")).await;
    bridge.sink("kept").becomes(Fault::HeldThenFails);
    assert_eq!(bridge.send(&event("1")).await.code(), "deadline");
    bridge.sink("kept").becomes(Fault::None);
    bridge.sink("kept").let_one_through();
    bridge.until_in_flight(0).await;
    assert_eq!(bridge.send(&event("1")).await.status, 200);
    assert_eq!(ids(&bridge, "kept"), ["1"]);
    assert_eq!(bridge.count("hookway_events_late_total", &[("source", "hotel")]), 0);
}

#[tokio::test]
async fn copies_in_flight_share_one_record_and_one_outcome() {
    let bridge = Bridge::ordinary().await;
    bridge.sink("kept").becomes(Fault::Held);
    let mut copies = Vec::new();
    for _ in 0..5 {
        let mut copy = Connection::open(bridge.address).await;
        copy.send(&event("1")).await;
        copies.push(copy);
    }
    bridge.until_in_flight(5).await;
    bridge.sink("kept").let_one_through();
    for copy in &mut copies {
        assert_eq!(copy.reply().await.unwrap().status, 200);
    }
    assert_eq!(bridge.sink("kept").handed(), 1);
    assert_eq!(bridge.count("hookway_events_suppressed_total", &[("source", "hotel")]), 4);
    assert_eq!(bridge.count("hookway_events_duplicate_total", &[("source", "hotel")]), 4);
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_and_not_published_again() {
    let bridge = Bridge::ordinary().await;
    let first = bridge.send(&event("1")).await;
    let again = bridge.send(&event("1")).await;
    assert_eq!((first.status, first.event_id()), (again.status, again.event_id()));
    assert_eq!(ids(&bridge, "kept"), ["1"]);
}

#[tokio::test]
async fn equal_ids_of_two_sources_are_two_events() {
    let config = ORDINARY
        .replace("\nsinks:", "\n  inn: { preset: likemagic, secrets: [ file:$home/secret ] }\nsinks:");
    let bridge = Bridge::start(&config).await;
    for path in ["/hooks/hotel", "/hooks/inn"] {
        assert_eq!(bridge.send(&likemagic_at(path, &likemagic_body("1", "a"))).await.status, 200);
    }
    assert_eq!(ids(&bridge, "kept"), ["1", "1"]);
}

#[tokio::test]
async fn a_retry_after_one_sink_failed_adds_nothing_to_the_healthy_one() {
    let bridge = Bridge::start(FAN_OUT).await;
    bridge.sink("second").becomes(failing());
    for _ in 0..3 {
        let reply = bridge.send(&event("1")).await;
        assert_eq!((reply.status, reply.code().as_str()), (503, "sink_unavailable"));
    }
    assert_eq!((ids(&bridge, "first").len(), ids(&bridge, "second").len()), (1, 0));
    bridge.sink("second").becomes(Fault::None);
    assert_eq!(bridge.send(&event("1")).await.status, 200);
    assert_eq!((ids(&bridge, "first"), ids(&bridge, "second")), (vec!["1".to_owned()], vec!["1".to_owned()]));
    assert_eq!(bridge.sink("first").handed(), 1);
    assert_eq!(bridge.count("hookway_events_published_total", &[("source", "hotel")]), 1);
}

#[tokio::test]
async fn a_panic_in_one_publisher_leaves_the_retry_to_both_and_the_others_alone() {
    let bridge = Bridge::start(FAN_OUT).await;
    bridge.sink("second").becomes(Fault::Panics);
    assert_eq!(bridge.send(&event("1")).await.code(), "internal");
    bridge.sink("second").becomes(Fault::None);
    for id in ["1", "2"] {
        assert_eq!(bridge.send(&event(id)).await.status, 200);
    }
    assert_eq!(ids(&bridge, "second"), ["1", "2"]);
    assert!(ids(&bridge, "first").ends_with(&["2".to_owned()]));
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
}

#[tokio::test]
async fn a_panic_behind_the_deadline_ends_no_other_work() {
    let bridge =
        Bridge::start(&ORDINARY.replace("preset: likemagic,", "preset: likemagic, deadline: 100ms,")).await;
    bridge.sink("kept").becomes(Fault::HeldThenPanics);
    assert_eq!(bridge.send(&event("1")).await.code(), "deadline");
    bridge.sink("kept").becomes(Fault::None);
    bridge.sink("kept").let_one_through();
    bridge.until_in_flight(0).await;
    assert_eq!(bridge.send(&event("1")).await.status, 200, "its claim was given back");
    bridge.finish().await;
}

#[tokio::test]
async fn a_record_too_large_for_its_sink_goes_to_the_quarantine_and_is_a_success() {
    let bridge = Bridge::start(FAN_OUT).await;
    bridge.sink("second").becomes(Fault::Refuses("HUGE"));
    let body = likemagic_body("1", "HUGE-1");
    assert_eq!(bridge.send(&likemagic(&body)).await.status, 200);
    assert_eq!(bridge.send(&likemagic(&body)).await.status, 200, "and the repeat is one");
    assert_eq!((ids(&bridge, "first").len(), ids(&bridge, "second").len()), (1, 0));
    let quarantined = bridge.stored("aside");
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].envelope["hookwayreason"], "too_large");
    assert_eq!(quarantined[0].data(), body.as_bytes());
    let labels = [("source", "hotel"), ("reason", "too_large")];
    assert_eq!(bridge.count("hookway_events_quarantined_total", &labels), 1);
}

#[tokio::test]
async fn without_a_quarantine_that_takes_it_the_sender_keeps_the_event() {
    let bridge = Bridge::start(FAN_OUT).await;
    bridge.sink("second").becomes(Fault::Refuses("HUGE"));
    bridge.sink("aside").becomes(failing());
    let request = likemagic(&likemagic_body("1", "HUGE-1"));
    assert_eq!(bridge.send(&request).await.code(), "sink_unavailable");
    bridge.sink("aside").becomes(Fault::None);
    assert_eq!(bridge.send(&request).await.status, 200);
    assert_eq!((ids(&bridge, "first").len(), ids(&bridge, "aside").len()), (1, 1));
}

#[tokio::test]
async fn what_no_route_takes_goes_to_the_quarantine_and_what_a_route_drops_is_counted() {
    let config = ORDINARY.replace(
        "routes: [ { match: { source: '*' }, to: { sink: kept } } ]",
        "routes: [ { match: { source: hotel, object: RESERVATION }, to: { sink: kept } }, { match: { source: rooms }, to: drop } ]",
    );
    let bridge = Bridge::start(&config).await;
    for request in [event("1"), propexo(SYNC), samples::syncaroo()] {
        assert_eq!(bridge.send(&request).await.status, 200);
    }
    assert_eq!(ids(&bridge, "kept"), ["1"]);
    let quarantined = bridge.stored("aside");
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0].envelope["hookwayreason"], "unrouted");
    assert_eq!(quarantined[0].envelope["type"], "com.propexo.SYNC_COMPLETE", "it keeps its own attributes");
    assert_eq!(bridge.count("hookway_events_filtered_total", &[("source", "rooms")]), 1);
    assert_eq!(bridge.count("hookway_unaccounted_events", &[]), 0);
}

#[tokio::test]
async fn an_event_whose_name_no_topic_can_hold_is_in_the_quarantine_before_it_is_acknowledged() {
    let named = "sinks:\n  away: { kafka: { brokers: [ 'localhost:9092' ] } }\n";
    let config = ORDINARY
        .replace("sinks:\n", named)
        .replace("quarantine: { sink: aside }", "quarantine: { sink: away, topic: 'apart.{source}.{type}' }")
        .replace("source: '*'", "source: units");
    let bridge = Bridge::start(&config).await;
    for (id, topic) in [("1", "RESERVATION_UPDATED"), ("2", "A name with blanks")] {
        let body = likemagic_body(id, "o 1").replace("RESERVATION_UPDATED", topic);
        assert_eq!(bridge.send(&likemagic(&body)).await.status, 200);
    }
    let stored = bridge.stored("away");
    assert_eq!(ids(&bridge, "away"), ["1", "2"], "a 2xx is a promise");
    let destinations: Vec<&str> = stored.iter().map(|event| &*event.record.destination).collect();
    assert_eq!(destinations, ["apart.hotel.tech.likemagic.RESERVATION_UPDATED", "apart.hotel._"]);
    assert_eq!(
        stored[1].envelope["type"], "tech.likemagic.A name with blanks",
        "it keeps its own attributes"
    );
    assert_eq!(stored[1].envelope["partitionkey"], "RESERVATION:o 1");
}

#[tokio::test]
async fn equal_bodies_that_are_different_events_are_two_records() {
    let bridge = Bridge::ordinary().await;
    let first_sync = SYNC.replace("SYNC_COMPLETE", "FIRST_SYNC_COMPLETE");
    for request in [propexo(SYNC), samples::syncaroo(), propexo(&first_sync)] {
        let replies = [bridge.send(&request).await, bridge.send(&request).await];
        assert!(replies.iter().all(|reply| reply.status == 200));
    }
    let stored = ids(&bridge, "kept");
    assert_eq!(stored.len(), 5, "two, two, and a first sync that is told only once");
    assert_ne!(stored[0], stored[1]);
    assert_ne!(stored[2], stored[3]);
    assert_eq!(bridge.count("hookway_events_suppressed_total", &[("source", "units")]), 1);
    assert_eq!(bridge.count("hookway_events_suppressed_total", &[("source", "rooms")]), 0);
}

#[tokio::test]
async fn a_sink_that_is_dead_takes_no_place_from_one_that_is_well() {
    let bridge = Bridge::start(
        "
sources:
  hotel: { preset: likemagic, deadline: 200ms, max_in_flight: 4, secrets: [ file:$home/secret ] }
sinks:
  dead: { journal: { dir: $home/dead } }
  well: { journal: { dir: $home/well } }
  aside: { journal: { dir: $home/aside } }
routes:
  - { match: { type: '*.TASK_CREATED' }, to: { sink: well } }
  - { to: { sink: dead } }
quarantine: { sink: aside }
",
    )
    .await;
    bridge.sink("dead").becomes(Fault::Held);
    // Twice as many as the source has places: each gives its own back with its answer.
    for number in 0..8 {
        assert_eq!(bridge.send(&event(&number.to_string())).await.code(), "deadline");
    }
    let body = likemagic_body("well", "a").replace("RESERVATION_UPDATED", "TASK_CREATED");
    assert_eq!(bridge.send(&likemagic(&body)).await.status, 200);
    assert_eq!(ids(&bridge, "well"), ["well"]);
    assert_eq!(
        bridge.sink("dead").handed(),
        8,
        "what goes on behind the answers is in the hands of the dead one"
    );
}

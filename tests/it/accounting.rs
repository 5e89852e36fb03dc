//! Nothing is unaccounted for: the identity of the counters, series that exist from the start and stay the same,
//! and no secret in anything that is written.

use crate::{
    bridge::{Bridge, ORDINARY},
    client::{Connection, post},
    doubles::Fault,
    samples::{self, SECRET, event, likemagic, propexo},
    series,
};
use hookway::{event::Reason, record::PublishError, refusal::Refusal};
use proptest::prelude::*;
use std::{collections::BTreeSet, fs};

/// What one step of a random run does.
#[derive(Debug, Clone)]
enum Step {
    Event(u8),
    HangUp(u8),
    Sync,
    Room,
    Malformed,
    Forged,
    Elsewhere,
    Becomes(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..30_u8).prop_map(Step::Event),
        2 => (0..30_u8).prop_map(Step::HangUp),
        1 => Just(Step::Sync),
        1 => Just(Step::Room),
        1 => Just(Step::Malformed),
        1 => Just(Step::Forged),
        1 => Just(Step::Elsewhere),
        2 => (0..4_u8).prop_map(Step::Becomes),
    ];
    prop::collection::vec(step, 1..60)
}

fn fault(kind: u8) -> Fault {
    match kind {
        0 => Fault::Fails(PublishError::Saturated),
        1 => Fault::Panics,
        2 => Fault::Refuses("QWERTYUI"),
        _ => Fault::None,
    }
}

/// Two targets for events of the hotel, so that one can fail alone; rooms are dropped.
fn mixed() -> String {
    ORDINARY
        .replace("  aside:", "  second: { journal: { dir: $home/second } }\n  aside:")
        .replace(
            "routes: [ { match: { source: '*' }, to: { sink: kept } } ]",
            "routes: [ { match: { source: hotel }, to: [ { sink: kept }, { sink: second } ] }, { match: { source: rooms }, to: drop } ]",
        )
}

async fn run(steps: &[Step]) -> (Bridge, BTreeSet<String>) {
    let bridge = Bridge::start(&mixed()).await;
    let mut acknowledged = BTreeSet::new();
    for step in steps {
        let request = match step {
            Step::Event(id) => event(&format!("event-{id}")),
            Step::Sync => propexo(r#"{"event":"SYNC_COMPLETE","integration_id":"int_1"}"#),
            Step::Room => samples::syncaroo(),
            Step::Malformed => likemagic("no json"),
            Step::Forged => post("/hooks/hotel", &[("lm-webhook-secret", "canary-forged")], b"{}"),
            Step::Elsewhere => post("/hooks/canary-path", &[], b"canary-body"),
            Step::HangUp(id) => {
                Connection::open(bridge.address).await.send(&event(&format!("event-{id}"))).await;
                continue;
            }
            Step::Becomes(kind) => {
                bridge.sink("second").becomes(fault(*kind));
                continue;
            }
        };
        let reply = bridge.send(&request).await;
        assert!(!format!("{reply:?}").contains("canary"), "{reply:?}");
        if reply.status == 200 {
            acknowledged.insert(reply.event_id().to_owned());
        }
    }
    bridge.finish().await;
    (bridge, acknowledged)
}

fn count(things: usize) -> i64 {
    things.try_into().unwrap()
}

/// Holds the counters to one another and to what the journals hold.
fn balance(bridge: &Bridge, acknowledged: &BTreeSet<String>) {
    let sum = |family: &str| bridge.count(family, &[]);
    let accepted = sum("hookway_events_accepted_total") + sum("hookway_events_late_total");
    let outcomes = ["published", "quarantined", "filtered", "suppressed"]
        .map(|outcome| sum(&format!("hookway_events_{outcome}_total")));
    assert_eq!(accepted, outcomes.iter().sum::<i64>(), "{outcomes:?}");
    assert_eq!(sum("hookway_events_in_flight"), 0);
    assert_eq!(sum("hookway_http_requests_in_flight"), 0);
    assert_eq!(sum("hookway_unaccounted_events"), 0);

    let ids = |sink: &str| -> Vec<String> {
        bridge.stored(sink).iter().map(|event| event.envelope["id"].as_str().unwrap().to_owned()).collect()
    };
    let held: BTreeSet<String> = [ids("kept"), ids("second"), ids("aside")].concat().into_iter().collect();
    let dropped = outcomes[2];
    let missing: Vec<&String> = acknowledged.difference(&held).collect();
    assert_eq!(count(missing.len()), dropped, "acknowledged and nowhere: {missing:?}");
    assert_eq!(count(ids("aside").len()), outcomes[1], "each quarantined event is there once");
}

/// Holds everything that was written to the promise that secrets never are.
fn keeps_secrets(bridge: &Bridge) {
    let mut written = vec![bridge.logs.text().into_bytes(), bridge.exposition().into_bytes()];
    for sink in ["kept", "second", "aside"] {
        let files = fs::read_dir(bridge.path(sink)).unwrap().map(|file| file.unwrap().path());
        written.extend(files.filter(|file| file.is_file()).map(|file| fs::read(file).unwrap()));
    }
    for bytes in written {
        let found = bytes.windows(6).any(|window| window == b"canary");
        assert!(!found, "a secret or a stranger's text in:\n{}", String::from_utf8_lossy(&bytes));
    }
    assert!(SECRET.starts_with("canary"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_identity_holds_after_any_mix_of_requests_and_faults(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (bridge, acknowledged) = run(&steps).await;
            balance(&bridge, &acknowledged);
            keeps_secrets(&bridge);
        });
    }
}

#[tokio::test]
async fn every_series_exists_before_the_first_event() {
    let bridge = Bridge::ordinary().await;
    let text = bridge.exposition();
    let at_0 = |family: &str, labels: &[(&str, &str)]| {
        assert_eq!(series::sum(&text, family, labels), 0, "{family} {labels:?}");
    };
    for source in ["hotel", "units", "rooms"] {
        for outcome in [
            "accepted",
            "late",
            "published",
            "filtered",
            "suppressed",
            "duplicate",
            "out_of_order",
            "keyless",
        ] {
            at_0(&format!("hookway_events_{outcome}_total"), &[("source", source)]);
        }
        for code in Refusal::CODES {
            at_0("hookway_events_rejected_total", &[("source", source), ("reason", code)]);
        }
        for reason in Reason::ALL {
            at_0("hookway_events_quarantined_total", &[("source", source), ("reason", reason.name())]);
        }
        for result in ["ok", "missing", "malformed", "mismatch", "expired"] {
            at_0("hookway_verifications_total", &[("source", source), ("result", result)]);
        }
        for status in ["200", "400", "401", "405", "408", "411", "413", "415", "503"] {
            at_0("hookway_http_requests_total", &[("source", source), ("code", status)]);
        }
        for sink in ["kept", "aside"] {
            at_0("hookway_events_delivered_total", &[("source", source), ("sink", sink)]);
        }
    }
    for sink in ["kept", "aside"] {
        for reason in PublishError::REASONS {
            at_0("hookway_delivery_errors_total", &[("sink", sink), ("reason", reason)]);
        }
        for result in ["ok", "retriable", "fatal"] {
            at_0("hookway_delivery_attempts_total", &[("sink", sink), ("result", result)]);
        }
    }
    for family in
        ["hookway_events_in_flight", "hookway_unaccounted_events", "hookway_http_connections_rejected_total"]
    {
        at_0(family, &[]);
    }
}

#[tokio::test]
async fn ten_thousand_random_paths_add_no_series_and_a_bounded_log() {
    let bridge = Bridge::ordinary().await;
    bridge.send(&post("/hooks/nobody", &[], b"")).await;
    let names =
        |bridge: &Bridge| -> BTreeSet<String> { series::parse(&bridge.exposition()).into_keys().collect() };
    let before = names(&bridge);
    let start = tokio::time::Instant::now();
    let mut connection = Connection::open(bridge.address).await;
    for n in 0..10_000_u32 {
        let path = format!("/hooks/{:x}", n.wrapping_mul(2_654_435_761));
        assert_eq!(connection.exchange(&post(&path, &[], b"")).await.status, 404);
    }
    assert_eq!(names(&bridge), before);
    let windows = usize::try_from(start.elapsed().as_secs()).unwrap() + 2;
    let lines = bridge.logs.lines("refused");
    assert!(lines.len() <= 20 * windows, "a flood is counted and not written: {} lines", lines.len());
}

#[tokio::test]
async fn a_rotation_shows_which_secret_the_sender_uses() {
    let yaml = "sources: { hotel: { preset: likemagic, secrets: [ file:$home/empty, file:$home/secret ] } }\n\
                sinks: { kept: { journal: { dir: $home/kept } } }\n\
                routes: [ { match: { source: '*' }, to: { sink: kept } } ]\n\
                quarantine: { sink: kept }\n";
    let bridge = Bridge::start(yaml).await;
    assert_eq!(bridge.send(&event("1")).await.status, 200);
    let of = |key: &str| [("source", "hotel"), ("key", key)].map(|(name, value)| (name, value.to_owned()));
    let count = |family: &str, key: &str| {
        let labels = of(key);
        let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        bridge.count(family, &labels)
    };
    assert_eq!(count("hookway_secret_matches_total", "1"), 0, "the empty one proves nothing");
    assert_eq!(count("hookway_secret_matches_total", "2"), 1, "each keeps its number");
    assert_eq!(count("hookway_secret_last_match_timestamp_seconds", "1"), 0);
    assert!(count("hookway_secret_last_match_timestamp_seconds", "2") > 1_700_000_000);
}

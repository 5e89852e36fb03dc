//! Servers that are given other settings while Hookway runs: a password that is rotated, a limit that is raised. No restart
//! is needed, and nothing is put aside for what was true before.

use std::time::Duration;

use serde_json::json;

use crate::Case;
use crate::delivery::{self, Delivery};
use crate::envelope;
use crate::hookway::Hookway;
use crate::support::brokers::Brokers;
use crate::support::deadline::until;
use crate::support::nats::Nats;
use crate::support::process;

/// The longest that Hookway may take to notice.
const NOTICED: Duration = Duration::from_secs(40);

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared: ;
        own:
            a_nats_password_that_is_rotated_in_its_file_needs_no_restart,
            what_a_nats_server_takes_since_a_reload_is_not_put_aside_as_too_large,
            what_is_too_large_is_put_aside_also_where_a_nats_server_lets_no_second_connection_in,
    ]
}

fn hookway(sink: &str) -> Hookway {
    delivery::hookway(&format!(
        "sinks: {{ bus: {{ nats: {{ {sink}, stream: EVENTS, create: {{ subjects: [ events ] }} }} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, subject: events }} }} ]\nquarantine: {{ sink: kept }}\n"
    ))
}

/// Delivers until it is accepted, as a sender does.
fn accepted_in_the_end(hookway: &Hookway, delivery: &Delivery) {
    until("200", NOTICED, || {
        let status = delivery.post(hookway).status;
        assert!([200, 503].contains(&status), "{status}");
        (status == 200).then_some(())
    });
}

/// A delivery of 300 kB.
fn large(id: &str) -> Delivery {
    let mut event = delivery::reservation(id, "QWERTYUI-1", 1);
    event["context"] = json!({ "note": "x".repeat(300_000) });
    Delivery::hotel(&event.to_string())
}

/// How many events were quarantined as too large.
fn put_aside(hookway: &Hookway) -> f64 {
    hookway.metric("hookway_events_quarantined_total", &["reason=\"too_large\""])
}

fn a_nats_password_that_is_rotated_in_its_file_needs_no_restart(_: &Brokers) {
    let users = |password: &str| {
        format!(
            "authorization {{ users: [ {{ user: app, password: \"{password}\" }}, {{ user: reader, password: reads }} ] }}"
        )
    };
    let home = process::home("rotated");
    let secret = home.path().join("password");
    std::fs::write(&secret, "the first of the tests\n").expect("a writable folder");
    let mut nats = Nats::start_with(&users("the first of the tests"));
    let sink = format!("servers: [ \"{}\" ], user: app, password: \"file:{}\"", nats.url(), secret.display());
    let hookway = hookway(&sink);
    hookway.until_ready();
    Delivery::reservation("before", "QWERTYUI-1", 1).accepted(&hookway);
    std::fs::write(&secret, "the second of the tests\n").expect("a writable folder");
    nats.reload_with(&users("the second of the tests"));
    accepted_in_the_end(&hookway, &Delivery::reservation("after", "QWERTYUI-1", 2));
    let messages = Nats::at(&nats.url().replace("nats://", "nats://reader:reads@")).read("EVENTS", 2);
    let ids: Vec<String> =
        envelope::of_messages(&messages).iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(ids, ["before", "after"]);
    assert!(!hookway.log().contains("of the tests"), "a secret stands in the log");
}

fn what_a_nats_server_takes_since_a_reload_is_not_put_aside_as_too_large(_: &Brokers) {
    let mut nats = Nats::start_with("max_payload: 65536");
    let hookway = hookway(&format!("servers: [ \"{}\" ]", nats.url()));
    hookway.until_ready();
    let put_aside = || put_aside(&hookway);
    large("too-large").accepted(&hookway);
    assert!((put_aside() - 1.0).abs() < 0.5, "as the server would refuse it");
    nats.reload_with("max_payload: 1048576");
    accepted_in_the_end(&hookway, &large("fits"));
    assert!((put_aside() - 1.0).abs() < 0.5);
    let messages = nats.read("EVENTS", 1);
    assert_eq!(envelope::of_messages(&messages)[0].id(), "fits");
}

fn what_is_too_large_is_put_aside_also_where_a_nats_server_lets_no_second_connection_in(_: &Brokers) {
    let mut nats = Nats::start_with("max_payload: 65536");
    let hookway = hookway(&format!("servers: [ \"{}\" ]", nats.url()));
    hookway.until_ready();
    nats.reload_with("max_payload: 65536\nmax_connections: 1");
    accepted_in_the_end(&hookway, &large("too-large"));
    assert!((put_aside(&hookway) - 1.0).abs() < 0.5);
}

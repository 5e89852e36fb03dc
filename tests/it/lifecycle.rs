//! From the start to the exit of the real binary: what never starts, and what an end leaves undone, which is
//! nothing.

use crate::{
    binary::{self, Hookway},
    client::Connection,
    deadline,
    eventually::PATIENCE,
    process,
    samples::event,
    stored,
};

const CONFIG: &str = "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
limits: { drain_delay: 300ms, drain_timeout: 5s }
";

async fn is_ready(hookway: &Hookway) {
    while hookway.ask("/readyz").await.status != 200 {
        assert!(!hookway.log().contains("ERROR"), "{}", hookway.log());
    }
}

#[tokio::test]
async fn sigterm_drains_and_the_exit_code_is_0() {
    let mut hookway = Hookway::start(CONFIG);
    is_ready(&hookway).await;
    let mut open = Connection::open(hookway.webhooks).await;
    assert_eq!(open.exchange(&event("1")).await.status, 200);

    hookway.process.signal("TERM");
    deadline::until("the signal was noticed", PATIENCE, || hookway.log().contains("draining").then_some(()));
    let ready = hookway.ask("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("draining"), "{}", ready.body);
    assert_eq!(hookway.ask("/livez").await.status, 200);
    // Load balancers look away slowly: until then requests are still taken.
    assert_eq!(hookway.send(&event("2")).await.status, 200);
    assert_eq!(open.exchange(&event("3")).await.status, 200);

    let exit = hookway.process.wait(PATIENCE).expect("the process ends");
    assert_eq!(exit.code(), Some(0), "{}", hookway.log());
    assert!(open.is_closed().await);
    assert!(hookway.log().contains("stopped"));
    let ids: Vec<String> = stored::events(&hookway.path("hookway-data/journal"))
        .iter()
        .map(|event| event.envelope["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["1", "2", "3"]);
}

#[tokio::test]
async fn sigint_does_not_wait_for_load_balancers() {
    let mut hookway = Hookway::start(&CONFIG.replace("drain_delay: 300ms", "drain_delay: 60s"));
    is_ready(&hookway).await;
    hookway.process.signal("INT");
    assert_eq!(
        hookway.process.wait(PATIENCE).expect("the process ends").code(),
        Some(0),
        "{}",
        hookway.log()
    );
}

#[tokio::test]
async fn events_outlive_a_kill_and_the_next_process_goes_on_behind_them() {
    let home = {
        let mut hookway = Hookway::start(CONFIG);
        is_ready(&hookway).await;
        for id in ["1", "2"] {
            assert_eq!(hookway.send(&event(id)).await.status, 200);
        }
        hookway.process.kill();
        let events = stored::events(&hookway.path("hookway-data/journal"));
        assert_eq!(events.len(), 2, "what was acknowledged is on disk at once");
        hookway
    };
    // The same folder, by its journal.
    let journal = home.path("hookway-data/journal");
    let config = format!(
        "
sources: {{ hotel: {{ preset: likemagic, secrets: [ file:$home/secret ] }} }}
sinks: {{ kept: {{ journal: {{ dir: '{}' }} }} }}
routes: [ {{ to: {{ sink: kept }} }} ]
quarantine: {{ sink: kept }}
",
        journal.display()
    );
    let next = Hookway::start(&config);
    is_ready(&next).await;
    assert_eq!(next.send(&event("3")).await.status, 200);
    assert_eq!(stored::events(&journal).len(), 3);
}

#[test]
fn a_wrong_configuration_never_starts_and_every_problem_is_told() {
    let home = binary::home(
        "
listen: 127.0.0.1:0
admin: 127.0.0.1:0
sources:
  hotel: { preset: likemagik, secrets: [ file:$home/secret ] }
  units: { preset: propexo, secrets: [ plain-canary-text ] }
sinks:
  kept: { journal: { dir: $home/kept } }
routes: [ { to: { sink: missing } } ]
",
    );
    let finished = process::run(&binary::command(&home, "run"), b"", PATIENCE);
    assert_eq!(finished.status.code(), Some(78), "{}", finished.errors);
    for part in
        ["sources.hotel.preset", "likemagic", "sources.units.secrets", "routes[0].to", "quarantine", "fix:"]
    {
        assert!(finished.errors.contains(part), "{part} is missing in:\n{}", finished.errors);
    }
    assert!(!finished.errors.contains("plain-canary-text"), "a secret in the wrong place is not repeated");
    assert_eq!(finished.output, "");
    assert!(!home.path().join("kept").exists(), "nothing was opened");
}

#[test]
fn a_port_that_is_taken_and_a_journal_in_use_are_69() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let yaml = format!(
        "listen: 127.0.0.1:{port}\nadmin: 127.0.0.1:0\nsources: {{ hotel: {{ preset: likemagic, secrets: [ file:$home/secret ] }} }}\n"
    );
    let finished = process::run(&binary::command(&binary::home(&yaml), "run"), b"", PATIENCE);
    assert_eq!(finished.status.code(), Some(69), "{}", finished.errors);
    assert!(finished.errors.contains(&port.to_string()), "{}", finished.errors);

    let first = Hookway::start(CONFIG);
    let journal = first.path("hookway-data/journal");
    let yaml = format!(
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nsources: {{ hotel: {{ preset: likemagic, secrets: [ file:$home/secret ] }} }}\nsinks: {{ kept: {{ journal: {{ dir: '{}' }} }} }}\nroutes: [ {{ to: {{ sink: kept }} }} ]\nquarantine: {{ sink: kept }}\n",
        journal.display()
    );
    let finished = process::run(&binary::command(&binary::home(&yaml), "run"), b"", PATIENCE);
    assert_eq!(finished.status.code(), Some(69), "{}", finished.errors);
}

#[tokio::test]
async fn a_nats_that_is_away_does_not_hold_up_the_end() {
    // Port 1 of the loopback device: nothing listens there.
    let mut hookway = Hookway::start(
        "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
sinks:
  bus: { nats: { servers: [ 'nats://127.0.0.1:1' ], stream: S } }
  aside: { journal: { dir: $home/aside } }
routes: [ { to: { sink: bus, subject: 'w.{key}' } } ]
quarantine: { sink: aside }
",
    );
    hookway.process.signal("INT");
    let exit = hookway.process.wait(PATIENCE).expect("the process ends");
    assert_eq!(exit.code(), Some(0), "{}", hookway.log());
    assert!(!hookway.log().contains("not flushed in time"), "{}", hookway.log());
}

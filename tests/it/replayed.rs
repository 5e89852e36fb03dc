//! The rescue, from start to end: what a wrong route set aside is published once the configuration is mended, once.

use crate::{
    binary::{self, Hookway},
    client::post,
    eventually::PATIENCE,
    samples::{SECRET, likemagic_body},
};
use std::{fs, process::Output};

const CONFIG: &str = "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ] } }
sinks: { kept: { journal: { dir: $home/kept } }, aside: { journal: { dir: $home/aside } } }
routes: [ { match: { source: WRONG }, to: { sink: kept } } ]
quarantine: { sink: aside }
";

#[tokio::test]
async fn a_mended_route_rescues_what_the_wrong_one_set_aside_and_only_once() {
    let mut hookway = Hookway::start(CONFIG);
    let open = async { while hookway.ask("/readyz").await.status != 200 {} };
    tokio::time::timeout(PATIENCE, open).await.expect("the journals are opened");
    let json = [("content-type", "application/json"), ("lm-webhook-secret", SECRET)];
    for body in [likemagic_body("first", "QWERTYUI-1"), "not json".to_owned()] {
        let reply = hookway.send(&post("/hooks/hotel", &json, body.as_bytes())).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    hookway.process.kill();
    let config = fs::read_to_string(hookway.path("hookway.yaml")).unwrap();
    fs::write(hookway.path("hookway.yaml"), config.replace("WRONG", "hotel")).unwrap();
    let run = |arguments: &[&str]| -> (Option<i32>, String) {
        let Output { status, stdout, stderr } =
            binary::command_in(&hookway.path(""), arguments[0]).args(&arguments[1..]).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
    };
    let (exit, listed) = run(&["quarantine", "ls"]);
    assert!(exit == Some(0) && listed.contains("unrouted") && listed.contains("malformed"), "{listed}");
    let (_, planned) = run(&["quarantine", "replay", "--dry-run"]);
    assert!(planned.contains("1 would be replayed, 1 stay"), "{planned}");
    assert_eq!(run(&["tail", "kept", "--once"]).0, Some(1), "a dry run publishes nothing");
    let (exit, said) = run(&["quarantine", "replay"]);
    assert!(exit == Some(1) && said.contains("1 replayed, 1 stay, of 2"), "{said}");
    assert!(said.contains("stays  malformed"), "{said}");
    let (_, published) = run(&["tail", "kept", "--once"]);
    assert_eq!(published.lines().count(), 1, "{published}");
    let event: serde_json::Value = serde_json::from_str(published.lines().next().unwrap()).unwrap();
    assert_eq!((&event["event"]["id"], &event["event"]["hookwaypath"]), (&"first".into(), &"replay".into()));
    assert_eq!(event["key"], event["event"]["partitionkey"]);
    let (_, again) = run(&["quarantine", "replay"]);
    assert!(again.contains("0 replayed, 1 stay"), "{again}");
    let (exit, dropped) = run(&["quarantine", "drop", "aside#2", "--why", "no event"]);
    assert_eq!(exit, Some(0), "{dropped}");
    let (exit, nothing) = run(&["quarantine", "replay"]);
    assert!(exit == Some(0) && nothing.contains("nothing new since aside#2"), "{nothing}");
    assert!(run(&["quarantine", "ls", "--all"]).1.contains("dropped: no event"));
    assert_eq!(run(&["tail", "kept", "--once"]).1.lines().count(), 1);
}

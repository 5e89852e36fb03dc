//! The spool's directory, with the binary: where it may lie, who may have it, what a start finds there, and how the end waits
//! for nobody.

use crate::{
    binary::{self, Hookway},
    deadline,
    eventually::PATIENCE,
    process,
    samples::event,
    series,
};
use std::{fs, path::Path, time::Duration};
use tokio::time::Instant;

/// Nothing listens on port 1 of the loopback device.
const CONFIG: &str = "
sources: { hotel: { preset: likemagic, secrets: [ file:$home/secret ], reply: { spooled: 202 } } }
sinks:
  bus: { nats: { servers: [ 'nats://127.0.0.1:1' ], stream: S } }
  aside: { journal: { dir: $home/aside } }
routes: [ { to: { sink: bus, subject: 'w.{key}' } } ]
quarantine: { sink: aside }
limits: { drain_delay: 0s }
";

/// The configuration with this spool.
fn spooling(spool: &str) -> String {
    format!("{CONFIG}spool: {{ {spool} }}\n")
}

const HERE: &str = "dir: $home/spool, allow_volatile: true";

async fn metric(hookway: &Hookway, name: &str, labels: &[(&str, &str)]) -> i64 {
    series::sum(&hookway.ask("/metrics").await.body, name, labels)
}

fn run(yaml: &str) -> process::Finished {
    let ports = "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n";
    process::run(&binary::command(&binary::home(&format!("{ports}{yaml}")), "run"), b"", PATIENCE)
}

#[test]
fn a_spool_in_memory_is_refused_and_why_unless_that_is_meant() {
    let memory = tempfile::tempdir_in("/dev/shm").expect("a file system in memory");
    let finished = run(&spooling(&format!("dir: '{}/spool'", memory.path().display())));
    assert_eq!(finished.status.code(), Some(78), "{}", finished.errors);
    for words in ["spool.dir", "lies on tmpfs", "lost with the machine", "allow_volatile: true"] {
        assert!(finished.errors.contains(words), "{words} in {}", finished.errors);
    }
    let meant = format!("dir: '{}/spool', allow_volatile: true", memory.path().display());
    let hookway = Hookway::start(&spooling(&meant));
    assert!(hookway.log().contains("the spool lies in memory"), "{}", hookway.log());
}

#[tokio::test]
async fn what_waits_outlives_deaths_and_a_damaged_cursor_and_the_end_waits_for_no_broker() {
    let mut hookway = Hookway::start(&spooling(HERE));
    for n in 1..=5 {
        assert_eq!(hookway.send(&event(&n.to_string())).await.status, 202, "{n}: never reached, and kept");
    }
    let second = run(&spooling(&format!("dir: '{}', allow_volatile: true", hookway.path("spool").display())));
    assert_eq!(second.status.code(), Some(69), "{}", second.errors);
    assert!(second.errors.contains("in use"), "{}", second.errors);

    hookway.process.kill();
    let cursor = hookway.path("spool/bus/%/cursor");
    fs::write(&cursor, b"torn").unwrap();
    restart(&mut hookway);
    assert_eq!(metric(&hookway, "hookway_spool_taken_records_total", &[("how", "inherited")]).await, 5);
    assert!(hookway.log().contains("the cursor is damaged"), "{}", hookway.log());
    assert_eq!(hookway.send(&event("6")).await.status, 202);
    assert_eq!(metric(&hookway, "hookway_spool_pending_records", &[]).await, 6);
    assert!(metric(&hookway, "hookway_spool_oldest_timestamp_seconds", &[]).await > 1_700_000_000);
    assert_eq!(metric(&hookway, "hookway_unaccounted_events", &[]).await, 0);

    let start = Instant::now();
    hookway.process.signal("TERM");
    let status = hookway.process.wait(PATIENCE).expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_flipped_byte_costs_its_record_and_no_other_and_is_said() {
    let mut hookway = Hookway::start(&spooling(HERE));
    for n in 1..=3 {
        assert_eq!(hookway.send(&event(&n.to_string())).await.status, 202);
    }
    hookway.process.kill();
    let segment = segment(&hookway.path("spool/bus/%"));
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    restart(&mut hookway);
    assert!(hookway.log().contains("damaged"), "{}", hookway.log());
    let exported = binary::command_in(&hookway.path(""), "spool").arg("export").output().unwrap();
    let exported = String::from_utf8(exported.stdout).unwrap();
    let ids: Vec<&str> = exported.lines().collect();
    assert_eq!(ids.len(), 2, "{exported}");
    let lost =
        || async { metric(&hookway, "hookway_spool_settled_records_total", &[("result", "lost")]).await };
    let seen = async { while lost().await != 1 {} };
    tokio::time::timeout(PATIENCE, seen).await.expect("it is counted as lost");
    assert_eq!(metric(&hookway, "hookway_spool_pending_records", &[]).await, 2);
}

fn segment(dir: &Path) -> std::path::PathBuf {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut segments = files.filter(|path| path.extension().is_some_and(|kind| kind == "segment"));
    segments.next().expect("a segment")
}

fn restart(hookway: &mut Hookway) {
    hookway.start_again();
    deadline::until("the log says that it listens", PATIENCE, || {
        hookway.log().contains("listening").then_some(())
    });
}

#[tokio::test]
async fn a_segment_that_somebody_removed_is_missed() {
    let mut hookway = Hookway::start(&spooling(HERE));
    assert_eq!(hookway.send(&event("1")).await.status, 202);
    hookway.process.kill();
    fs::remove_file(segment(&hookway.path("spool/bus/%"))).unwrap();
    restart(&mut hookway);
    assert!(hookway.log().contains("the journal's last segment is gone"), "{}", hookway.log());
    assert_eq!(metric(&hookway, "hookway_spool_settled_records_total", &[("result", "lost")]).await, 1);
    assert_eq!(metric(&hookway, "hookway_unaccounted_events", &[]).await, 0);
    assert_eq!(hookway.send(&event("2")).await.status, 202, "and the lane goes on");
}

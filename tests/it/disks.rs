//! A disk that is small, full or read-only, below the real binary. Each 2xx stands on it, nothing else does, and once the disk
//! is well again so is the process, without a restart.
//!
//! A small disk is made by `mount`, which asks for root; where that is not given these tests say so and end.

use crate::{binary::Hookway, deadline, eventually::PATIENCE, samples::event, stored};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A file system of its own in memory; gone with the test.
struct Disk {
    at: PathBuf,
    _home: TempDir,
}

fn sh(line: &str) -> bool {
    Command::new("sh").args(["-c", line]).status().is_ok_and(|status| status.success())
}

impl Disk {
    /// Makes one of so many KiB; `None`, said aloud, where nobody may.
    fn of(kilobytes: u32) -> Option<Self> {
        let home = crate::process::home("disk");
        let at = home.path().join("disk");
        fs::create_dir(&at).unwrap();
        let line =
            format!("mount -t tmpfs -o size={kilobytes}k,mode=755 hookway-test '{}' 2>&1", at.display());
        if sh(&line) {
            return Some(Self { at, _home: home });
        }
        // Past the harness, which would keep it to itself.
        let said = "LEFT OUT: no file system can be mounted here, so that no full disk is tested";
        drop(writeln!(io::stderr(), "{said}"));
        None
    }

    fn becomes(&self, how: &str) {
        assert!(sh(&format!("mount -o remount,{how} '{}'", self.at.display())), "remounted as {how}");
    }

    fn journal(&self) -> PathBuf {
        self.at.join("journal")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        sh(&format!("umount -l '{}'", self.at.display()));
    }
}

fn config(journal: &Path) -> String {
    format!(
        "
sources: {{ hotel: {{ preset: likemagic, secrets: [ file:$home/secret ] }} }}
sinks: {{ kept: {{ journal: {{ dir: '{}' }} }} }}
routes: [ {{ to: {{ sink: kept }} }} ]
quarantine: {{ sink: kept }}
limits: {{ drain_delay: 0s }}
",
        journal.display()
    )
}

async fn ready(hookway: &Hookway) {
    while hookway.ask("/readyz").await.status != 200 {
        assert!(!hookway.log().contains("ERROR"), "{}", hookway.log());
    }
}

/// Sends the event until it is accepted: what was wrong may need a look or two to be over.
async fn until_accepted(hookway: &Hookway, id: &str) {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let reply = hookway.send(&event(id)).await;
        match reply.status {
            200 => return,
            503 => assert!(tokio::time::Instant::now() < end, "{id} is never accepted: {}", hookway.log()),
            status => panic!("{status}: {}", reply.body),
        }
    }
}

fn ids(journal: &Path) -> Vec<String> {
    stored::events(journal).iter().map(|event| event.envelope["id"].as_str().unwrap().to_owned()).collect()
}

/// Ends a process that must still be well.
fn ends_well(mut hookway: Hookway) {
    hookway.process.signal("TERM");
    let exit = hookway.process.wait(PATIENCE).expect("the process ends");
    assert_eq!(exit.code(), Some(0), "{}", hookway.log());
}

#[tokio::test]
async fn a_disk_that_fills_costs_no_event_that_was_acknowledged_and_takes_more_once_there_is_room() {
    let Some(disk) = Disk::of(96) else { return };
    let hookway = Hookway::start(&config(&disk.journal()));
    ready(&hookway).await;
    let mut acknowledged = BTreeSet::new();
    let refused = loop {
        let id = format!("event-{}", acknowledged.len());
        let reply = hookway.send(&event(&id)).await;
        if reply.status != 200 {
            break reply;
        }
        acknowledged.insert(id);
        assert!(acknowledged.len() < 1000, "96 KiB hold fewer than 1000 events");
    };
    assert_eq!((refused.status, refused.code().as_str()), (503, "sink_unavailable"));
    assert!(acknowledged.len() > 20, "only {}", acknowledged.len());
    assert!(hookway.log().contains("No space left"), "{}", hookway.log());
    // Alive, and it says what is wrong to those who look.
    assert_eq!(hookway.ask("/livez").await.status, 200);

    disk.becomes("size=1024k");
    until_accepted(&hookway, "after").await;
    acknowledged.insert("after".to_owned());
    let stored = ids(&disk.journal());
    assert_eq!(
        stored.iter().cloned().collect::<BTreeSet<_>>(),
        acknowledged,
        "all that was promised and nothing else"
    );
    assert_eq!(stored.len(), acknowledged.len(), "each once");
    ends_well(hookway);
}

#[tokio::test]
async fn a_disk_that_becomes_read_only_is_503_until_it_is_writable() {
    let Some(disk) = Disk::of(1024) else { return };
    let hookway = Hookway::start(&config(&disk.journal()));
    ready(&hookway).await;
    // What is open keeps a file system writable, so an empty one that is not is laid over the journal's folder, before the
    // first segment is begun.
    let journal = disk.journal();
    assert!(sh(&format!("mount -t tmpfs -o ro,mode=755 hookway-test '{}'", journal.display())), "covered");
    let reply = hookway.send(&event("refused")).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "sink_unavailable"));
    assert!(hookway.log().contains("Read-only"), "{}", hookway.log());
    assert_eq!(hookway.ask("/livez").await.status, 200);
    assert!(sh(&format!("umount -l '{}'", journal.display())), "uncovered");
    until_accepted(&hookway, "accepted").await;
    assert_eq!(ids(&journal), ["accepted"]);
    ends_well(hookway);
}

#[tokio::test]
async fn a_start_on_a_full_disk_lives_refuses_and_goes_on_once_there_is_room() {
    let Some(disk) = Disk::of(64) else { return };
    {
        let mut hookway = Hookway::start(&config(&disk.journal()));
        ready(&hookway).await;
        until_accepted(&hookway, "first").await;
        hookway.process.kill();
    }
    let filler = disk.at.join("filler");
    sh(&format!("head -c 1M /dev/zero > '{}' 2>/dev/null", filler.display()));
    let hookway = Hookway::start(&config(&disk.journal()));
    deadline::until("the journal was read", PATIENCE, || hookway.log().contains("journal").then_some(()));
    let refused = hookway.send(&event("refused")).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(hookway.ask("/livez").await.status, 200, "{}", hookway.log());
    assert_eq!(ids(&disk.journal()), ["first"], "what a full disk holds can be read");

    fs::remove_file(&filler).unwrap();
    until_accepted(&hookway, "second").await;
    assert_eq!(ids(&disk.journal()), ["first", "second"]);
    ends_well(hookway);
}

#[tokio::test]
async fn a_journal_on_a_read_only_disk_never_starts_and_can_be_read_all_the_same() {
    let Some(disk) = Disk::of(1024) else { return };
    {
        let hookway = Hookway::start(&config(&disk.journal()));
        ready(&hookway).await;
        until_accepted(&hookway, "first").await;
        ends_well(hookway);
    }
    disk.becomes("ro");
    let yaml = format!("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n{}", config(&disk.journal()));
    let home = crate::binary::home(&yaml);
    let finished = crate::process::run(&crate::binary::command(&home, "run"), b"", PATIENCE);
    assert_eq!(finished.status.code(), Some(74), "{}", finished.errors);
    assert!(finished.errors.contains("Read-only"), "{}", finished.errors);
    let tail =
        crate::process::run(crate::binary::command(&home, "tail").args(["--from", "start"]), b"", PATIENCE);
    assert_eq!(tail.status.code(), Some(0), "{}", tail.errors);
    assert!(tail.output.contains("first"), "{}", tail.output);
}

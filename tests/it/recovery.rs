//! What a start does about what stands in its journals: it answers probes before it has read them, and says all that it
//! found.

use crate::{
    binary::{self, Hookway},
    deadline,
    eventually::PATIENCE,
    samples::event,
    stored,
};
use hookway::{journal::Options, record::Record};
use std::{fs, path::Path, process::Command};

fn config(dir: &Path) -> String {
    format!(
        "
sources: {{ hotel: {{ preset: likemagic, secrets: [ file:$home/secret ] }} }}
sinks: {{ kept: {{ journal: {{ dir: {} }} }} }}
routes: [ {{ to: {{ sink: kept }} }} ]
quarantine: {{ sink: kept }}
",
        dir.display()
    )
}

/// Writes as many segments as there are numbers, of as many records.
async fn write(dir: &Path, records: &[usize]) {
    for count in records {
        let journal = stored::open(dir, Options::default());
        for _ in 0..*count {
            let record = Record {
                destination: "".into(),
                key: None,
                headers: Vec::new(),
                value: "a record".into(),
                timestamp_ms: 0,
                in_turn: false,
                message_id: String::new(),
            };
            journal.append(&record).await.unwrap();
        }
    }
}

fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "segment"));
    paths.sort();
    paths
}

#[tokio::test]
async fn probes_are_answered_and_events_refused_while_a_journal_is_read() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("kept");
    write(&dir, &[1, 1]).await;
    // Whoever opens a pipe to read it waits until somebody writes: a disk that takes its time.
    let slow = segments(&dir).remove(0);
    fs::remove_file(&slow).unwrap();
    assert!(Command::new("mkfifo").arg(&slow).status().unwrap().success());
    let hookway = Hookway::start(&config(&dir));
    assert_eq!(hookway.ask("/livez").await.status, 200);
    assert!(hookway.ask("/readyz?verbose").await.body.contains("[-]sink.kept failed"));
    let refused = hookway.send(&event("1")).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "sink_unavailable"));
    assert!(refused.header("retry-after").is_some());

    // It is opened for its header and to be read.
    let writer = std::thread::spawn(move || while fs::write(&slow, "").is_ok() && slow.exists() {});
    deadline::until("the journal is open", PATIENCE, || {
        hookway.log().contains("journal opened").then_some(())
    });
    while hookway.send(&event("1")).await.status != 200 {
        assert!(!hookway.log().contains("ERROR"), "{}", hookway.log());
    }
    // The last writer waits for a reader that does not come.
    drop(fs::remove_file(segments(&dir).remove(0)));
    drop(writer);
}

#[tokio::test]
async fn all_that_a_start_finds_is_in_its_log() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("kept");
    write(&dir, &[3, 2, 2]).await;
    fs::remove_file(dir.join("sealed")).unwrap();
    fs::write(dir.join("notes.txt"), "").unwrap();
    let segments = segments(&dir);
    for (segment, at) in [(&segments[0], 50), (&segments[2], fs::metadata(&segments[2]).unwrap().len() - 1)] {
        let mut bytes = fs::read(segment).unwrap();
        bytes[usize::try_from(at).unwrap()] ^= 0xFF;
        fs::write(segment, bytes).unwrap();
    }
    fs::remove_file(&segments[1]).unwrap();
    let hookway = Hookway::start(&config(&dir));
    deadline::until("the journal is open", PATIENCE, || hookway.log().contains("not used").then_some(()));
    let log = hookway.log();
    for part in [
        "a range of the journal is damaged and was skipped",
        "damaged-00000000000000000001-36",
        "records that stood in the journal are missing",
        "held no whole record and was cut",
        "damaged-00000000000000000006-",
        "notes.txt",
    ] {
        assert!(log.contains(part), "{part} is missing in {log}");
    }
    let missing = log.lines().find(|line| line.contains("are missing")).unwrap();
    assert!(missing.contains("\"records\":3"), "{missing}");
    assert!(!log.contains("never acknowledged"), "nobody can know that");
}

#[tokio::test]
async fn a_journal_of_another_process_ends_the_start() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("kept");
    let _journal = stored::open(&dir, Options::default());
    let folder = binary::home(&config(&dir));
    let output = binary::command(&folder, "run").output().unwrap();
    assert_eq!(output.status.code(), Some(69), "{output:?}");
}

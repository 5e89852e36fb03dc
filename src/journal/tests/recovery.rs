//! What opening finds, and what it does to the files.

use super::*;
use crate::journal::format::{HEADER_LEN, Header, encode, frame_len};
use std::os::unix::fs::PermissionsExt;

const COUNT: u64 = 3;

/// One segment with records 1 to [`COUNT`]: its name, its bytes, and where each record begins and ends.
async fn sample() -> (PathBuf, Vec<u8>, Vec<usize>) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 1..=COUNT).await;
    let path = segments(dir.path()).remove(0);
    let bytes = fs::read(&path).unwrap();
    let mut bounds = vec![HEADER_LEN];
    for number in 1..=COUNT {
        bounds.push(bounds.last().unwrap() + frame_len(&record(number)).unwrap());
    }
    assert_eq!(*bounds.last().unwrap(), bytes.len());
    (PathBuf::from(path.file_name().unwrap()), bytes, bounds)
}

fn place(name: &Path, bytes: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(name), bytes).unwrap();
    dir
}

#[tokio::test]
async fn a_segment_cut_at_any_byte_keeps_every_record_before_the_cut() {
    let (name, bytes, bounds) = sample().await;
    for cut in 0..bytes.len() {
        let dir = place(&name, &bytes[..cut]);
        let whole = u64::try_from(bounds.iter().skip(1).filter(|end| **end <= cut).count()).unwrap();
        let expected: Vec<u64> = (1..=whole).collect();
        assert_eq!(sequences(dir.path()), expected, "read without recovery, cut at {cut}");
        let (journal, recovered) = open(dir.path());
        assert_eq!((recovered.records, recovered.lost), (whole, 0), "cut at {cut}");
        assert!(recovered.next_sequence > whole);
        let torn = if cut < HEADER_LEN { 0 } else { cut - bounds.iter().rfind(|end| **end <= cut).unwrap() };
        let length = recovered.cut.as_ref().map_or(0, |cut| cut.range.end - cut.range.start);
        assert_eq!(length, u64::try_from(torn).unwrap(), "cut at {cut}");
        if let Some(cut) = recovered.cut {
            assert_eq!(
                fs::read(cut.copy.unwrap()).unwrap(),
                bytes[..][usize::try_from(cut.range.start).unwrap()..][..torn]
            );
        }
        assert_eq!(recovered.left.len(), usize::from(cut < HEADER_LEN), "cut at {cut}");
        drop(journal);
        assert_eq!(sequences(dir.path()), expected, "read after recovery, cut at {cut}");
    }
}

#[tokio::test]
async fn a_segment_with_any_byte_flipped_loses_the_record_of_that_byte_and_no_other() {
    let (name, bytes, bounds) = sample().await;
    for at in 0..bytes.len() {
        // Number of the record that holds the byte; 0 is the header, which costs no record.
        let hit = u64::try_from(bounds.iter().filter(|bound| **bound <= at).count()).unwrap();
        let expected: Vec<u64> = (1..=COUNT).filter(|number| *number != hit).collect();
        let mut damaged = bytes.clone();
        for flip in [0x01, 0x80, 0xFF] {
            damaged[at] = bytes[at] ^ flip;
            let dir = place(&name, &damaged);
            assert_eq!(sequences(dir.path()), expected, "byte {at}");
        }
        let dir = place(&name, &damaged);
        let (journal, recovered) = open(dir.path());
        assert_eq!(recovered.lost, u64::from(hit > 0 && hit < COUNT), "byte {at}");
        assert_eq!(recovered.damaged.len(), usize::from(hit < COUNT), "byte {at}");
        assert_eq!(recovered.cut.is_some(), hit == COUNT, "byte {at}");
        assert!(recovered.next_sequence > COUNT, "a number is given twice after byte {at}");
        drop(journal);
        assert_eq!(sequences(dir.path()), expected, "byte {at}");
    }
}

#[tokio::test]
async fn damage_is_copied_once_and_reported_at_every_start() {
    let (name, mut bytes, bounds) = sample().await;
    bytes[bounds[1] + 30] ^= 0xFF;
    let dir = place(&name, &bytes);
    let (first, report) = open(dir.path());
    drop(first);
    let (_second, again) = open(dir.path());
    assert_eq!(report, again);
    let damage = &report.damaged[0];
    assert_eq!(damage.range, u64::try_from(bounds[1]).unwrap()..u64::try_from(bounds[2]).unwrap());
    let copy = damage.copy.as_ref().unwrap();
    assert_eq!(fs::read(copy).unwrap(), bytes[bounds[1]..bounds[2]]);
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(dir.path().join(&name)).unwrap(), bytes, "the segment itself stays as it is");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4, "segment, lock, numbers and one copy");
}

#[tokio::test]
async fn a_body_that_holds_a_frame_is_not_taken_for_a_record_when_its_own_frame_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let mut forged = Vec::new();
    encode(&mut forged, 0, 2, &record(99), frame_len(&record(99)).unwrap());
    let (journal, _) = open(dir.path());
    journal.append(&Record { value: Bytes::from(forged), ..record(1) }).await.unwrap();
    drop(journal);
    let path = segments(dir.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[HEADER_LEN] ^= 0xFF;
    fs::write(&path, bytes).unwrap();
    assert_eq!(sequences(dir.path()), Vec::<u64>::new());
    assert_eq!(open(dir.path()).1.records, 0);
}

#[tokio::test]
async fn a_deleted_segment_in_the_middle_is_a_counted_gap() {
    let dir = tempfile::tempdir().unwrap();
    for numbers in [1..=2, 3..=5, 6..=6] {
        write(dir.path(), numbers).await;
    }
    fs::remove_file(&segments(dir.path())[1]).unwrap();
    let (_journal, recovered) = open(dir.path());
    assert_eq!((recovered.records, recovered.lost, recovered.next_sequence), (3, 3, 7));
    assert!(recovered.damaged.is_empty());
    let mut reader = Reader::open(dir.path(), 1).unwrap();
    while reader.read().unwrap().is_some() {}
    assert_eq!(reader.lost(), 3);
    assert_eq!(sequences(dir.path()), [1, 2, 6]);
}

#[tokio::test]
async fn the_oldest_segments_may_be_moved_away() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 1..=2).await;
    write(dir.path(), 3..=4).await;
    fs::remove_file(&segments(dir.path())[0]).unwrap();
    let (_journal, recovered) = open(dir.path());
    assert_eq!((recovered.records, recovered.lost, recovered.next_sequence), (2, 0, 5));
    assert_eq!(sequences(dir.path()), [3, 4]);
}

#[tokio::test]
async fn foreign_and_empty_files_are_reported_and_left() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 1..=2).await;
    let files = [
        ("notes.txt", "hello"),
        ("00000000000000000003.segment", ""),
        ("00000000000000000009.segment", "garbage"),
    ];
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    let (journal, recovered) = open(dir.path());
    assert_eq!((recovered.records, recovered.lost, recovered.left.len()), (2, 0, 3));
    assert!(recovered.left.iter().any(|left| left.path.ends_with("notes.txt")));
    let sequence = journal.append(&record(10)).await.unwrap();
    assert_eq!(sequence, 10, "the numbers of the files with nothing in them are not given again");
    for (name, content) in files {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), content);
    }
    assert_eq!(sequences(dir.path()), [1, 2, 10]);
}

#[tokio::test]
async fn a_newer_format_is_refused_and_nothing_is_touched() {
    let (name, bytes, _) = sample().await;
    let torn = &bytes[..bytes.len() - 3];
    let dir = place(&name, torn);
    let newer = Header { version: 2, tag: 1, first: 6, previous: 3 }.encode();
    let newer_path = dir.path().join("00000000000000000006.segment");
    fs::write(&newer_path, &newer).unwrap();
    let error = open_with(dir.path(), Options::default()).unwrap_err();
    assert!(
        matches!(&error, JournalError::NewerFormat { version: 2, path } if *path == newer_path),
        "{error}"
    );
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    assert_eq!(fs::read(dir.path().join(&name)).unwrap(), torn);
    assert_eq!(fs::read(&newer_path).unwrap(), newer);
    let mut reader = Reader::open(dir.path(), 6).unwrap();
    assert!(matches!(reader.read(), Err(JournalError::NewerFormat { version: 2, .. })));
}

#[tokio::test]
async fn a_second_owner_is_turned_away_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = open(dir.path());
    first.append(&record(1)).await.unwrap();
    let error = open_with(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, JournalError::Locked { .. }), "{error}");
    assert!(error.to_string().contains(dir.path().to_str().unwrap()), "{error}");
    first.append(&record(2)).await.unwrap();
    drop(first);
    let (_second, recovered) = open(dir.path());
    assert_eq!((recovered.records, recovered.next_sequence), (2, 3));
}

#[tokio::test]
async fn only_the_owner_may_read_what_is_stored() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data/kept");
    write(&dir, 1..=1).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

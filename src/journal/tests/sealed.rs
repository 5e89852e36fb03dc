//! Complete segments are not read again, and a start that relies on what it knows of them finds the same.

use super::*;
use crate::journal::Claim;

/// Makes a journal of several segments, of which the middle ones were sealed while it was written.
async fn several() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for numbers in [1..=12, 13..=14, 15..=30] {
        let options = Options { segment_bytes: 400, ..Options::default() };
        let (journal, _) = open_with(dir.path(), options).unwrap();
        for number in numbers {
            assert_eq!(journal.append(&record(number)).await.unwrap(), number);
        }
    }
    assert!(segments(dir.path()).len() > 5);
    dir
}

/// Recovers with what is known of the segments, and without.
fn both(dir: &Path) -> (Recovered, Recovered) {
    let claim = Claim::take(dir).unwrap();
    let knowing = claim.recover().unwrap();
    drop(fs::remove_file(dir.join("sealed")));
    (knowing, claim.recover().unwrap())
}

#[tokio::test]
async fn a_start_that_knows_the_segments_finds_what_one_finds_that_reads_them() {
    let dir = several().await;
    let (knowing, reading) = both(dir.path());
    assert_eq!(knowing, reading);
    assert_eq!((knowing.records, knowing.lost, knowing.next_sequence), (30, 0, 31));
    // A second look knows all.
    let (knowing, reading) = both(dir.path());
    assert_eq!(knowing, reading);
    // A gap and the oldest moved away.
    fs::remove_file(&segments(dir.path())[3]).unwrap();
    fs::remove_file(&segments(dir.path())[0]).unwrap();
    let (knowing, reading) = both(dir.path());
    assert_eq!(knowing, reading);
    assert!(knowing.lost > 0);
}

#[tokio::test]
async fn a_sealed_segment_is_not_read_again_and_an_unsealed_one_is() {
    let dir = several().await;
    let claim = Claim::take(dir.path()).unwrap();
    // Damage that does not change a length, as whoever does not read can't see.
    for path in &segments(dir.path())[..3] {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xFF;
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(claim.recover().unwrap().damaged, [], "they were sealed while they were written");
    let text = fs::read_to_string(dir.path().join("sealed")).unwrap();
    for damaged in [text.replacen("1 ", "2 ", 1), String::new(), text.split_at(text.len() / 2).0.to_owned()] {
        fs::write(dir.path().join("sealed"), damaged).unwrap();
        assert_eq!(claim.recover().unwrap().damaged.len(), 3, "what is known is damaged, so they are read");
    }
    assert_eq!(claim.recover().unwrap().damaged.len(), 3, "and what is damaged is never sealed");
}

#[tokio::test]
async fn a_segment_that_is_not_the_one_that_is_known_is_read() {
    let dir = several().await;
    let claim = Claim::take(dir.path()).unwrap();
    let path = &segments(dir.path())[1];
    let whole = fs::read(path).unwrap();
    fs::write(path, [&whole[..], b"grown"].concat()).unwrap();
    assert_eq!(claim.recover().unwrap().damaged.len(), 1);
    fs::write(path, &whole).unwrap();
    assert_eq!(claim.recover().unwrap().damaged, []);
    // Another journal's segment of the same name and length.
    let other = several().await;
    fs::copy(&segments(other.path())[1], path).unwrap();
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xFF;
    fs::write(path, bytes).unwrap();
    assert_eq!(claim.recover().unwrap().damaged.len(), 1, "its tag is another");
}

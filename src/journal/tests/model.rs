//! A journal against a model of it, over any series of starts, appends, deaths and damage. The model knows which records were
//! acknowledged and which of them the damage has hit; the journal must hold all others, in order, each under its own number.

use super::*;
use crate::journal::format::{encode, frame_len};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What happens to a journal that is closed.
#[derive(Debug, Clone)]
enum Step {
    /// It is opened, so many records are appended, and it is closed.
    Append(u8),
    /// A byte somewhere in a segment is another.
    Flip(prop::sample::Index, prop::sample::Index),
    /// The last segment ends in a part of a record that nobody was promised: its writer was killed.
    Tear(prop::sample::Index),
    /// The last segment ends earlier: the disk has lost what it had promised.
    Cut(prop::sample::Index),
    /// Somebody moves a segment away.
    Remove(prop::sample::Index),
    /// A file that is none of ours lies there.
    Litter(u8),
    /// What is known of sealed segments is lost.
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..6_u8).prop_map(Step::Append),
        2 => (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(segment, byte)| Step::Flip(segment, byte)),
        2 => any::<prop::sample::Index>().prop_map(Step::Tear),
        1 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => any::<prop::sample::Index>().prop_map(Step::Cut),
        1 => (0..3_u8).prop_map(Step::Litter),
        1 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 1..12)
}

/// Returns the numbers that a reader finds; each record is the one that its number names.
fn found(dir: &Path) -> BTreeSet<u64> {
    sequences(dir).into_iter().collect()
}

/// Appends so many records in small segments and returns their numbers, each higher than all before.
fn append(dir: &Path, count: u8, given: &mut u64) -> Vec<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let options = Options { segment_bytes: 400, ..Options::default() };
    let (journal, recovered) = open_with(dir, options).unwrap();
    // Segments that were found whole once are not read again, so damage to them is found by the reader alone.
    let readable = u64::try_from(found(dir).len()).unwrap();
    assert!(recovered.records >= readable, "{} counted, {readable} read", recovered.records);
    assert!(recovered.next_sequence > *given, "{} was given before", recovered.next_sequence);
    let mut appended = Vec::new();
    for next in (recovered.next_sequence..).take(count.into()) {
        let sequence = runtime.block_on(journal.append(&record(next))).unwrap();
        assert_eq!(sequence, next, "numbers follow one another");
        appended.push(sequence);
    }
    *given = appended.last().copied().unwrap_or(*given);
    appended
}

/// Damages a file and returns the numbers that are not found any more.
fn damage(dir: &Path, harm: impl FnOnce()) -> BTreeSet<u64> {
    let before = found(dir);
    harm();
    let after = found(dir);
    assert!(after.is_subset(&before), "damage makes no records: {before:?}, {after:?}");
    before.difference(&after).copied().collect()
}

/// What a step costs that finds nothing to harm.
fn nothing() -> (BTreeSet<u64>, usize) {
    (BTreeSet::new(), 0)
}

/// Does one step, and returns how many records it may cost at most.
fn harm(dir: &Path, step: &Step) -> (BTreeSet<u64>, usize) {
    let files = segments(dir);
    let pick = |at: &prop::sample::Index| files.get(at.index(files.len().max(1))).cloned();
    match step {
        Step::Flip(segment, byte) => {
            let Some(file) = pick(segment) else { return nothing() };
            let mut bytes = fs::read(&file).unwrap();
            let at = byte.index(bytes.len());
            bytes[at] ^= 0x10;
            (damage(dir, || fs::write(&file, bytes).unwrap()), 1)
        }
        Step::Tear(byte) => {
            let Some(file) = files.last() else { return nothing() };
            let mut torn = Vec::new();
            encode(&mut torn, 7, 9999, &record(9999), frame_len(&record(9999)).unwrap());
            torn.truncate(byte.index(torn.len()));
            (damage(dir, || fs::write(file, [fs::read(file).unwrap(), torn].concat()).unwrap()), 0)
        }
        Step::Cut(byte) => {
            let Some(file) = files.last() else { return nothing() };
            let bytes = fs::read(file).unwrap();
            let end = byte.index(bytes.len());
            (damage(dir, || fs::write(file, &bytes[..end]).unwrap()), usize::MAX)
        }
        Step::Remove(segment) => {
            let Some(file) = pick(segment) else { return nothing() };
            (damage(dir, || fs::remove_file(file).unwrap()), usize::MAX)
        }
        Step::Litter(kind) => {
            let name = ["notes.txt", "00000000000000000000.segment", "segment.bak"][usize::from(*kind)];
            let file = dir.join(name);
            let is_new = fs::create_dir_all(dir).is_ok() && !file.exists();
            (
                damage(dir, || {
                    if is_new {
                        fs::write(file, "this is no segment").unwrap();
                    }
                }),
                0,
            )
        }
        Step::Forget => {
            let known = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
            let known = known.filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().contains("sealed"))
            });
            (damage(dir, || known.for_each(|path| fs::remove_file(path).unwrap())), 0)
        }
        Step::Append(_) => nothing(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_to_a_journal_all_that_was_not_hit_is_there_once_and_in_order(steps in steps()) {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("journal");
        fs::create_dir(&dir).unwrap();
        let (mut model, mut given) = (BTreeSet::new(), 0);
        for step in &steps {
            if let Step::Append(count) = step {
                // A start may cut a torn tail; it takes no record along.
                model.extend(append(&dir, *count, &mut given));
            } else {
                let (hit, most) = harm(&dir, step);
                prop_assert!(hit.len() <= most, "{step:?} costs {hit:?}");
                model.retain(|number| !hit.contains(number));
                if matches!(step, Step::Cut(_)) {
                    // With the bytes has gone what they say of numbers.
                    given = model.last().copied().unwrap_or_default();
                }
            }
            prop_assert_eq!(&found(&dir), &model, "after {:?} of {:?}", step, &steps);
        }
        // And the next process goes on behind all of it.
        let last = append(&dir, 1, &mut given);
        model.extend(last);
        prop_assert_eq!(found(&dir), model);
    }
}

#[test]
fn no_number_is_given_again_though_a_start_that_cut_the_tail_has_appended_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut given = 0;
    append(home.path(), 2, &mut given);
    let file = segments(home.path()).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    for _ in 0..3 {
        append(home.path(), 0, &mut given);
    }
    assert_eq!(append(home.path(), 1, &mut given).len(), 1);
}

#[test]
fn no_number_is_given_again_though_the_torn_tail_could_not_be_copied_at_first() {
    let home = tempfile::tempdir().unwrap();
    let mut given = 0;
    append(home.path(), 2, &mut given);
    let file = segments(home.path()).remove(0);
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, &bytes).unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join(file.file_name().unwrap()), &bytes).unwrap();
    let copy = open(other.path()).1.cut.unwrap().copy.unwrap();
    // A folder in its place: no file can be made there.
    let in_the_way = home.path().join(copy.file_name().unwrap());
    fs::create_dir(&in_the_way).unwrap();
    assert!(open(home.path()).1.cut.is_none());
    assert_eq!(append(home.path(), 1, &mut given).len(), 1);
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(append(home.path(), 1, &mut given).len(), 1);
}

//! Small facts beside the segments: a file each, of a title, lines of numbers and a CRC-32. Which facts there are stands in
//! `numbers`, `sealed` and `cursor`.
//!
//! A fact that must be durable before something else happens stands in two slots that are overwritten in turn, so that one
//! is whole whatever happens to the other. It takes no new room: a full disk is emptied by removing what a fact allows.

use super::{directory, disk::Disk};
use std::{fs, io, path::Path};

/// How far the slots lie apart: no write of a disk reaches from one into the other.
const APART: usize = 4096;
/// As much as is written at once.
const SLOT: usize = 512;

/// Returns a note's text: its title, its lines and the checksum of both.
pub(super) fn print(title: &str, lines: &str) -> String {
    let text = format!("{title}\n{lines}");
    let crc = crc32fast::hash(text.as_bytes());
    text + &format!("{crc:08x}\n")
}

/// Returns a note's lines; `None` where it is damaged, or another kind of note.
pub(super) fn parse<'t>(title: &str, text: &'t str) -> Option<&'t str> {
    let (body, crc) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let lines = body.strip_prefix(title)?;
    let is_whole = crc == format!("{:08x}", crc32fast::hash(text.get(..=body.len())?.as_bytes()));
    (is_whole && (lines.is_empty() || lines.starts_with('\n'))).then(|| lines.trim_start_matches('\n'))
}

/// Reads the numbers of a line; `None` where there are not as many.
pub(super) fn numbers<const N: usize>(line: &str) -> Option<[i128; N]> {
    let numbers = line.split(' ').map(|number| number.parse().ok()).collect::<Option<Vec<_>>>()?;
    numbers.try_into().ok()
}

/// Reads the numbers that were stored last; `None` where neither slot is whole.
pub(super) fn read<const N: usize>(dir: &Path, name: &str, title: &str) -> io::Result<Option<[u64; N]>> {
    Ok(newest(&fs::read(dir.join(name))?, title).map(|(_, numbers)| numbers))
}

/// Stores numbers; once this returns they stand there after a power failure too, and until then those before do.
pub(super) fn store<const N: usize>(
    disk: &mut dyn Disk,
    dir: &Path,
    name: &str,
    (title, numbers): (&str, [u64; N]),
) -> io::Result<()> {
    let path = dir.join(name);
    let before = fs::read(&path).unwrap_or_default();
    let turn = newest::<N>(&before, title).map_or(0, |(turn, _)| turn.wrapping_add(1));
    let line = numbers.iter().fold(turn.to_string(), |line, number| line + " " + &number.to_string());
    let mut slot = print(title, &(line + "\n")).into_bytes();
    slot.resize(SLOT, 0);
    let at = if turn.is_multiple_of(2) { 0 } else { APART };
    if before.len() == 2 * APART {
        let file = directory::open_file(&path)?;
        return disk.overwrite(&file, &slot, at);
    }
    // Its room is taken now, for a time when there may be none.
    let mut whole = vec![0; 2 * APART];
    whole.splice(at..at + SLOT, slot);
    let part = dir.join(format!("{name}.part"));
    disk.overwrite(&directory::replace_file(&part)?, &whole, 0)?;
    disk.rename(&part, &path)?;
    disk.sync_dir(dir)
}

/// Returns what stands in the slot that was written last, and the number of that turn.
fn newest<const N: usize>(file: &[u8], title: &str) -> Option<(u64, [u64; N])> {
    let slot = |at: usize| {
        let bytes = file.get(at..at + SLOT)?;
        let text = str::from_utf8(bytes.split(|byte| *byte == 0).next()?).ok()?;
        let (turn, line) = parse(title, text)?.split_once(' ')?;
        let numbers: [i128; N] = numbers(line)?;
        let numbers =
            numbers.into_iter().map(|number| u64::try_from(number).ok()).collect::<Option<Vec<_>>>()?;
        Some((turn.parse().ok()?, numbers.try_into().ok()?))
    };
    [slot(0), slot(APART)].into_iter().flatten().max_by_key(|(turn, _)| *turn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::disk::LocalDisk;

    #[test]
    fn of_two_slots_one_is_whole_whatever_happens_to_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let read = || read::<2>(dir.path(), "fact", "title").unwrap();
        for turn in 1..=5 {
            store(&mut LocalDisk, dir.path(), "fact", ("title", [turn, u64::MAX])).unwrap();
            assert_eq!(read(), Some([turn, u64::MAX]));
        }
        let file = dir.path().join("fact");
        let whole = fs::read(&file).unwrap();
        assert_eq!(whole.len(), 2 * APART);
        for at in (0..SLOT).chain(APART..APART + SLOT) {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                fs::write(&file, &bytes).unwrap();
                assert!(
                    [Some([4, u64::MAX]), Some([5, u64::MAX])].contains(&read()),
                    "bit {bit} of byte {at}"
                );
            }
        }
        fs::write(&file, vec![1; 2 * APART]).unwrap();
        assert_eq!(read(), None);
        store(&mut LocalDisk, dir.path(), "fact", ("title", [6, 0])).unwrap();
        assert_eq!(read(), Some([6, 0]));
        assert_eq!(super::read::<3>(dir.path(), "fact", "title").unwrap(), None);
        assert_eq!(super::read::<2>(dir.path(), "fact", "another").unwrap(), None);
    }

    #[test]
    fn a_file_that_is_cut_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        for len in [0, 10, 512, 4096, 4106, 8191] {
            store(&mut LocalDisk, dir.path(), "fact", ("title", [1])).unwrap();
            fs::OpenOptions::new().write(true).open(dir.path().join("fact")).unwrap().set_len(len).unwrap();
            store(&mut LocalDisk, dir.path(), "fact", ("title", [2])).unwrap();
            assert_eq!(read(dir.path(), "fact", "title").unwrap(), Some([2]));
        }
    }
}

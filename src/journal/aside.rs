//! Documents that no sink takes: a file each, beside a journal's segments. Who stores one names it, and by that name it
//! stands once: a repeat finds what is there.

use super::{JournalError, directory};
use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A folder of such documents, made with the first of them.
#[derive(Debug, Clone)]
pub struct Aside {
    dir: PathBuf,
    /// One is written at a time: two of one name would write into one another.
    turn: Arc<Mutex<()>>,
}

/// Where a document stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// The SHA-256 of its bytes in hexadecimal digits.
    pub sha256: String,
}

impl Aside {
    /// Takes the directory of the journal beside which documents are kept; need not be there.
    pub fn beside(journal: &Path) -> Self {
        Self { dir: journal.join(directory::ASIDE), turn: Arc::default() }
    }

    /// Stores a document and returns once it is durable; where one of its name is there, that one counts. Blocks.
    pub fn store(&self, name: &str, document: Bytes) -> Result<Placed, JournalError> {
        let _turn = self.turn.lock();
        directory::create(&self.dir)?;
        let file = self.dir.join(format!("{name}.json"));
        let stored = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write(&file, &document).map(|()| document)
            }
            there => there.map(Bytes::from),
        };
        // Also where it was there: whoever has written it may have failed at this.
        let stored = stored.and_then(|stored| directory::sync(&self.dir).map(|()| stored));
        let stored = stored.map_err(JournalError::io("store a document in", &self.dir))?;
        Ok(Placed { file, bytes: stored.len(), sha256: hex::encode(Sha256::digest(&stored)) })
    }
}

/// Under its name it stands whole or not at all.
fn write(file: &Path, document: &[u8]) -> io::Result<()> {
    let part = file.with_extension("part");
    let written = directory::replace_file(&part).and_then(|mut part| {
        part.write_all(document)?;
        part.sync_all()
    });
    let stored = written.and_then(|()| fs::rename(&part, file));
    if stored.is_err() {
        // What is left of it takes room; it may not be there at all.
        drop(fs::remove_file(&part));
    }
    stored
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Journal, Options};

    #[test]
    fn a_document_stands_whole_in_a_file_of_its_name_and_the_journal_beside_it_does_not_mind() {
        let home = tempfile::tempdir().unwrap();
        let journal = home.path().join("deep/kept");
        let store = |document: &[u8]| {
            Aside::beside(&journal).store("name", Bytes::copy_from_slice(document)).unwrap()
        };
        let placed = store(b"{\"a\":1}");
        assert_eq!(placed.file, journal.join("aside/name.json"));
        assert_eq!((fs::read(&placed.file).unwrap(), placed.bytes), (b"{\"a\":1}".to_vec(), 7));
        assert_eq!(placed.sha256, hex::encode(Sha256::digest(b"{\"a\":1}")));
        assert_eq!(store(b"{\"a\":2, \"later\": true}"), placed, "what is there is told of as it stands");
        assert_eq!(fs::read(&placed.file).unwrap(), b"{\"a\":1}");
        assert_eq!(fs::read_dir(journal.join("aside")).unwrap().count(), 1);
        let (_journal, found) = Journal::open(&journal, Options::default()).unwrap();
        assert_eq!(found.left, []);
    }

    #[test]
    fn many_that_store_under_one_name_at_once_find_one_whole_document() {
        let home = tempfile::tempdir().unwrap();
        let aside = Aside::beside(home.path());
        let placed: Vec<Placed> = std::thread::scope(|scope| {
            let store = |n: u8| {
                let aside = &aside;
                scope.spawn(move || aside.store("name", vec![n; 100_000].into()).unwrap())
            };
            let all: Vec<_> = (0..8).map(store).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let there = fs::read(&placed[0].file).unwrap();
        assert!(there.len() == 100_000 && there.iter().all(|byte| *byte == there[0]));
        assert!(placed.iter().all(|one| one.sha256 == hex::encode(Sha256::digest(&there))));
    }

    #[test]
    fn a_folder_that_can_t_be_written_is_an_error_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("aside"), "a file in its place").unwrap();
        let error = Aside::beside(home.path()).store("name", "x".into()).unwrap_err();
        assert!(error.to_string().contains("aside"), "{error}");
    }
}

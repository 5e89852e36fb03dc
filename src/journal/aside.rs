//! Documents that no sink takes: a file each, beside a journal's segments. A file is named by the digest of what it
//! holds, so that storing it again stores nothing.

use super::{JournalError, directory};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// A folder of such documents, made with the first of them.
#[derive(Debug, Clone)]
pub struct Aside {
    dir: PathBuf,
}

/// Where a document stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its file.
    pub file: PathBuf,
    /// The SHA-256 of its bytes in hexadecimal digits.
    pub sha256: String,
}

impl Aside {
    /// Takes the directory of the journal beside which documents are kept; need not be there.
    pub fn beside(journal: &Path) -> Self {
        Self { dir: journal.join(directory::ASIDE) }
    }

    /// Stores a document and returns once it is durable. Blocks.
    pub fn store(&self, document: &[u8]) -> Result<Placed, JournalError> {
        directory::create(&self.dir)?;
        let sha256 = hex::encode(Sha256::digest(document));
        let file = self.dir.join(format!("{sha256}.json"));
        let placed = Placed { file, sha256 };
        if fs::metadata(&placed.file).is_ok_and(|there| usize::try_from(there.len()) == Ok(document.len())) {
            return Ok(placed);
        }
        // Under its name it stands whole or not at all.
        let part = self.dir.join(format!("{}.part", placed.sha256));
        let stored = write(&part, document)
            .and_then(|()| fs::rename(&part, &placed.file))
            .and_then(|()| directory::sync(&self.dir));
        if stored.is_err() {
            // What is left of it takes room; it may not be there at all.
            drop(fs::remove_file(&part));
        }
        stored.map(|()| placed).map_err(JournalError::io("store a document in", &self.dir))
    }
}

fn write(path: &Path, document: &[u8]) -> io::Result<()> {
    let mut file = directory::replace_file(path)?;
    file.write_all(document)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Journal, Options};

    #[test]
    fn a_document_stands_whole_in_a_file_of_its_digest_and_the_journal_beside_it_does_not_mind() {
        let home = tempfile::tempdir().unwrap();
        let journal = home.path().join("deep/kept");
        let placed = Aside::beside(&journal).store(b"{\"a\":1}").unwrap();
        assert_eq!(placed, Aside::beside(&journal).store(b"{\"a\":1}").unwrap());
        assert_eq!(fs::read(&placed.file).unwrap(), b"{\"a\":1}");
        assert_eq!(placed.file, journal.join(format!("aside/{}.json", placed.sha256)));
        assert_eq!(fs::read_dir(journal.join("aside")).unwrap().count(), 1);
        let (_journal, found) = Journal::open(&journal, Options::default()).unwrap();
        assert_eq!(found.left, []);
    }

    #[test]
    fn a_folder_that_can_t_be_written_is_an_error_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("aside"), "a file in its place").unwrap();
        let error = Aside::beside(home.path()).store(b"x").unwrap_err();
        assert!(error.to_string().contains("aside"), "{error}");
    }
}

//! Documents that no sink takes: a file each, beside a journal's segments. Who stores one names it, and by that name it
//! stands once: a repeat finds what is there.

use super::{JournalError, directory};
use crate::delivery::Quota;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{sync::Mutex, task::spawn_blocking};

/// Bytes that may wait for the disk at once, and what one takes beside its document.
pub const ROOM: u64 = 64 << 20;
const EACH: u64 = 8 << 10;

/// A folder of such documents, made with the first of them.
#[derive(Debug, Clone)]
pub struct Aside {
    dir: PathBuf,
    /// One is written at a time: two of one name would write into one another.
    turn: Arc<Mutex<()>>,
    room: Arc<Quota>,
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
    /// False where it was there before: the document may be another event's of the same name.
    pub is_new: bool,
}

impl Aside {
    /// Takes the directory of the journal beside which documents are kept; need not be there.
    pub fn beside(journal: &Path) -> Self {
        Self { dir: journal.join(directory::ASIDE), turn: Arc::default(), room: Quota::new(ROOM) }
    }

    /// Stores a document and returns once it is durable; where one of its name is there, that one counts. The queue is
    /// full where more waits for a slow disk than memory should hold.
    pub async fn store(&self, name: &str, document: Bytes) -> Result<Placed, JournalError> {
        let size = u64::try_from(document.len()).unwrap_or(ROOM).saturating_add(EACH);
        // One alone has room, however large it is.
        let share = self.room.take(size.min(ROOM));
        let share = share.ok_or_else(|| JournalError::QueueFull { dir: self.dir.clone() })?;
        // Waited for here, where it costs no thread, and both are kept until the disk is done, whoever still listens.
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let (dir, file) = (self.dir.clone(), self.dir.join(format!("{name}.json")));
        let stored = spawn_blocking(move || {
            let _held = (share, turn);
            place(&dir, file, document)
        });
        stored.await.unwrap_or_else(|error| Err(failed(&self.dir)(io::Error::other(error))))
    }
}

fn failed(dir: &Path) -> impl FnOnce(io::Error) -> JournalError {
    JournalError::io("store a document in", dir)
}

/// Stores what has its turn. Blocks.
fn place(dir: &Path, file: PathBuf, document: Bytes) -> Result<Placed, JournalError> {
    directory::create(dir)?;
    let (stored, is_new) = match fs::read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (write(&file, &document).map(|()| document), true)
        }
        there => (there.map(Bytes::from), false),
    };
    // Also where it was there: whoever has written it may have failed at this.
    let stored = stored.and_then(|stored| directory::sync(dir).map(|()| stored)).map_err(failed(dir))?;
    Ok(Placed { file, bytes: stored.len(), sha256: hex::encode(Sha256::digest(&stored)), is_new })
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
    use crate::journal::Claim;
    use futures_util::{FutureExt as _, future::join_all};

    #[tokio::test]
    async fn a_document_stands_whole_in_a_file_of_its_name_and_the_journal_beside_it_does_not_mind() {
        let home = tempfile::tempdir().unwrap();
        let journal = home.path().join("deep/kept");
        let aside = Aside::beside(&journal);
        let placed = aside.store("name", "{\"a\":1}".into()).await.unwrap();
        assert_eq!(placed.file, journal.join("aside/name.json"));
        assert_eq!((fs::read(&placed.file).unwrap(), placed.bytes), (b"{\"a\":1}".to_vec(), 7));
        assert_eq!(placed.sha256, hex::encode(Sha256::digest(b"{\"a\":1}")));
        assert!(placed.is_new);
        let again = aside.store("name", "{\"a\":2, \"later\": true}".into()).await.unwrap();
        assert_eq!(
            again,
            Placed { is_new: false, ..placed.clone() },
            "what is there is told of as it stands"
        );
        assert_eq!(fs::read(&placed.file).unwrap(), b"{\"a\":1}");
        assert_eq!(fs::read_dir(journal.join("aside")).unwrap().count(), 1);
        let found = Claim::take(&journal).unwrap().recover().unwrap();
        assert_eq!(found.left, []);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_that_store_under_one_name_at_once_find_one_whole_document() {
        let home = tempfile::tempdir().unwrap();
        let aside = Aside::beside(home.path());
        let placed = join_all((0..8).map(|n| aside.store("name", vec![n; 100_000].into()))).await;
        let placed: Vec<Placed> = placed.into_iter().map(Result::unwrap).collect();
        let there = fs::read(&placed[0].file).unwrap();
        assert!(there.len() == 100_000 && there.iter().all(|byte| *byte == there[0]));
        assert!(placed.iter().all(|one| one.sha256 == hex::encode(Sha256::digest(&there))));
        assert_eq!(placed.iter().filter(|one| one.is_new).count(), 1, "one of them has written it");
    }

    #[tokio::test]
    async fn what_waits_for_a_slow_disk_is_bounded_and_the_bound_is_given_back() {
        let home = tempfile::tempdir().unwrap();
        let aside = Aside::beside(home.path());
        let large = || Bytes::from(vec![b'x'; 30 << 20]);
        let slow = aside.turn.lock().await;
        let mut waiting = ["a", "b"].map(|name| Box::pin(aside.store(name, large())));
        assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()), "they wait");
        let error = aside.store("c", large()).await.unwrap_err();
        assert!(matches!(error, JournalError::QueueFull { .. }), "{error}");
        drop(slow);
        assert!(join_all(waiting).await.iter().all(Result::is_ok));
        assert_eq!(aside.room.free(), ROOM);
        assert!(aside.store("larger", vec![b'x'; 65 << 20].into()).await.is_ok(), "one alone has room");
    }

    #[tokio::test]
    async fn a_folder_that_can_t_be_written_is_an_error_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("aside"), "a file in its place").unwrap();
        let error = Aside::beside(home.path()).store("name", "x".into()).await.unwrap_err();
        assert!(error.to_string().contains("aside"), "{error}");
    }
}

//! The directory in which events wait while their destination is away: a journal for each destination, `<sink>/<destination>`,
//! and one bound for all of them together. One process owns it.

use super::{backlog::Backlog, volume::Volume};
use crate::journal::{Claim, JournalError, Notice, Options, Recovered};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The folder of what has no destination of its own; no name is written so.
const SHARED: &str = "%";

/// What a file system has in its root.
const NO_SINK: &str = "lost+found";

/// What stands in a folder's name as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Names that mean something else in a directory.
const TAKEN: [&str; 4] = ["", ".", "..", "lock"];

/// Hears what was found in a destination's folder: the folder, what stands there, and why it may be passed on twice.
pub type Finder = Box<dyn Fn(&Path, &Recovered, Option<&'static str>) + Send + Sync>;

/// Where events wait.
pub struct Spool {
    root: PathBuf,
    volume: Arc<Volume>,
    finder: Finder,
    /// How long one may wait without a word in the log.
    pub(super) patience: Duration,
    _claim: Claim,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("root", &self.root)
            .field("volume", &self.volume)
            .finish_non_exhaustive()
    }
}

impl Spool {
    /// Takes the directory, which is created where it is missing; `most` bytes may wait there. Fails where another process
    /// has it.
    pub fn take(
        root: &Path,
        most: Option<u64>,
        patience: Duration,
        finder: Finder,
    ) -> Result<Self, JournalError> {
        let claim = Claim::take(root)?;
        let volume = Arc::new(Volume::new(most));
        Ok(Self { root: root.to_path_buf(), volume, finder, patience, _claim: claim })
    }

    /// Opens what waits for a destination of a sink, or begins it; `None` is what all others of the sink share. Blocks.
    pub(super) fn open(&self, sink: &str, destination: Option<&str>) -> Result<Backlog, JournalError> {
        let dir = self.root.join(folder(sink)).join(destination.map_or(SHARED.to_owned(), folder));
        let (volume, place) = (Arc::clone(&self.volume), dir.clone());
        let observer = move |notice| match notice {
            Notice::Group(commit) => volume.grow(commit.grown),
            Notice::Removed(removed) => volume.shrink(removed.bytes),
            Notice::NotRemoved(error) => {
                tracing::error!(dir = %place.display(), %error, "what was published could not be removed from the spool, and is tried again");
            }
            Notice::Full | Notice::Size(_) => {}
        };
        let options = Options { observer: Some(Arc::new(observer)), ..Options::default() };
        let (backlog, found, doubt) = Backlog::open(&dir, options, Arc::clone(&self.volume))?;
        self.volume.grow(found.bytes);
        (self.finder)(&dir, &found, doubt);
        Ok(backlog)
    }

    /// Returns the destinations of a sink for which a folder is there; `None` among them for the shared one.
    pub(super) fn found(&self, sink: &str) -> Result<Vec<Option<String>>, JournalError> {
        destinations(&self.root.join(folder(sink)))
    }

    /// Returns the sinks for which a folder is there.
    pub fn sinks(&self) -> Result<Vec<String>, JournalError> {
        sinks(&self.root)
    }
}

/// Returns the sinks for which a spool has a folder.
pub(super) fn sinks(root: &Path) -> Result<Vec<String>, JournalError> {
    Ok(names(root)?.iter().map(|name| unfolded(name)).collect())
}

/// Returns the destinations in a sink's folder; `None` among them for the shared one.
fn destinations(dir: &Path) -> Result<Vec<Option<String>>, JournalError> {
    let named = |name: String| (name != SHARED).then(|| unfolded(&name));
    Ok(names(dir)?.into_iter().map(named).collect())
}

/// Returns the destinations of a sink and their folders.
pub(super) fn folders(root: &Path, sink: &str) -> Result<Vec<(Option<String>, PathBuf)>, JournalError> {
    let dir = root.join(folder(sink));
    let placed = |destination: Option<String>| {
        let place = dir.join(destination.as_deref().map_or(SHARED.to_owned(), folder));
        (destination, place)
    };
    Ok(destinations(&dir)?.into_iter().map(placed).collect())
}

/// Returns the folders of a directory; none where it is not there.
fn names(dir: &Path) -> Result<Vec<String>, JournalError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(JournalError::io("read", dir))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(JournalError::io("read", dir))?;
        if entry.path().is_dir()
            && let Some(name) = entry.file_name().to_str()
            && name != NO_SINK
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Returns the name of the folder for a name.
fn folder(name: &str) -> String {
    if TAKEN.contains(&name) {
        return format!("%00{name}");
    }
    utf8_percent_encode(name, PLAIN).to_string()
}

fn unfolded(folder: &str) -> String {
    let name = folder.strip_prefix("%00").unwrap_or(folder);
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn every_name_has_a_folder_of_its_own_and_comes_back(name in "\\PC{0,20}") {
            let folder = folder(&name);
            prop_assert_eq!(unfolded(&folder), name);
            prop_assert!(!folder.contains('/') && folder != SHARED);
        }
    }

    #[test]
    fn what_means_something_in_a_directory_is_written_otherwise() {
        let folders: HashSet<String> = TAKEN.into_iter().map(folder).collect();
        assert_eq!(folders.len(), TAKEN.len());
        assert!(folders.iter().all(|folder| !TAKEN.contains(&folder.as_str())));
        assert_eq!(folder("hooks.git-hub_1"), "hooks.git-hub_1");
    }
}

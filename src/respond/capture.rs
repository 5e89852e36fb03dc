//! Stores the secret that a sender hands over in its handshake.
//!
//! A place that is always open would let anybody set the key: a secret is taken only until a time that the operator
//! has set, only into a file that holds none, and written whole or not at all, for this user alone. The file is one
//! of the source's `secrets`, and whoever watches those takes it into use.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use subtle::ConstantTimeEq as _;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Where one source's secret goes, and until when it is taken.
#[derive(Debug)]
pub struct Capture {
    file: PathBuf,
    until: Timestamp,
    /// One store at a time.
    turn: Arc<Mutex<()>>,
}

/// Why a secret is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The time is over.
    #[error("`capture.until` ({0}) is over: set a later time and start again to take the sender's secret")]
    Over(Timestamp),
    /// The file holds another secret.
    #[error("{} holds another secret already: empty it to take the sender's", .0.display())]
    Taken(PathBuf),
    /// The file can't be read or written.
    #[error("the secret can't be stored in {}: {cause}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
}

impl Capture {
    /// Takes secrets into `file` until a time.
    pub fn new(file: PathBuf, until: Timestamp) -> Self {
        Self { file, until, turn: Arc::default() }
    }

    /// Returns the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Waits for the turn to store one, where it costs no thread: a disk may not answer.
    pub async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Stores a secret that was received at `now`, in its turn. The secret that the file already holds is taken again, since a
    /// sender that missed the answer repeats it.
    pub fn store(&self, secret: &SecretString, now: Timestamp) -> Result<(), CaptureError> {
        if now >= self.until {
            return Err(CaptureError::Over(self.until));
        }
        let unwritable = |cause| CaptureError::Unwritable { file: self.file.clone(), cause };
        let held = match fs::read(&self.file) {
            Ok(held) => held,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(unwritable(error)),
        };
        let secret = secret.expose_secret().as_bytes();
        match held.trim_ascii() {
            [] => write_whole(&self.file, secret).map_err(unwritable),
            held if held.ct_eq(secret).into() => Ok(()),
            _ => Err(CaptureError::Taken(self.file.clone())),
        }
    }
}

/// Writes a file beside its place, readable for this user alone, and moves it there once it is on the disk.
fn write_whole(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What an earlier attempt may have left.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    written.write_all(content)?;
    written.sync_all()?;
    fs::rename(&beside, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_secret_is_stored_once_for_this_user_alone() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("secret");
        let capture = Capture::new(file.clone(), at(100));
        capture.store(&"first".into(), at(99)).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"first");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing else is left");
        capture.store(&"first".into(), at(99)).unwrap();
        assert!(matches!(capture.store(&"second".into(), at(99)), Err(CaptureError::Taken(_))));
        assert_eq!(fs::read(&file).unwrap(), b"first");
    }

    #[test]
    fn an_empty_file_waits_for_a_secret_and_the_time_ends_it() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("secret");
        fs::write(&file, "\n").unwrap();
        let capture = Capture::new(file.clone(), at(100));
        assert!(matches!(capture.store(&"late".into(), at(100)), Err(CaptureError::Over(_))));
        assert_eq!(fs::read(&file).unwrap(), b"\n");
        fs::write(home.path().join("secret.new"), "half").unwrap();
        capture.store(&"whole".into(), at(0)).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"whole");
    }

    #[tokio::test]
    async fn one_is_stored_at_a_time_and_who_waits_holds_no_thread() {
        let capture = Capture::new("unused".into(), at(0));
        let turn = capture.turn().await;
        assert!(capture.turn().now_or_never().is_none());
        drop(turn);
        assert!(capture.turn().now_or_never().is_some());
    }

    #[test]
    fn a_folder_that_is_missing_is_told() {
        let home = tempfile::tempdir().unwrap();
        let capture = Capture::new(home.path().join("nowhere/secret"), at(100));
        let error = capture.store(&"a".into(), at(0)).unwrap_err();
        assert!(matches!(error, CaptureError::Unwritable { .. }), "{error}");
    }
}

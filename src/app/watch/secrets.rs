//! Secret files and key files while the process runs. Each is judged by itself: one that changed is taken at once, and one
//! that is gone or empty stays in use for [`GRACE`], as in the middle of a rotation, and is dropped then.

use super::spawn;
use crate::{
    config::{SecretError, SecretRef},
    observe::health::Health,
    pipeline::Source,
    reading::{self, Reading},
};
use futures_util::future::join_all;
use secrecy::{ExposeSecret as _, SecretString};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Pause between two looks at the files and the windows.
const PAUSE: Duration = Duration::from_secs(5);

/// How long what a vanished or emptied file held stays in use.
const GRACE: Duration = Duration::from_mins(1);

/// The secrets and key files of one source, as they were read last.
pub(in crate::app) struct Keeper {
    source: Arc<Source>,
    /// The source's secrets in their order, then its key files.
    held: Vec<Held>,
    /// What is wrong with secrets that are there.
    unusable: Vec<String>,
}

/// What one reference leads to.
struct Held {
    reference: SecretRef,
    /// The key file's name for the verifier; `None` for a secret.
    key_file: Option<String>,
    text: Option<SecretString>,
    /// Why the verifier can't use the text.
    problem: Option<String>,
    /// Since when it leads to nothing.
    gone: Option<Instant>,
    reading: Reading<Read>,
    /// Its last reading has not ended.
    is_stuck: bool,
}

type Read = Result<SecretString, SecretError>;

impl Keeper {
    /// Reads all for the first time.
    pub(in crate::app) async fn start(source: Arc<Source>, secrets: &[SecretRef], health: &Health) -> Self {
        let files = source.verifier.files();
        let secrets = secrets.iter().map(|reference| Held::new(reference.clone(), None));
        let files =
            files.into_iter().map(|file| Held::new(SecretRef::File(file.as_str().into()), Some(file)));
        let mut keeper = Self { held: secrets.chain(files).collect(), unusable: Vec::new(), source };
        keeper.look(true, health).await;
        keeper
    }

    /// Reads all and takes what could be read. What is found first is given also where that is nothing: how many secrets
    /// there are is told.
    async fn look(&mut self, is_first: bool, health: &Health) {
        let until = reading::patience();
        let source = Arc::clone(&self.source);
        let all = join_all(self.held.iter_mut().map(|held| held.read(until, read, &source.name))).await;
        if self.take(all, Instant::now()) || is_first {
            self.give_secrets();
        }
        self.tell(health);
    }

    /// Takes what was read now, and hands on key files that have changed; true where secrets have.
    fn take(&mut self, read: Vec<Option<Read>>, now: Instant) -> bool {
        let mut is_changed = false;
        for (held, read) in self.held.iter_mut().zip(read) {
            let Some(read) = read else { continue };
            if !held.take(read, now, &self.source.name) {
                continue;
            }
            match &held.key_file {
                Some(file) => held.problem = give_file(&self.source, file, held.text.as_ref()),
                None => is_changed = true,
            }
        }
        if is_changed {
            tracing::info!(source = %self.source.name, "secrets were read");
        }
        is_changed
    }

    /// Gives the source its secrets. One that is unset leaves the source at 503 and never stops the start: other
    /// sources must not wait for it.
    fn give_secrets(&mut self) {
        let source = &self.source;
        let secrets = self.held.iter().filter(|held| held.key_file.is_none()).map(|held| held.text.clone());
        let secrets: Vec<Option<SecretString>> = secrets.collect();
        let usable: Vec<SecretString> = secrets.iter().flatten().cloned().collect();
        source.explainer.set_secrets(&usable);
        // An empty one for each that is missing, so that every other keeps its number.
        let in_place = secrets.into_iter().map(Option::unwrap_or_default).collect();
        let problems = source.verifier.set_secrets(in_place).err().unwrap_or_default();
        source.metrics.secrets(usable.len().saturating_sub(problems.len()));
        for problem in &problems {
            tracing::error!(source = %source.name, problem = problem.problem, fix = problem.fix, "a secret can't be used");
        }
        self.unusable = problems.into_iter().map(|problem| problem.problem).collect();
        let weak = source.verifier.weak_secrets();
        if weak > 0 {
            tracing::warn!(source = %source.name, weak, "secrets below 16 bytes can be guessed");
        }
    }

    /// Says what is missing where an operator looks.
    fn tell(&self, health: &Health) {
        let (name, source) = (&self.source.name, &self.source);
        let unkeyed = || "has no usable secret: its requests are answered 503".to_owned();
        let unreached = |address| format!("has no keys from {address}: its requests are answered 503");
        let note = if source.verifier.is_keyed() {
            source.verifier.out_of_reach().map(unreached)
        } else {
            Some(unkeyed())
        };
        health.note(&format!("source.{name}"), note);
        let is_missing = |held: &Held| held.gone.is_some() || held.is_stuck;
        let missing = |held: &&Held| is_missing(held) && matches!(held.reference, SecretRef::File(_));
        let missing: Vec<&Held> = self.held.iter().filter(missing).collect();
        let broken = self.held.iter().filter(|held| held.problem.is_some() && !is_missing(held)).count();
        source.metrics.missing_files(missing.len().saturating_add(broken));
        let missing = missing.iter().map(|held| {
            let state = match (held.text.is_some(), held.gone.is_some()) {
                (false, _) => "not in use",
                (true, true) => "still in use, dropped soon",
                (true, false) => "its disk does not answer, still in use",
            };
            format!("{} ({state})", held.reference)
        });
        let missing = missing.collect::<Vec<_>>().join(", ");
        let missing = (!missing.is_empty()).then(|| format!("misses {missing}"));
        let problems = self.held.iter().filter_map(|held| held.problem.as_ref()).chain(&self.unusable);
        let unusable = problems.map(|problem| format!("can't use what is there: {problem}"));
        let told: Vec<String> = missing.into_iter().chain(unusable).collect();
        let note = (!told.is_empty()).then(|| told.join("; "));
        health.note(&format!("source.{name}.files"), note);
    }
}

impl Held {
    fn new(reference: SecretRef, key_file: Option<String>) -> Self {
        Self {
            reference,
            key_file,
            text: None,
            problem: None,
            gone: None,
            reading: Reading::default(),
            is_stuck: false,
        }
    }

    /// Reads the reference; `None` where that has no end until then. What it held last stays: nobody has taken it away.
    async fn read(
        &mut self,
        until: Instant,
        read: impl FnOnce(&SecretRef) -> Read + Send + 'static,
        source: &str,
    ) -> Option<Read> {
        let (reference, read_from) = (&self.reference, self.reference.clone());
        let tell = || tracing::warn!(source, %reference, "its disk does not answer: what was read last stays in use");
        let read = self.reading.wait(until, move || read(&read_from), tell).await;
        self.is_stuck = read.is_none();
        read
    }

    /// Takes what was read; returns true where what counts is another now.
    fn take(&mut self, read: Read, now: Instant, source: &str) -> bool {
        match read {
            Ok(text) => {
                self.gone = None;
                let is_same =
                    self.text.as_ref().is_some_and(|held| held.expose_secret() == text.expose_secret());
                self.text = Some(text);
                !is_same
            }
            Err(error) => {
                if self.gone.is_none() {
                    tracing::warn!(source, %error, "a secret or key file is missing");
                }
                let since = *self.gone.get_or_insert(now);
                let is_over = self.text.is_some() && now.duration_since(since) >= GRACE;
                if is_over {
                    tracing::warn!(source, reference = %self.reference, "it is still missing, and not in use any more");
                    self.text = None;
                }
                is_over
            }
        }
    }
}

/// Reads what a reference leads to; blanks alone are nothing.
fn read(reference: &SecretRef) -> Read {
    let text = reference.resolve()?;
    if text.expose_secret().trim().is_empty() { Err(SecretError::Empty(reference.clone())) } else { Ok(text) }
}

/// Hands on what a key file holds; returns why that can't be used, and what was read of it before stays.
fn give_file(source: &Source, file: &str, text: Option<&SecretString>) -> Option<String> {
    let Some(text) = text else {
        source.verifier.forget_file(file);
        return None;
    };
    let problem = source.verifier.set_file(file, text.expose_secret()).err()?;
    tracing::error!(source = %source.name, problem = problem.problem, fix = problem.fix, "a file of the sender's keys can't be used");
    Some(problem.problem)
}

/// Looks at the files again and again, keeps published key sets fresh, and shows how full the windows are.
pub(in crate::app) fn watch(keepers: Vec<Keeper>, health: &Arc<Health>, stop: &CancellationToken) {
    for mut keeper in keepers {
        let health = Arc::clone(health);
        spawn(stop, async move {
            let mut turns = interval(PAUSE);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                let source = &keeper.source;
                if let Some(window) = &source.window {
                    source.metrics.remembered(window.remembered());
                }
                source.verifier.refresh().await;
                keeper.look(false, &health).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn held() -> Held {
        Held::new(SecretRef::File("/gone".into()), None)
    }

    fn gone() -> Read {
        Err(SecretError::Empty(SecretRef::File("/gone".into())))
    }

    #[test]
    fn a_vanished_secret_is_in_use_for_the_grace_and_dropped_then() {
        let (mut held, start) = (held(), Instant::now());
        assert!(held.take(Ok("one".into()), start, "s") && !held.take(Ok("one".into()), start, "s"));
        assert!(!held.take(gone(), start, "s") && !held.take(gone(), start + GRACE / 2, "s"));
        assert!(held.text.is_some() && held.gone.is_some());
        assert!(held.take(gone(), start + GRACE, "s") && held.text.is_none());
        assert!(!held.take(gone(), start + GRACE * 2, "s"), "told once");
    }

    #[test]
    fn a_secret_that_comes_back_begins_anew() {
        let (mut held, start) = (held(), Instant::now());
        held.take(Ok("one".into()), start, "s");
        held.take(gone(), start, "s");
        assert!(held.take(Ok("two".into()), start + GRACE / 2, "s") && held.gone.is_none());
        assert!(!held.take(gone(), start + GRACE, "s") && held.text.is_some());
    }

    #[tokio::test]
    async fn what_hangs_keeps_no_other_waiting_takes_one_thread_and_stays_in_use() {
        let soon = || Instant::now() + Duration::from_millis(50);
        let late = || Instant::now() + Duration::from_secs(30);
        let (mut hanging, mut sound) = (held(), held());
        hanging.take(Ok("old".into()), Instant::now(), "s");
        let (answers, disk) = std::sync::mpsc::channel::<()>();
        let (disk, begun) = (Arc::new(parking_lot::Mutex::new(disk)), Arc::new(AtomicUsize::new(0)));
        let reading = || {
            let (disk, begun) = (Arc::clone(&disk), Arc::clone(&begun));
            move |_: &SecretRef| {
                begun.fetch_add(1, Ordering::SeqCst);
                let _answers = disk.lock().recv();
                Ok("new".into())
            }
        };
        for _ in 0..3 {
            assert!(sound.read(late(), |_| Ok("sound".into()), "s").await.is_some());
            assert!(hanging.read(soon(), reading(), "s").await.is_none() && hanging.is_stuck);
            assert_eq!(hanging.text.as_ref().map(ExposeSecret::expose_secret), Some("old"));
        }
        drop(answers);
        let read = hanging.read(late(), reading(), "s").await.unwrap();
        assert!(hanging.take(read, Instant::now(), "s") && !hanging.is_stuck);
        assert_eq!(begun.load(Ordering::SeqCst), 1, "it was begun once");
    }

    #[cfg(unix)]
    #[test]
    fn a_swapped_link_leads_to_the_next_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for (version, secret) in [("v1", "first"), ("v2", "second")] {
            std::fs::create_dir(path(version)).unwrap();
            std::fs::write(path(version).join("secret"), secret).unwrap();
        }
        std::os::unix::fs::symlink("v1", path("..data")).unwrap();
        std::os::unix::fs::symlink("..data/secret", path("secret")).unwrap();
        let reference = SecretRef::File(path("secret"));
        let mut held = held();
        assert!(held.take(read(&reference), Instant::now(), "s"));
        std::os::unix::fs::symlink("v2", path("..next")).unwrap();
        std::fs::rename(path("..next"), path("..data")).unwrap();
        std::fs::remove_dir_all(path("v1")).unwrap();
        assert!(held.take(read(&reference), Instant::now(), "s") && held.gone.is_none());
        assert_eq!(held.text.unwrap().expose_secret(), "second");
    }
}

//! Secret files and key files while the process runs. Each is judged by itself: one that changed is taken at once, and one
//! that is gone or empty stays in use for [`GRACE`], as in the middle of a rotation, and is dropped then.

use super::spawn;
use crate::{
    config::{SecretError, SecretRef},
    observe::health::Health,
    pipeline::Source,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{sync::Arc, time::Duration};
use tokio::{
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval},
};
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
}

/// What one reference leads to.
struct Held {
    reference: SecretRef,
    /// The key file's name for the verifier; `None` for a secret.
    key_file: Option<String>,
    text: Option<SecretString>,
    /// Since when it leads to nothing.
    gone: Option<Instant>,
}

type Read = Result<SecretString, SecretError>;

impl Keeper {
    /// Reads all for the first time.
    pub(in crate::app) fn start(source: Arc<Source>, secrets: &[SecretRef], health: &Health) -> Self {
        let held = |reference, key_file| Held { reference, key_file, text: None, gone: None };
        let files = source.verifier.files();
        let secrets = secrets.iter().map(|reference| held(reference.clone(), None));
        let files = files.into_iter().map(|file| held(SecretRef::File(file.as_str().into()), Some(file)));
        let mut keeper = Self { held: secrets.chain(files).collect(), source };
        let read = keeper.held.iter().map(|held| read(&held.reference)).collect();
        keeper.look(read, Instant::now(), health);
        // Also where nothing was found: how many secrets there are is told.
        keeper.give_secrets(health);
        keeper
    }

    /// Takes what was read now, and hands on what has changed.
    fn look(&mut self, read: Vec<Read>, now: Instant, health: &Health) {
        let mut is_changed = false;
        for (held, read) in self.held.iter_mut().zip(read) {
            if !held.take(read, now, &self.source.name) {
                continue;
            }
            match &held.key_file {
                Some(file) => give_file(&self.source, file, held.text.as_ref()),
                None => is_changed = true,
            }
        }
        if is_changed {
            self.give_secrets(health);
            tracing::info!(source = %self.source.name, "secrets were read");
        }
        self.tell(health);
    }

    /// Gives the source its secrets. One that is unset leaves the source at 503 and never stops the start: other
    /// sources must not wait for it.
    fn give_secrets(&self, health: &Health) {
        let source = &self.source;
        let secrets = self.held.iter().filter(|held| held.key_file.is_none()).map(|held| held.text.clone());
        let secrets: Vec<Option<SecretString>> = secrets.collect();
        let usable: Vec<SecretString> = secrets.iter().flatten().cloned().collect();
        source.explainer.set_secrets(&usable);
        // An empty one for each that is missing, so that every other keeps its number.
        let in_place = secrets.into_iter().map(Option::unwrap_or_default).collect();
        let problems = source.verifier.set_secrets(in_place).err().unwrap_or_default();
        source.metrics.secrets(usable.len().saturating_sub(problems.len()));
        for problem in problems {
            tracing::error!(source = %source.name, problem = problem.problem, fix = problem.fix, "a secret can't be used");
        }
        let weak = source.verifier.weak_secrets();
        if weak > 0 {
            tracing::warn!(source = %source.name, weak, "secrets below 16 bytes can be guessed");
        }
        self.tell(health);
    }

    /// Says what is missing where an operator looks.
    fn tell(&self, health: &Health) {
        let (name, source) = (&self.source.name, &self.source);
        let note = "has no usable secret: its requests are answered 503";
        health.note(&format!("source.{name}"), (!source.verifier.is_keyed()).then(|| note.to_owned()));
        let missing = |held: &&Held| held.gone.is_some() && matches!(held.reference, SecretRef::File(_));
        let missing: Vec<&Held> = self.held.iter().filter(missing).collect();
        source.metrics.missing_files(missing.len());
        let told = missing.iter().map(|held| {
            let state = if held.text.is_some() { "still in use, dropped soon" } else { "not in use" };
            format!("{} ({state})", held.reference)
        });
        let told = told.collect::<Vec<_>>().join(", ");
        let note = (!told.is_empty()).then(|| format!("misses {told}"));
        health.note(&format!("source.{name}.files"), note);
    }
}

impl Held {
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

fn give_file(source: &Source, file: &str, text: Option<&SecretString>) {
    let Some(text) = text else { return source.verifier.forget_file(file) };
    if let Err(problem) = source.verifier.set_file(file, text.expose_secret()) {
        tracing::error!(source = %source.name, problem = problem.problem, fix = problem.fix, "a file of the sender's keys can't be used");
    }
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
                    source.metrics.remembered(window.len());
                }
                source.verifier.refresh().await;
                let references: Vec<SecretRef> =
                    keeper.held.iter().map(|held| held.reference.clone()).collect();
                // A file may stand on a disk that does not answer.
                let all = spawn_blocking(move || references.iter().map(read).collect());
                if let Ok(all) = all.await {
                    keeper.look(all, Instant::now(), &health);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Held {
        Held { reference: SecretRef::File("/gone".into()), key_file: None, text: None, gone: None }
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

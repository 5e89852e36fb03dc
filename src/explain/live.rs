//! Explains refusals while they happen, for the log line of a 401: only what is cheap to find out, and only a few
//! times a second, so that a flood of bad signatures buys no work.

use super::{Case, Cause, Reach, causes};
use crate::{
    request::{Request, Withheld, captured},
    verify::{VerifyError, VerifySpec},
};
use parking_lot::{Mutex, RwLock};
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Explanations of one source within [`WINDOW`].
const MOST: u32 = 10;

/// The time over which explanations are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// Explains the refusals of one source.
pub struct Explainer {
    spec: VerifySpec,
    secrets: RwLock<Arc<[SecretString]>>,
    turn: Mutex<Turn>,
}

/// The explanations of the running window.
struct Turn {
    start: Instant,
    given: u32,
}

impl Explainer {
    /// Makes the explainer of a source, still without secrets.
    pub fn new(spec: VerifySpec) -> Self {
        let turn = Turn { start: Instant::now(), given: 0 };
        Self { spec, secrets: RwLock::new(Arc::new([])), turn: Mutex::new(turn) }
    }

    /// Replaces the secrets that the source verifies with.
    pub fn set_secrets(&self, secrets: &[SecretString]) {
        *self.secrets.write() = secrets.into();
    }

    /// Returns why `request` was refused; `None` where nothing cheap explains it. Ask [`Self::admit`] before.
    pub fn cause(&self, request: &Request, error: &VerifyError) -> Option<Cause> {
        let secrets = Arc::clone(&self.secrets.read());
        let case = Case::new(&self.spec, &secrets, request);
        causes(&case, error, Reach::Cheap).into_iter().next()
    }

    /// Returns a request as a file for `explain`, without the source's secrets.
    pub fn captured(&self, request: &Request, withheld: &Withheld, answer: &str) -> Vec<u8> {
        let secrets = Arc::clone(&self.secrets.read());
        let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose_secret().as_bytes()).collect();
        captured::write(request, withheld, &secrets, answer)
    }

    /// True where not enough was explained just now; counts as an explanation.
    pub fn admit(&self) -> bool {
        let now = Instant::now();
        let mut turn = self.turn.lock();
        if now.duration_since(turn.start) >= WINDOW {
            *turn = Turn { start: now, given: 0 };
        }
        turn.given = turn.given.saturating_add(1);
        turn.given <= MOST
    }
}

impl fmt::Debug for Explainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explainer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tests::{SECRET, request, spec};

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_refusals_is_explained_ten_times_a_second() {
        let explainer =
            Explainer::new(spec("{ algorithm: hmac-sha256, header: x-signature, encoding: hex }"));
        explainer.set_secrets(&[SECRET.into()]);
        let request = request(&[], "{}");
        let error = VerifyError::Missing("header `x-signature`".to_owned());
        let count =
            || (0..100).filter(|_| explainer.admit() && explainer.cause(&request, &error).is_some()).count();
        assert_eq!(count(), 10);
        assert_eq!(count(), 0);
        tokio::time::advance(WINDOW).await;
        assert_eq!(count(), 10);
    }

    #[test]
    fn an_explainer_does_not_print_its_secrets() {
        let explainer = Explainer::new(VerifySpec::default());
        explainer.set_secrets(&[SECRET.into()]);
        assert_eq!(format!("{explainer:?}"), "Explainer { .. }");
    }
}

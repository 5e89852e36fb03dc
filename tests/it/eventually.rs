//! Waits for a condition with a deadline: the only place in this target where a test waits.

use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The longest that anything here may take; far more than it does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until the condition holds; panics, naming what it waited for, when it never does.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain until {what}");
        sleep(PAUSE).await;
    }
}

/// Waits for a future; panics, naming it, when it takes too long.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain for {what}"))
}

//! Publishes what waits on disk for one destination, in its order: per key one at a time, keys side by side. What was
//! acknowledged is passed by the cursor before its segment goes.
//!
//! ```text
//! read up to what is durable → window → publish → done → cursor, durable → segments handed back
//!                                 ↑ no answer: after a pause, one record finds out
//!                                 ↑ refused for what an operator can mend: after a pause, others go meanwhile
//! ```

mod source;
mod window;
mod work;

use super::{backlog::Fate, lane::Lane, lanes::Lanes, note::Note};
use crate::{
    clock,
    event::envelope::Binding,
    record::{PublishError, Record},
    request::Kept,
};
use futures_util::{FutureExt as _, future::BoxFuture};
use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use work::Drain;

/// Pause after a drain that has ended by a bug.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of records that one drain has in memory at most, and those of one part that it reads.
pub const MOST_DRAINED: u64 = 16 << 20;

/// What becomes of a record that its destination never takes: it goes to the quarantine with its request.
pub type Rescue = Arc<dyn Fn(Unwanted) -> BoxFuture<'static, Result<(), PublishError>> + Send + Sync>;

/// A record that its destination never takes.
#[derive(Debug)]
pub struct Unwanted {
    /// The record.
    pub record: Record,
    /// The request that it came with.
    pub request: Kept,
    /// How it is written.
    pub binding: Binding,
    /// What the destination says.
    pub error: PublishError,
}

/// The drains of all destinations.
#[derive(Clone)]
pub(super) struct Drains {
    runtime: Handle,
    rescue: Rescue,
    stop: CancellationToken,
    running: TaskTracker,
}

impl fmt::Debug for Drains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drains").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

impl Drains {
    /// Has drains run on the runtime that this is called from.
    pub(super) fn here(rescue: Rescue) -> Self {
        let (stop, running) = (CancellationToken::new(), TaskTracker::new());
        Self { runtime: Handle::current(), rescue, stop, running }
    }

    /// Begins the drain of a destination that has a backlog.
    pub(super) fn begin(&self, lanes: &Arc<Lanes>, lane: &Arc<Lane>) {
        let Some(backlog) = lane.backlog.get().cloned() else { return };
        let (lanes, lane, stop) = (Arc::clone(lanes), Arc::clone(lane), self.stop.clone());
        let rescue = Arc::clone(&self.rescue);
        let work = async move {
            let again = || {
                let (lanes, lane) = (Arc::clone(&lanes), Arc::clone(&lane));
                Drain::new(lanes, lane, Arc::clone(&backlog), Arc::clone(&rescue)).run(stop.clone())
            };
            // A bug must not keep what waits from being published; what was not noted is published again.
            while AssertUnwindSafe(again()).catch_unwind().await.is_err() {
                let destination = lane.name();
                tracing::error!(
                    destination,
                    "the drain of a destination has ended by a bug, and begins anew"
                );
                tokio::time::sleep(PAUSE).await;
            }
        };
        drop(self.running.spawn_on(work, &self.runtime));
    }

    /// Ends all of them, with what is known noted.
    pub(super) async fn end(&self) {
        self.stop.cancel();
        self.running.close();
        self.running.wait().await;
    }
}

/// Publishes a record, or puts it aside where its destination never takes it.
async fn publish(
    (lanes, lane, rescue): (Arc<Lanes>, Arc<Lane>, Rescue),
    record: Record,
    note: Note,
) -> Result<Fate, PublishError> {
    let received = record.timestamp_ms;
    match lanes.again(&lane, record.clone()).await {
        Ok(ack) => {
            if !ack.is_duplicate() {
                let took = clock::now().as_millisecond().saturating_sub(received);
                let took = Duration::from_millis(u64::try_from(took).unwrap_or(0));
                lanes.sink.metrics.delivered(&note.source, took);
            }
            Ok(Fate::Published)
        }
        Err(error) if error.is_hopeless() => {
            let (request, binding) = (note.request(), lanes.sink.form.binding);
            let rescued = rescue(Unwanted { record, request, binding, error }).await;
            // The destination answers, and others may go: this one waits for the quarantine.
            let held = |error| {
                PublishError::Refused(format!("what it refuses goes to the quarantine, and there: {error}"))
            };
            rescued.map(|()| Fate::Quarantined).map_err(held)
        }
        Err(error) => Err(error),
    }
}

//! Ends connections that are idle for too long, and all of them when the listener stops.
//!
//! A timer and a wait for the end in each connection would cost every request two turns in shared queues, so a
//! connection only notes when it became idle, and the listener looks at all of them now and then.

use futures_util::task::AtomicWaker;
use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::Context,
    time::Duration,
};
use tokio::time::Instant;

/// Stands for the time of idleness while a request is handled.
const BUSY: u64 = u64::MAX;

// `Order` as a number, for an atomic.
const STAY: u8 = 0;
const FINISH: u8 = 1;
const DROP: u8 = 2;

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Go on.
    Stay,
    /// Finish the request at hand and take no other.
    Finish,
    /// End as you stand.
    Drop,
}

/// What one connection shows of itself, and is told.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// Milliseconds from `opened` on at which it became idle, or [`BUSY`].
    idle_from: AtomicU64,
    told: AtomicU8,
    waker: AtomicWaker,
}

impl Activity {
    fn new() -> Self {
        let (idle_from, told) = (AtomicU64::new(0), AtomicU8::new(STAY));
        Self { opened: Instant::now(), idle_from, told, waker: AtomicWaker::new() }
    }

    /// A request's head is here.
    pub(super) fn begin(&self) {
        self.idle_from.store(BUSY, Ordering::Relaxed);
    }

    /// The request is answered.
    pub(super) fn end(&self) {
        self.idle_from.store(milliseconds(self.opened.elapsed()), Ordering::Relaxed);
    }

    fn is_idle_for(&self, patience: Duration) -> bool {
        let from = self.idle_from.load(Ordering::Relaxed);
        from != BUSY && milliseconds(self.opened.elapsed()).saturating_sub(from) >= milliseconds(patience)
    }

    /// Returns what the connection is told, and sees to it that its task is woken when that changes.
    pub(super) fn order(&self, context: &Context<'_>) -> Order {
        self.waker.register(context.waker());
        match self.told.load(Ordering::Acquire) {
            FINISH => Order::Finish,
            DROP => Order::Drop,
            _ => Order::Stay,
        }
    }

    fn tell(&self, what: u8) {
        self.told.store(what, Ordering::Release);
        self.waker.wake();
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(BUSY - 1)
}

/// The connections of one listener.
#[derive(Debug, Default)]
pub(super) struct Open(Vec<Weak<Activity>>);

impl Open {
    /// Adds a connection.
    pub(super) fn add(&mut self) -> Arc<Activity> {
        let activity = Arc::new(Activity::new());
        self.0.push(Arc::downgrade(&activity));
        activity
    }

    /// Ends those that were idle for `patience`, and forgets those that ended by themselves.
    pub(super) fn sweep(&mut self, patience: Duration) {
        self.0.retain(|activity| match activity.upgrade() {
            Some(activity) => {
                if activity.is_idle_for(patience) {
                    activity.tell(DROP);
                }
                true
            }
            None => false,
        });
    }

    /// Lets every connection finish what it has.
    pub(super) fn finish(&self) {
        for activity in self.0.iter().filter_map(Weak::upgrade) {
            activity.tell(FINISH);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_idle_connections_are_ended() {
        let mut open = Open::default();
        let (idle, busy) = (open.add(), open.add());
        busy.begin();
        tokio::time::advance(Duration::from_secs(30)).await;
        open.sweep(Duration::from_secs(30));
        assert_eq!([&idle, &busy].map(|a| a.told.load(Ordering::Relaxed)), [DROP, STAY]);
        busy.end();
        tokio::time::advance(Duration::from_secs(29)).await;
        open.sweep(Duration::from_secs(30));
        assert_eq!(busy.told.load(Ordering::Relaxed), STAY);
    }

    #[tokio::test]
    async fn a_connection_that_ended_is_forgotten() {
        let mut open = Open::default();
        drop(open.add());
        let stays = open.add();
        open.sweep(Duration::from_secs(30));
        assert_eq!(open.0.len(), 1);
        open.finish();
        assert_eq!(stays.told.load(Ordering::Relaxed), FINISH);
    }
}

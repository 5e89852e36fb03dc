//! Work that outlives whoever waits for it.
//!
//! A handler's future is dropped when the sender hangs up, and a wait ends at the deadline. Neither may cancel
//! what was begun: dropped before its end, the work moves to a task of the server's own. As long as somebody
//! waits it runs where it is awaited, which saves every ordinary request a task and two wake-ups.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};
use tokio_util::task::TaskTracker;

/// A future that can't be cancelled. Yields `None` when it panicked.
pub(super) struct Shielded<'t, T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    unheard: fn(T),
    tasks: &'t TaskTracker,
}

impl<'t, T: Send + 'static> Shielded<'t, T> {
    /// Shields `work`; its outcome goes to `unheard` when nobody waits for it any more.
    pub(super) fn new(
        work: impl Future<Output = T> + Send + 'static,
        unheard: fn(T),
        tasks: &'t TaskTracker,
    ) -> Self {
        Self { work: Some(Box::pin(work)), unheard, tasks }
    }
}

impl<T: Send + 'static> Future for Shielded<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        // A panic must end this request and not the connection, which may carry others.
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => {
                self.work = None;
                Poll::Ready(Some(outcome))
            }
            Err(_) => {
                self.work = None;
                Poll::Ready(None)
            }
        }
    }
}

impl<T: Send + 'static> Drop for Shielded<'_, T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            let unheard = self.unheard;
            self.tasks.spawn(async move { unheard(work.await) });
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Shielded<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shielded").field("running", &self.work.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_that_nobody_waits_for_runs_to_its_end() {
        let (tasks, (go, gone), (tell, told)) =
            (TaskTracker::new(), oneshot::channel::<()>(), oneshot::channel());
        let work = async move {
            gone.await.unwrap();
            tell
        };
        let shielded = Shielded::new(work, |tell: oneshot::Sender<&str>| tell.send("late").unwrap(), &tasks);
        assert!(tokio::time::timeout(Duration::ZERO, shielded).await.is_err());
        go.send(()).unwrap();
        assert_eq!(told.await.unwrap(), "late");
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn a_panic_is_an_outcome() {
        let tasks = TaskTracker::new();
        let shielded = Shielded::<'_, ()>::new(async { panic!("planted") }, |()| (), &tasks);
        assert_eq!(shielded.await, None);
    }

    #[tokio::test]
    async fn work_that_is_waited_for_needs_no_task() {
        let tasks = TaskTracker::new();
        assert_eq!(Shielded::new(async { 7 }, |_| panic!("heard twice"), &tasks).await, Some(7));
        assert!(tasks.is_empty());
    }
}

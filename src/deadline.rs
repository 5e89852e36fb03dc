//! How long a request may take, stage by stage, with one timer for all of it.
//!
//! A timer is entered in the wheel of its runtime, and taken out again. One that only moves to a
//! later time stays where it is; so a request has one, and each stage that waits moves it on.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};
use tokio::time::{Instant, Sleep};

/// The time by which a request must be answered, and the timer that says so.
#[derive(Debug)]
pub struct Deadline<'t> {
    /// When it ends.
    pub at: Instant,
    /// Set to the end of whatever is waited for first.
    pub timer: Pin<&'t mut Sleep>,
}

impl Deadline<'_> {
    /// Waits for `work`, until `until` at most; `None` when that came first.
    pub async fn wait<F: Future>(&mut self, until: Instant, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.timer.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::pending, time::Duration};
    use tokio::time::sleep_until;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_ends_at_its_own_time() {
        let start = Instant::now();
        let timer = pin!(sleep_until(after(start, 2)));
        let mut deadline = Deadline { at: after(start, 4), timer };
        for until in [2, 4, 9] {
            assert_eq!(deadline.wait(after(start, until), pending::<()>()).await, None);
            assert_eq!(Instant::now(), after(start, until));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_may_be_shorter_than_the_one_before() {
        let start = Instant::now();
        let timer = pin!(sleep_until(after(start, 9)));
        let mut deadline = Deadline { at: after(start, 1), timer };
        assert_eq!(deadline.wait(after(start, 9), async { "read" }).await, Some("read"));
        assert_eq!(deadline.wait(deadline.at, pending::<()>()).await, None);
        assert_eq!(Instant::now(), after(start, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_done_is_heard_even_when_its_time_is_over() {
        let start = Instant::now();
        let mut deadline = Deadline { at: start, timer: pin!(sleep_until(start)) };
        assert_eq!(deadline.wait(start, async { "done" }).await, Some("done"));
    }
}

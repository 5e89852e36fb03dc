//! One destination of a sink, and whether it is known to be down: then an event for it is refused at once, and holds no place
//! of its source until its sender's patience is over. One event at a time still goes there, and finds out when it is over.
//!
//! ```text
//! up → nothing heard for as long as a sender waits, or few attempts in a row without an answer → down
//! down → any answer, a late one too → up
//! ```

use super::backlog::Backlog;
use crate::record::PublishError;
use prometheus::IntGauge;
use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{sync::OnceCell, time::Instant};

/// By then senders hear 503 for what waits.
const SILENCE: Duration = Duration::from_secs(4);

/// Attempts that must go without an answer: one that is lost tells nothing of the others.
const FEW: usize = 3;

/// A destination.
#[derive(Debug)]
pub(super) struct Lane {
    /// The sink's name, and the destination's where it is one alone.
    place: (String, Option<String>),
    /// What it is called in metrics.
    label: Box<str>,
    /// All times are milliseconds of this.
    since: Instant,
    /// Attempts that wait for an answer.
    waiting: AtomicUsize,
    /// When the last answer came, or the first attempt after a time without any began.
    heard: AtomicU64,
    /// Attempts in a row that ended without an answer.
    missed: AtomicUsize,
    /// From when on nothing was heard, and one more; 0 while it is up.
    down: AtomicU64,
    /// When the last attempt began while it was down.
    tried: AtomicU64,
    /// Counts destinations that are down.
    shown: IntGauge,
    /// What waits for it on disk; never filled without a spool.
    pub(super) backlog: OnceCell<Arc<Backlog>>,
    /// True once somebody publishes what waits: a second one would publish all of it again, and out of its order.
    is_drained: AtomicBool,
}

/// A record's attempt, from its beginning to the answer.
pub(super) struct Attempt<'a> {
    lane: &'a Lane,
    began: u64,
}

impl Lane {
    pub(super) fn new(place: (String, Option<String>), label: &str, shown: IntGauge) -> Self {
        let number = || AtomicU64::new(0);
        let (waiting, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (heard, down, tried) = (number(), number(), number());
        let backlog = OnceCell::new();
        Self {
            place,
            label: label.into(),
            since: Instant::now(),
            waiting,
            heard,
            missed,
            down,
            tried,
            shown,
            backlog,
            is_drained: AtomicBool::new(false),
        }
    }

    /// Begins an attempt; refused where the destination is down and another attempt finds out already.
    pub(super) fn begin(&self, now: Instant) -> Result<Attempt<'_>, PublishError> {
        let now = self.at(now);
        let is_up = self.down.load(Ordering::Relaxed) == 0;
        // Before this attempt counts: whoever counts it must not take the idle time before it for silence.
        if is_up && self.waiting.load(Ordering::Relaxed) == 0 {
            self.heard.store(now, Ordering::Relaxed);
        }
        let waiting = self.waiting.fetch_add(1, Ordering::AcqRel);
        let attempt = Attempt { lane: self, began: now };
        if is_up {
            if waiting < FEW || now.saturating_sub(self.heard.load(Ordering::Relaxed)) < millis(SILENCE) {
                return Ok(attempt);
            }
            self.fail(now);
        } else if self.may_try(waiting, now) {
            return Ok(attempt);
        }
        let silent = now.saturating_sub(self.down.load(Ordering::Relaxed).saturating_sub(1));
        Err(PublishError::Down { seconds: silent / 1000 })
    }

    /// Begins an attempt of what waits on disk, which is never refused: it is what finds out.
    pub(super) fn enter(&self, now: Instant) -> Attempt<'_> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        Attempt { lane: self, began: self.at(now) }
    }

    /// Returns true to the first that asks, who is to publish what waits.
    pub(super) fn claim_drain(&self) -> bool {
        !self.is_drained.swap(true, Ordering::AcqRel)
    }

    /// What it is called in the log.
    pub(super) fn name(&self) -> String {
        let (sink, destination) = &self.place;
        destination.as_ref().map_or_else(|| sink.clone(), |name| format!("{sink}: {name}"))
    }

    /// Its destination; `None` for the lane that all others of a sink share.
    pub(super) fn destination(&self) -> Option<&str> {
        self.place.1.as_deref()
    }

    /// What it is called in metrics.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Lets one attempt through where none waits, or the last has waited for as long as a sender does.
    fn may_try(&self, waiting: usize, now: u64) -> bool {
        let tried = self.tried.load(Ordering::Relaxed);
        let is_due = waiting == 0 || now.saturating_sub(tried) >= millis(SILENCE);
        // Of two at the same moment one is too many.
        is_due && self.tried.compare_exchange(tried, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn fail(&self, now: u64) {
        let heard = self.heard.load(Ordering::Relaxed);
        self.tried.store(now, Ordering::Relaxed);
        if self.down.compare_exchange(0, heard + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.shown.inc();
            tracing::warn!(
                destination = self.name(),
                "nothing is heard from a destination: events for it are refused at once, but for one at a time"
            );
        }
    }

    fn at(&self, now: Instant) -> u64 {
        millis(now.duration_since(self.since))
    }
}

impl Attempt<'_> {
    /// Notes what came of it.
    pub(super) fn ended<T>(&self, result: &Result<T, PublishError>, now: Instant) {
        match result {
            Err(PublishError::Unavailable(_)) => self.missed(now),
            // Nobody was asked.
            Err(PublishError::Saturated | PublishError::Unprepared(_) | PublishError::Down { .. }) => {}
            // Whatever it says, it answers.
            Ok(_) | Err(_) => self.heard(now),
        }
    }

    fn heard(&self, now: Instant) {
        let lane = self.lane;
        lane.heard.store(lane.at(now), Ordering::Relaxed);
        if lane.missed.load(Ordering::Relaxed) > 0 {
            lane.missed.store(0, Ordering::Relaxed);
        }
        if lane.down.load(Ordering::Relaxed) > 0 && lane.down.swap(0, Ordering::Relaxed) > 0 {
            lane.shown.dec();
            tracing::info!(destination = lane.name(), "a destination that was silent answers again");
        }
    }

    /// What began before the last answer was lost on its way, and tells nothing of now.
    fn missed(&self, now: Instant) {
        let lane = self.lane;
        if lane.heard.load(Ordering::Relaxed) <= self.began
            && lane.missed.fetch_add(1, Ordering::Relaxed) + 1 >= FEW
        {
            lane.fail(lane.at(now));
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.lane.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn lane() -> Lane {
        Lane::new(
            ("bus".to_owned(), Some("orders".to_owned())),
            "orders",
            IntGauge::new("down", "of a test").unwrap(),
        )
    }

    fn begin(lane: &Lane) -> Option<Attempt<'_>> {
        lane.begin(Instant::now()).ok()
    }

    fn answer(attempt: &Attempt<'_>) {
        attempt.ended(&Ok(()), Instant::now());
    }

    fn miss(attempt: &Attempt<'_>) {
        attempt.ended::<()>(&Err(PublishError::Unavailable("gone".to_owned())), Instant::now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_destination_takes_one_event_at_a_time_until_it_answers() {
        let lane = lane();
        advance(SILENCE * 10).await;
        let mut waiting: Vec<_> = (0..100).map_while(|_| begin(&lane)).collect();
        assert_eq!(waiting.len(), 100, "an idle time is no silence");
        advance(SILENCE).await;
        let Err(PublishError::Down { seconds }) = lane.begin(Instant::now()) else { panic!("it is silent") };
        assert_eq!((seconds, lane.shown.get()), (4, 1));
        waiting.truncate(1);
        assert!(begin(&lane).is_none(), "the one that waits finds out");
        advance(SILENCE).await;
        waiting.extend(begin(&lane));
        assert_eq!(waiting.len(), 2, "its sender waits no longer, and another finds out");
        assert!(begin(&lane).is_none());
        waiting.clear();
        let probe = begin(&lane).expect("none finds out");
        assert!(begin(&lane).is_none());
        answer(&probe);
        drop(probe);
        assert_eq!(lane.shown.get(), 0);
        assert_eq!((0..100).map_while(|_| begin(&lane)).count(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_answers_something_is_not_down_however_long_the_others_wait() {
        let lane = lane();
        let _waiting: Vec<_> = (0..10).map(|_| begin(&lane).unwrap()).collect();
        for _ in 0..20 {
            advance(SILENCE / 2).await;
            answer(&begin(&lane).expect("it is up"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_in_a_row_without_an_answer_show_it_too() {
        let lane = lane();
        for _ in 0..FEW {
            advance(SILENCE).await;
            miss(&begin(&lane).expect("it is not known yet"));
        }
        assert_eq!(lane.shown.get(), 1);
        let probe = begin(&lane).unwrap();
        assert!(begin(&lane).is_none());
        miss(&probe);
        drop(probe);
        let probe = begin(&lane).expect("the next finds out");
        probe.ended::<()>(&Err(PublishError::Rejected("too odd".to_owned())), Instant::now());
        assert_eq!(lane.shown.get(), 0, "that was an answer");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_lost_before_the_last_answer_counts_for_nothing() {
        let lane = lane();
        let lost: Vec<_> = (0..10).map(|_| begin(&lane).unwrap()).collect();
        advance(SILENCE).await;
        lost[0].ended(&Ok(()), Instant::now());
        lost.iter().for_each(miss);
        assert_eq!(lane.shown.get(), 0);
        drop(lost);
        assert_eq!(lane.waiting.load(Ordering::Relaxed), 0);
    }
}

//! The drain of one destination: what is in its hands, what failed, and when it looks again.

mod passed;
mod told;

use super::{MOST_DRAINED, Rescue, publish, source::Source, window::Window};
use crate::{
    journal::{Cursor, JournalError},
    publish::{
        backlog::{Backlog, Fate, Late},
        lane::Lane,
        lanes::Lanes,
        note::Note,
    },
    record::{PublishError, Record},
};
use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Records in memory at most.
const MOST_RECORDS: usize = 512;

/// How often the cursor is moved at most.
const CURSOR_PAUSE: Duration = Duration::from_millis(500);

/// Pauses after failures in a row, doubled from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The drain of one destination.
pub(super) struct Drain {
    lanes: Arc<Lanes>,
    lane: Arc<Lane>,
    backlog: Arc<Backlog>,
    rescue: Rescue,
    cursor: Cursor,
    source: Source,
    window: Window<Waiting>,
    under_way: FuturesUnordered<BoxFuture<'static, (u64, Result<Fate, PublishError>)>>,
    /// Records whose own attempts go on.
    parked: Vec<u64>,
    /// Records that were refused for what an operator can mend, and from when on they are tried again.
    resting: Vec<(Instant, u64)>,
    /// Failures in a row without an answer; with any, one record at a time finds out.
    failures: u32,
    is_failing: bool,
    pause: Instant,
    moved: Instant,
    /// What holds records, as it was said last.
    held: Option<String>,
    is_warned: bool,
}

/// A record that waits, and what goes with it.
#[derive(Debug)]
struct Waiting {
    record: Record,
    note: Note,
}

impl Drain {
    pub(super) fn new(lanes: Arc<Lanes>, lane: Arc<Lane>, backlog: Arc<Backlog>, rescue: Rescue) -> Self {
        let (cursor, now) = (backlog.cursor(), Instant::now());
        let (passed, dir) = (cursor.passed(), backlog.dir().to_path_buf());
        Self {
            lanes,
            lane,
            backlog,
            rescue,
            cursor,
            source: Source::behind(dir, passed),
            window: Window::behind(passed),
            under_way: FuturesUnordered::new(),
            parked: Vec::new(),
            resting: Vec::new(),
            failures: 0,
            is_failing: false,
            pause: now,
            moved: now,
            held: None,
            is_warned: false,
        }
    }

    /// Works until the process ends.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let backlog = Arc::clone(&self.backlog);
            let changed = backlog.changed();
            let filled = self.fill().await;
            if let Err(error) = &filled {
                tracing::error!(destination = self.lane.name(), %error, "what waits on disk can't be read, and is tried again");
                self.is_failing = true;
            }
            self.dispatch();
            if self.under_way.is_empty() && std::mem::take(&mut self.is_failing) {
                self.fail();
            }
            let is_idle = self.under_way.is_empty() && self.window.len() == 0;
            if (is_idle || self.moved.elapsed() >= CURSOR_PAUSE)
                && self.window.passed() > self.cursor.passed()
            {
                self.advance().await;
            }
            self.show();
            if is_idle && filled.is_ok() {
                self.failures = 0;
            }
            if is_idle && self.failures == 0 && self.backlog.reopen(self.window.passed()) {
                self.reopened();
            }
            let (due, is_at_rest) = (self.due(), self.is_at_rest());
            tokio::select! {
                Some((number, result)) = self.under_way.next(), if !self.under_way.is_empty() => self.ended(number, result),
                () = changed => {}
                () = sleep_until(due), if !is_at_rest => {}
                () = stop.cancelled() => {}
            }
        }
        self.end().await;
    }

    /// Reads more, as far as there is room and it is durable.
    async fn fill(&mut self) -> Result<(), JournalError> {
        let (end, bytes) = (self.backlog.durable(), u64::try_from(self.window.bytes()).unwrap_or(u64::MAX));
        if self.window.last() >= end || self.window.len() >= MOST_RECORDS || bytes >= MOST_DRAINED {
            return Ok(());
        }
        let read = self.source.read(self.window.last(), end).await?;
        self.backlog.read(read.entries.len());
        for mut entry in read.entries {
            let note = Note::take(&mut entry.record);
            let (bytes, key) = (entry.record.size(), entry.record.key.clone());
            self.window.push(entry.sequence, key.as_deref(), bytes, Waiting { record: entry.record, note });
        }
        if let Some(to) = read.through {
            self.window.skip_to(to);
        }
        for range in read.missing {
            self.backlog.skipped(range);
        }
        if read.lost > 0 {
            tracing::error!(
                destination = self.lane.name(),
                records = read.lost,
                "records that waited on disk are damaged or missing"
            );
            self.backlog.lost(read.lost);
        }
        Ok(())
    }

    /// Hands over what may go.
    fn dispatch(&mut self) {
        let now = Instant::now();
        for number in std::mem::take(&mut self.parked) {
            self.window.again(number);
        }
        let due = self.resting.extract_if(.., |(at, _)| *at <= now).map(|(_, number)| number);
        due.for_each(|number| self.window.again(number));
        let most = if self.failures > 0 { 1 } else { MOST_RECORDS };
        while self.under_way.len() < most && !self.is_failing && now >= self.pause {
            let Some((number, Waiting { record, note })) = self.window.next() else { break };
            match self.backlog.late(number) {
                Some(Late::Running) => self.parked.push(number),
                Some(Late::Done) => self.done(number, Fate::Late),
                None => {
                    let (record, note) = (record.clone(), note.clone());
                    let parts = (Arc::clone(&self.lanes), Arc::clone(&self.lane), Arc::clone(&self.rescue));
                    self.under_way
                        .push(Box::pin(async move { (number, publish(parts, record, note).await) }));
                }
            }
        }
    }

    fn ended(&mut self, number: u64, result: Result<Fate, PublishError>) {
        match result {
            Ok(fate) => {
                if !self.is_failing {
                    self.failures = 0;
                }
                self.done(number, fate);
            }
            Err(error) if is_mendable(&error) => {
                // The destination answers: others may go.
                self.failures = 0;
                self.hold(&error);
                self.resting.push((Instant::now() + LONGEST_PAUSE, number));
            }
            Err(_) => {
                self.window.again(number);
                self.is_failing = true;
            }
        }
    }

    fn done(&mut self, number: u64, fate: Fate) {
        self.backlog.settled(number, fate);
        self.window.done(number);
    }

    fn fail(&mut self) {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.pause = Instant::now() + doubled.min(LONGEST_PAUSE);
    }

    /// True where nothing is to be done but to wait for what comes.
    fn is_at_rest(&self) -> bool {
        self.window.len() == 0 && self.failures == 0 && self.window.passed() <= self.cursor.passed()
    }

    /// Returns when to look again, though nothing has come.
    fn due(&self) -> Instant {
        let now = Instant::now();
        let mut due = self.moved.max(now) + CURSOR_PAUSE;
        if self.under_way.is_empty() && self.pause > now {
            due = due.min(self.pause);
        }
        self.resting.iter().fold(due, |due, (at, _)| due.min(*at))
    }
}

/// Tells whether a destination refuses a record for what an operator can mend there.
fn is_mendable(error: &PublishError) -> bool {
    matches!(
        error,
        PublishError::Misconfigured(_)
            | PublishError::Refused(_)
            | PublishError::Full(_)
            | PublishError::Disk(_)
    )
}

//! Ends connections that are idle for too long, and all of them when the listener stops; never one whose request has
//! begun.
//!
//! A timer and a wait for the end in each connection would cost every request two turns in the runtime's queues, so a
//! connection only notes what it is at, and the listener looks at all of them now and then. What the listener decides
//! is an order; the connection's own task reads what has come before it obeys, so that a request which comes at the same
//! moment is answered.

use futures_util::task::AtomicWaker;
use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering},
    },
    task::Context,
};

// What a connection is at, as a number, for an atomic.
/// Nothing of a request is here, and one was answered before.
const IDLE: u8 = 0;
/// A head is awaited or half here.
const HEAD: u8 = 1;
/// A request is handled.
const BUSY: u8 = 2;

/// What a connection is told, from the mildest on; never taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Go on.
    Stay = 0,
    /// Say with the next answer that it is the last.
    Close = 1,
    /// End, unless something of a request is here.
    End = 2,
    /// End, unless a request is handled.
    Cut = 3,
}

/// What one connection shows of itself, and is told.
#[derive(Debug)]
pub(super) struct Activity {
    at: AtomicU8,
    /// How often the listener has seen it without a request.
    turns: AtomicU32,
    told: AtomicU8,
    /// True when the head that was read last has a `Content-Length`.
    has_length: AtomicBool,
    /// Bytes behind that head, and whether chunks have ended with them.
    behind: AtomicUsize,
    has_ended: AtomicBool,
    /// True once something of a head came together with what stands in front of it, and was not seen.
    is_unseen: AtomicBool,
    waker: AtomicWaker,
}

impl Activity {
    fn new(told: Order) -> Self {
        Self {
            at: AtomicU8::new(HEAD),
            turns: AtomicU32::new(0),
            told: AtomicU8::new(number(told)),
            has_length: AtomicBool::new(false),
            behind: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
            is_unseen: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    /// Bytes came; returns whether they begin a head.
    pub(super) fn came(&self) -> bool {
        let is_first = self.at.load(Ordering::Relaxed) == IDLE;
        if is_first {
            self.turns.store(0, Ordering::Relaxed);
            self.at.store(HEAD, Ordering::Relaxed);
        }
        is_first
    }

    /// The head that is being read has a `Content-Length`.
    pub(super) fn saw_length(&self) {
        self.has_length.store(true, Ordering::Relaxed);
    }

    /// How much came behind that head, and whether chunks have ended with it.
    pub(super) fn saw_behind(&self, behind: usize, has_ended: bool) {
        self.behind.store(behind, Ordering::Relaxed);
        self.has_ended.store(has_ended, Ordering::Relaxed);
    }

    /// Whether the head of the request at hand has a `Content-Length`, or may have: hyper takes that line away where there
    /// is a `Transfer-Encoding` too.
    pub(super) fn may_have_length(&self) -> bool {
        self.has_length.load(Ordering::Relaxed) || self.is_unseen.load(Ordering::Relaxed)
    }

    /// A request's head is here.
    pub(super) fn begin(&self) {
        self.at.store(BUSY, Ordering::Relaxed);
    }

    /// The request is answered; `length` is that of its body, but for one in chunks. Returns whether another may follow:
    /// not where something may stand behind chunks, of which nobody here knows where it begins.
    pub(super) fn end(&self, length: Option<u64>) -> bool {
        let may_follow = match length.map(usize::try_from) {
            None => self.has_ended.load(Ordering::Relaxed),
            Some(length) => {
                let is_exact = length == Ok(self.behind.load(Ordering::Relaxed));
                self.is_unseen.fetch_or(!is_exact, Ordering::Relaxed);
                true
            }
        };
        self.has_length.store(false, Ordering::Relaxed);
        self.turns.store(0, Ordering::Relaxed);
        self.at.store(IDLE, Ordering::Relaxed);
        may_follow
    }

    /// Whether the answer at hand should be the last.
    pub(super) fn is_last(&self) -> bool {
        self.told.load(Ordering::Relaxed) != number(Order::Stay)
    }

    /// Sees to it that the connection's task is woken when it is told something.
    pub(super) fn listen(&self, context: &Context<'_>) {
        self.waker.register(context.waker());
    }

    /// Whether the connection should end as it stands: it was told to, and has read all that has come.
    pub(super) fn is_over(&self) -> bool {
        let told = self.told.load(Ordering::Acquire);
        match self.at.load(Ordering::Relaxed) {
            BUSY => false,
            IDLE => told >= number(Order::End),
            _ => told >= number(Order::Cut),
        }
    }

    fn tell(&self, order: Order) {
        let order = number(order);
        if self.told.fetch_max(order, Ordering::AcqRel) < order {
            self.waker.wake();
        }
    }

    /// Counts one look; true when there were `most` without a request.
    fn is_quiet_for(&self, most: u32) -> bool {
        self.at.load(Ordering::Relaxed) != BUSY && self.turns.fetch_add(1, Ordering::Relaxed) >= most
    }
}

fn number(order: Order) -> u8 {
    match order {
        Order::Stay => 0,
        Order::Close => 1,
        Order::End => 2,
        Order::Cut => 3,
    }
}

/// The connections of one listener.
#[derive(Debug)]
pub(super) struct Open {
    known: Vec<Weak<Activity>>,
    told: Order,
}

impl Open {
    pub(super) fn new() -> Self {
        Self { known: Vec::new(), told: Order::Stay }
    }

    /// Adds a connection.
    pub(super) fn add(&mut self) -> Arc<Activity> {
        let activity = Arc::new(Activity::new(self.told));
        self.known.push(Arc::downgrade(&activity));
        activity
    }

    /// Tells all, and those that come.
    pub(super) fn tell(&mut self, order: Order) {
        self.told = order;
        for activity in self.known.iter().filter_map(Weak::upgrade) {
            activity.tell(order);
        }
    }

    /// Ends those that were seen without a request for `most` looks, and forgets those that ended by themselves.
    pub(super) fn sweep(&mut self, most: u32) {
        self.known.retain(|activity| match activity.upgrade() {
            Some(activity) => {
                if activity.is_quiet_for(most) {
                    let is_idle = activity.at.load(Ordering::Relaxed) == IDLE;
                    activity.tell(if is_idle { Order::End } else { Order::Cut });
                }
                true
            }
            None => false,
        });
    }

    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(open: &mut Open, turns: u32) {
        (0..turns).for_each(|_| open.sweep(8));
    }

    #[test]
    fn only_connections_without_a_request_are_ended() {
        let mut open = Open::new();
        let (idle, busy, fresh) = (open.add(), open.add(), open.add());
        busy.begin();
        idle.begin();
        idle.end(Some(0));
        sweep(&mut open, 8);
        assert!(!idle.is_over() && !fresh.is_over());
        sweep(&mut open, 1);
        assert_eq!([&idle, &busy, &fresh].map(|a| a.is_over()), [true, false, true]);
        busy.end(Some(0));
        sweep(&mut open, 8);
        assert!(!busy.is_over());
        sweep(&mut open, 1);
        assert!(busy.is_over());
    }

    #[test]
    fn a_request_that_begins_before_the_order_is_obeyed_is_not_cut() {
        let mut open = Open::new();
        let connection = open.add();
        connection.begin();
        connection.end(Some(0));
        sweep(&mut open, 9);
        assert!(connection.came());
        assert!(!connection.is_over(), "its first byte was here");
        connection.begin();
        assert!(!connection.is_over() && connection.is_last());
        connection.end(Some(0));
        assert!(connection.is_over(), "it was answered");
    }

    #[test]
    fn a_head_that_begins_late_has_all_the_time_of_a_head() {
        let mut open = Open::new();
        let connection = open.add();
        connection.begin();
        connection.end(Some(0));
        sweep(&mut open, 8);
        connection.came();
        sweep(&mut open, 8);
        assert!(!connection.is_over());
        connection.came();
        sweep(&mut open, 1);
        assert!(connection.is_over(), "each further byte gives no more");
    }

    #[test]
    fn a_drain_lets_each_connection_answer_once_more_and_a_stop_ends_the_idle_ones() {
        let mut open = Open::new();
        let (idle, half) = (open.add(), open.add());
        idle.begin();
        idle.end(Some(0));
        open.tell(Order::Close);
        let late = open.add();
        assert_eq!([&idle, &half, &late].map(|a| (a.is_over(), a.is_last())), [(false, true); 3]);
        open.tell(Order::End);
        assert_eq!([&idle, &half, &late].map(|a| a.is_over()), [true, false, false]);
        open.tell(Order::Cut);
        assert!(half.is_over() && late.is_over());
    }

    #[test]
    fn a_connection_that_ended_is_forgotten() {
        let mut open = Open::new();
        drop(open.add());
        let stays = open.add();
        open.sweep(8);
        assert_eq!(open.known.len(), 1);
        drop(stays);
        open.sweep(8);
        assert!(open.is_empty());
    }
}

//! How a worker hears from other threads: many wake-ups at the price of one.
//!
//! To wake a task from another thread is to lock its runtime's queue and to ring for the thread, for each task anew. So
//! who is to be woken is written on a list, and the worker is rung for once; it wakes them itself, which is cheap.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};
use tokio::{
    runtime::Handle,
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinHandle,
};

/// Wake-ups between two looks at the list.
const BATCH: usize = 512;

thread_local! {
    /// The list of the worker that this thread is.
    static MAIL: RefCell<Option<UnboundedSender<Waker>>> = const { RefCell::new(None) };
    /// Which worker this thread is.
    static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
    /// The process's own runtime, on a worker.
    static HOME: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Returns the number of the worker that this thread is; 0 elsewhere.
pub fn number() -> usize {
    own_number().unwrap_or_default()
}

/// Returns the number of the worker that this thread is.
pub fn own_number() -> Option<usize> {
    NUMBER.get()
}

/// Runs a task on the process's own runtime: what takes long, or belongs to no request, must hold up no connection of a
/// worker.
pub fn beside<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    match HOME.with_borrow(Clone::clone) {
        Some(home) => home.spawn(task),
        None => tokio::spawn(task),
    }
}

/// Waits for what another thread will answer.
///
/// On a worker the answer's wake-up goes by the worker's list; elsewhere this is `answer` itself.
pub fn hear<F: Future + Unpin>(answer: F) -> Hear<F> {
    Hear { answer, letter: None }
}

/// See [`hear`].
#[derive(Debug)]
pub struct Hear<F> {
    answer: F,
    letter: Option<Arc<Letter>>,
}

/// Whom to wake, and on whose list he is put.
#[derive(Debug)]
struct Letter {
    to: Waker,
    by: UnboundedSender<Waker>,
}

impl<F: Future + Unpin> Future for Hear<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let is_known = self.letter.as_ref().is_some_and(|letter| letter.to.will_wake(context.waker()));
        if !is_known {
            let to = || context.waker().clone();
            self.letter = MAIL.with_borrow(Clone::clone).map(|by| Arc::new(Letter { to: to(), by }));
        }
        let Some(letter) = self.letter.clone() else { return Pin::new(&mut self.answer).poll(context) };
        Pin::new(&mut self.answer).poll(&mut Context::from_waker(&Waker::from(letter)))
    }
}

impl Wake for Letter {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Fails where the worker has ended, and its tasks with it.
        let _gone = self.by.send(self.to.clone());
    }
}

/// Makes this thread the worker of this number and wakes whom others put on its list.
#[expect(clippy::disallowed_methods, reason = "it holds one wake-up for each answer that a task waits for")]
pub(super) async fn hand_out(number: usize, home: Option<Handle>) {
    NUMBER.set(Some(number));
    HOME.set(home);
    let (by, mut letters) = unbounded_channel();
    MAIL.set(Some(by));
    let mut batch = Vec::with_capacity(BATCH);
    while letters.recv_many(&mut batch, BATCH).await > 0 {
        batch.drain(..).for_each(Waker::wake);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{MAIL, Waker};

    /// Puts a wake-up on the list of the worker that this runs on.
    pub(in super::super) fn tell(waker: Waker) {
        MAIL.with_borrow(Clone::clone).unwrap().send(waker).unwrap();
    }
}

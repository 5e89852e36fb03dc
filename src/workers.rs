//! The threads that carry webhooks: each has a runtime of its own, and owns a connection from accept to answer.
//!
//! A runtime of several threads has all of them look for work in each other's queues and wake one another, which costs
//! every request some microseconds. A worker asks nobody: what its requests wait for comes to it ([`hear`]), many answers
//! at a time. What takes long goes to the process's own runtime ([`beside`]), where accepting, watches and looks at the
//! sinks are.

mod mail;

pub use mail::{beside, hear, number, own_number};

use std::{
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The workers of one process. They end with it; connections that are open by then are dropped.
#[derive(Debug)]
pub struct Workers {
    all: Vec<Worker>,
    /// Cancelled when the last thread has ended.
    over: CancellationToken,
    _ends: DropGuard,
}

/// One thread that carries webhooks.
#[derive(Debug)]
struct Worker {
    runtime: Handle,
    load: Arc<Load>,
    /// `None` where it is somebody else's.
    thread: Option<JoinHandle<()>>,
}

/// What a worker has to carry.
#[derive(Debug, Default)]
struct Load {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// The place of one connection on its worker.
#[derive(Debug)]
pub struct Seat {
    /// Where its task runs.
    pub runtime: Handle,
    load: Arc<Load>,
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Carried<'s>(&'s Load);

impl Workers {
    /// Starts so many threads, beside the runtime that this is called from.
    pub fn start(count: NonZeroUsize) -> io::Result<Self> {
        let (ends, over) = (CancellationToken::new(), CancellationToken::new());
        let guard = ends.clone().drop_guard();
        let home = Handle::try_current().ok();
        // Each thread holds it.
        let lives = Arc::new(over.clone().drop_guard());
        let start = |number| Worker::start(number, home.clone(), ends.clone(), Arc::clone(&lives));
        Ok(Self { all: (0..count.get()).map(start).collect::<io::Result<_>>()?, over, _ends: guard })
    }

    /// Has the runtime that this is called from carry the webhooks too.
    pub fn here() -> Self {
        let here = Worker { runtime: Handle::current(), load: Arc::default(), thread: None };
        let (over, ends) = (CancellationToken::new(), CancellationToken::new());
        Self { all: vec![here], over, _ends: ends.drop_guard() }
    }

    /// Waits until no worker is left: a process that goes on would answer nobody.
    pub async fn over(&self) {
        self.over.cancelled().await;
    }

    /// Returns their runtimes, by their number.
    pub fn runtimes(&self) -> impl Iterator<Item = &Handle> {
        self.all.iter().map(|worker| &worker.runtime)
    }

    /// Returns a place for a connection on the worker that has the least to carry. A connection counts, and a request in
    /// flight once more: the few that a proxy keeps open are spread, and so are busy ones among many that are silent. One
    /// whose thread has ended by a panic gets none; `None` where none is left.
    pub fn seat(&self) -> Option<Seat> {
        let living = self.all.iter().filter(|worker| worker.lives());
        let Worker { runtime, load, .. } = living.min_by_key(|worker| worker.load.sum())?;
        load.connections.fetch_add(1, Ordering::Relaxed);
        Some(Seat { runtime: runtime.clone(), load: Arc::clone(load) })
    }
}

impl Worker {
    fn start(
        number: usize,
        home: Option<Handle>,
        ends: CancellationToken,
        lives: Arc<DropGuard>,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            // Sockets, timers and new connections are looked at soon also where each request takes a millisecond.
            .event_interval(16)
            .global_queue_interval(16)
            .build()?;
        let handle = runtime.handle().clone();
        let work = move || {
            let carried = || runtime.block_on(ends.run_until_cancelled(mail::hand_out(number, home)));
            if catch_unwind(AssertUnwindSafe(carried)).is_err() {
                tracing::error!(worker = number, "a worker has ended by a bug, and its connections with it");
            }
            // A read of a disk that hangs must not keep the thread, nor the process.
            runtime.shutdown_background();
            drop(lives);
        };
        let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(work)?;
        Ok(Self { runtime: handle, load: Arc::default(), thread: Some(thread) })
    }

    fn lives(&self) -> bool {
        !self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }
}

impl Load {
    fn sum(&self) -> usize {
        self.connections.load(Ordering::Relaxed) + self.requests.load(Ordering::Relaxed)
    }
}

impl Seat {
    /// Counts a request until the guard is dropped.
    pub fn request(&self) -> Carried<'_> {
        self.load.requests.fetch_add(1, Ordering::Relaxed);
        Carried(&self.load)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.load.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Carried<'_> {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    fn started(count: usize) -> Workers {
        Workers::start(NonZeroUsize::new(count).unwrap()).unwrap()
    }

    /// Returns which worker a seat is on.
    fn place(workers: &Workers, seat: &Seat) -> usize {
        workers.all.iter().position(|worker| Arc::ptr_eq(&worker.load, &seat.load)).unwrap()
    }

    #[test]
    fn connections_are_spread_and_a_busy_worker_gets_fewer() {
        let workers = started(4);
        let seats: Vec<Seat> = (0..8).map(|_| workers.seat().unwrap()).collect();
        let places: Vec<usize> = seats.iter().map(|seat| place(&workers, seat)).collect();
        assert_eq!(places, [0, 1, 2, 3, 0, 1, 2, 3]);
        let busy: Vec<Carried<'_>> = seats.iter().step_by(4).map(Seat::request).collect();
        let next: Vec<Seat> = (0..4).map(|_| workers.seat().unwrap()).collect();
        let places: Vec<usize> = next.iter().map(|seat| place(&workers, seat)).collect();
        assert_eq!(places, [1, 2, 3, 1], "the first has two requests in flight");
        drop(busy);
        drop(seats);
        assert_eq!(place(&workers, &workers.seat().unwrap()), 0);
    }

    #[test]
    fn whoever_waits_on_a_worker_hears_what_other_threads_answer() {
        for count in [1, 2, 4] {
            let workers = started(count);
            let (tell, told) = std::sync::mpsc::channel();
            let seats: Vec<Seat> = (0..count).map(|_| workers.seat().unwrap()).collect();
            let answers: Vec<_> = (0..2000_usize)
                .map(|number| {
                    let (answer, answered) = oneshot::channel();
                    let tell = tell.clone();
                    seats[number % count].runtime.spawn(async move {
                        let name = thread::current().name().map(str::to_owned);
                        tell.send((number, hear(answered).await.ok(), name)).unwrap();
                    });
                    answer
                })
                .collect();
            drop(tell);
            for (number, answer) in answers.into_iter().enumerate() {
                // Every seventh is let go of without an answer.
                if number % 7 != 0 {
                    answer.send(number).unwrap();
                }
            }
            let mut heard: Vec<_> = told.iter().collect();
            heard.sort();
            let expected = |number: usize| {
                (
                    number,
                    (!number.is_multiple_of(7)).then_some(number),
                    Some(format!("worker-{}", number % count)),
                )
            };
            assert_eq!(heard, (0..2000).map(expected).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn elsewhere_an_answer_is_heard_too() {
        let (answer, answered) = oneshot::channel();
        let waits = tokio::spawn(hear(answered));
        answer.send(7).unwrap();
        assert_eq!(waits.await.unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn what_is_beside_the_workers_runs_on_the_process_s_own_runtime() {
        let workers = started(1);
        let name = || thread::current().name().map(str::to_owned);
        let here = name();
        let on_worker = async move { (name(), beside(async move { name() }).await.unwrap()) };
        let (worker, beside) = workers.seat().unwrap().runtime.spawn(on_worker).await.unwrap();
        assert_eq!((worker.as_deref(), beside), (Some("worker-0"), here));
    }

    /// Ends the worker of a seat as a bug in its own loop would.
    fn end(workers: &Workers, seat: &Seat) -> usize {
        struct Bomb;
        impl std::task::Wake for Bomb {
            fn wake(self: Arc<Self>) {
                panic!("planted: a worker's own loop fails");
            }
        }
        let at = place(workers, seat);
        seat.runtime.spawn(async { mail::tests::tell(Arc::new(Bomb).into()) });
        while workers.all[at].lives() {
            thread::yield_now();
        }
        at
    }

    #[test]
    fn a_worker_that_has_ended_gets_no_connection() {
        let workers = started(2);
        let ended = end(&workers, &workers.seat().unwrap());
        let seats: Vec<Seat> = (0..4).map(|_| workers.seat().unwrap()).collect();
        assert!(seats.iter().all(|seat| place(&workers, seat) != ended));
    }

    #[test]
    fn a_worker_ends_though_a_read_hangs() {
        let workers = started(1);
        let seat = workers.seat().unwrap();
        let (_hold, held) = std::sync::mpsc::channel::<()>();
        let (tell, begun) = std::sync::mpsc::channel();
        seat.runtime.spawn_blocking(move || {
            tell.send(()).unwrap();
            held.recv()
        });
        begun.recv().unwrap();
        end(&workers, &seat);
        assert!(workers.seat().is_none());
    }

    #[tokio::test]
    async fn the_end_of_the_last_worker_is_told() {
        let workers = started(2);
        end(&workers, &workers.seat().unwrap());
        assert!(!workers.over.is_cancelled(), "one is left");
        end(&workers, &workers.seat().unwrap());
        assert!(workers.seat().is_none());
        workers.over().await;
    }

    #[test]
    fn workers_end_with_what_holds_them() {
        let workers = started(2);
        let (held, ended) = std::sync::mpsc::channel::<()>();
        for _ in 0..2 {
            let held = held.clone();
            workers.seat().unwrap().runtime.spawn(async move {
                std::future::pending::<()>().await;
                drop(held);
            });
        }
        drop((workers, held));
        assert!(ended.recv().is_err(), "their tasks are dropped with them");
    }
}

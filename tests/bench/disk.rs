//! The disk's own rate: records appended in groups, each group one write and one fdatasync, and nothing else
//! around it. A journal can't be faster than this at the same number of waiting writers.

use crate::load::Outcome;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinSet, time::Instant};

/// What Hookway's journal writes for one delivery of the bench, in bytes: the envelope with its frame.
pub(crate) const RECORD_BYTES: usize = 1600;
/// How many may wait; more than any load has writers.
const QUEUE: usize = 4096;

type Waiting = oneshot::Sender<io::Result<()>>;

/// One thread that owns the file and commits what waits.
pub(crate) struct GroupCommit {
    queue: mpsc::SyncSender<Waiting>,
}

impl GroupCommit {
    /// Starts the thread on a new file in `directory`.
    pub(crate) fn open(directory: &Path) -> Self {
        fs::create_dir_all(directory).unwrap();
        let file = OpenOptions::new().create(true).append(true).open(directory.join("records")).unwrap();
        let (queue, waiting) = mpsc::sync_channel(QUEUE);
        thread::spawn(move || commit(file, &waiting));
        Self { queue }
    }

    /// Appends one record; ready when it is on disk.
    pub(crate) async fn append(&self) -> io::Result<()> {
        let (done, wait) = oneshot::channel();
        self.queue.try_send(done).map_err(|_| io::Error::other("the queue is full"))?;
        wait.await.map_err(|_| io::Error::other("the writer is gone"))?
    }
}

fn commit(mut file: File, waiting: &mpsc::Receiver<Waiting>) {
    let mut group = Vec::new();
    let mut records = Vec::new();
    while let Ok(first) = waiting.recv() {
        group.push(first);
        group.extend(waiting.try_iter());
        records.resize(group.len() * RECORD_BYTES, b'r');
        let result = file.write_all(&records).and_then(|()| file.sync_data());
        for done in group.drain(..) {
            // A writer that no longer waits needs no answer.
            done.send(
                result.as_ref().copied().map_err(|error| io::Error::new(error.kind(), error.to_string())),
            )
            .ok();
        }
    }
}

/// Lets `writers` append in a closed loop, first for `warm_up`, then for `window`, and returns what they saw in
/// the latter. What was written is removed.
pub(crate) async fn run(directory: &Path, writers: usize, warm_up: Duration, window: Duration) -> Outcome {
    let commit = Arc::new(GroupCommit::open(directory));
    append(&commit, writers, warm_up).await;
    let mut latencies = append(&commit, writers, window).await;
    fs::remove_dir_all(directory).unwrap();
    latencies.sort_unstable();
    let accepted = u64::try_from(latencies.len()).unwrap();
    Outcome { window, accepted, latencies, ..Outcome::default() }
}

async fn append(commit: &Arc<GroupCommit>, writers: usize, window: Duration) -> Vec<Duration> {
    let deadline = Instant::now() + window;
    let mut loops = JoinSet::new();
    for _ in 0..writers {
        let commit = Arc::clone(commit);
        loops.spawn(async move {
            let mut latencies = Vec::new();
            let mut now = Instant::now();
            while now < deadline {
                let start = now;
                commit.append().await.expect("the disk takes what is written");
                now = Instant::now();
                latencies.push(now - start);
            }
            latencies
        });
    }
    loops.join_all().await.concat()
}

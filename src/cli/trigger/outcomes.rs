//! What became of the events that were sent: a 200 alone does not tell published from quarantined, filtered or suppressed.
//! The server says it at its admin listener, to its own user on its own machine; elsewhere nothing is said.

use crate::{cli::told::Listening, observe::told::Told};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// How long a word on one event's outcome is waited for: it was said before the answer. Once one was not heard, many may not
/// be, and none is worth much time.
const HEARING: Duration = Duration::from_millis(500);
const HEARING_LATER: Duration = Duration::from_millis(10);

/// Between the words on one event at two sinks.
const GRACE: Duration = Duration::from_millis(5);

/// What was heard of the events of one source, by their ids.
#[derive(Debug)]
pub(super) struct Outcomes {
    admin: SocketAddr,
    source: String,
    heard: Mutex<Option<HashMap<String, Vec<Told>>>>,
    news: Notify,
    has_missed: AtomicBool,
}

impl Outcomes {
    pub(super) fn new(admin: SocketAddr, source: &str) -> Arc<Self> {
        let (heard, news, has_missed) = (Mutex::new(None), Notify::new(), AtomicBool::new(false));
        Arc::new(Self { admin, source: source.to_owned(), heard, news, has_missed })
    }

    /// Begins to listen, where that is not done and the server lets us.
    pub(super) async fn listen(self: &Arc<Self>) {
        if self.heard.lock().is_some() {
            return;
        }
        let Ok(mut lines) = Listening::to(self.admin, &self.source, "events").await else { return };
        *self.heard.lock() = Some(HashMap::new());
        let outcomes = Arc::clone(self);
        // Ends with the connection, or with the verb.
        tokio::spawn(async move {
            while let Some(told) = lines.next::<Told>().await {
                if let Some(heard) = &mut *outcomes.heard.lock() {
                    heard.entry(told.id.clone()).or_default().push(told);
                }
                outcomes.news.notify_waiters();
            }
        });
    }

    /// Takes what was said of these events; waits a moment for a word on each.
    pub(super) async fn of(&self, ids: &[String]) -> Vec<Told> {
        if ids.is_empty() || self.heard.lock().is_none() {
            return Vec::new();
        }
        let patience = if self.has_missed.load(Ordering::Relaxed) { HEARING_LATER } else { HEARING };
        let all = async {
            loop {
                let news = self.news.notified();
                if self.heard.lock().as_ref().is_none_or(|heard| ids.iter().all(|id| heard.contains_key(id)))
                {
                    break sleep(GRACE.min(patience)).await;
                }
                news.await;
            }
        };
        // What was not heard by then is not said.
        self.has_missed.fetch_or(timeout(patience, all).await.is_err(), Ordering::Relaxed);
        let mut heard = self.heard.lock();
        let told = ids.iter().filter_map(|id| heard.as_mut()?.remove(id));
        told.flatten().collect()
    }
}

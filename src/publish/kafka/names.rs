//! Topics whose names hold a sender's text, and which of them exist.
//!
//! librdkafka keeps every name that it was ever given, and asks for each that is unknown again and again. So a name
//! of this kind is looked up before the producers see it, in the list of all topics of the cluster: the list is
//! bounded by the cluster and not by what senders write, it is asked for at most once in [`FRESH`], and all who miss
//! a name meanwhile wait for the next answer and share it.

use super::{PublishError, questions::Seen};
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// The shortest time between two questions for the list.
const FRESH: Duration = Duration::from_secs(2);

/// Topics that are made for names of this kind, where topics are made at all; a sender's text must not fill a cluster.
const MOST_MADE: usize = 100;

/// Topics whose settings are looked at.
const MOST_USED: usize = 500;

/// The topics of a cluster.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Each with whether an event went there.
    known: RwLock<HashMap<String, AtomicBool>>,
    asked: Mutex<Asked>,
}

/// The last question.
#[derive(Debug, Default)]
struct Asked {
    at: Option<Instant>,
    failed: Option<PublishError>,
    made: usize,
}

impl Names {
    /// Returns once it is known that a topic exists; `list` asks for all topics, `make` makes one, if it may.
    pub(super) async fn find<M>(
        &self,
        name: &str,
        list: impl AsyncFnOnce() -> Result<Seen, PublishError>,
        make: Option<M>,
    ) -> Result<(), PublishError>
    where
        M: AsyncFnOnce() -> Result<(), PublishError>,
    {
        if self.uses(name) {
            return Ok(());
        }
        let came = Instant::now();
        let mut asked = self.asked.lock().await;
        if self.uses(name) {
            return Ok(());
        }
        // A list that was asked for before this event came says nothing of a topic that may have been made since.
        if asked.at.is_none_or(|at| at < came) {
            if let Some(at) = asked.at {
                sleep_until(at + FRESH).await;
            }
            // From its beginning: what is made later than that may be missing in it.
            asked.at = Some(Instant::now());
            asked.failed = list().await.map(|seen| self.learn(seen)).err();
            if self.uses(name) {
                return Ok(());
            }
        }
        if let Some(failed) = &asked.failed {
            return Err(failed.clone());
        }
        match make {
            Some(make) if asked.made < MOST_MADE => {
                asked.made += 1;
                make().await?;
                self.known.write().insert(name.to_owned(), AtomicBool::new(true));
                Ok(())
            }
            Some(_) => Err(PublishError::Unroutable(format!(
                "topic {name}; {MOST_MADE} topics were made for such names, and no more are"
            ))),
            None => Err(PublishError::Unroutable(format!("topic {name}; make it, or mend the route"))),
        }
    }

    /// Takes a new list.
    pub(super) fn learn(&self, seen: Seen) {
        let mut known = self.known.write();
        let used = |name: &str| known.get(name).is_some_and(|used| used.load(Ordering::Relaxed));
        let new = seen.topics.into_keys().map(|name| {
            let used = AtomicBool::new(used(&name));
            (name, used)
        });
        *known = new.collect();
    }

    /// Returns the topics that events went to.
    pub(super) fn used(&self) -> Vec<String> {
        let known = self.known.read();
        let used = known.iter().filter(|(_, used)| used.load(Ordering::Relaxed));
        used.map(|(name, _)| name.clone()).take(MOST_USED).collect()
    }

    fn uses(&self, name: &str) -> bool {
        let known = self.known.read();
        let used = known.get(name);
        if let Some(used) = used.filter(|used| !used.load(Ordering::Relaxed)) {
            used.store(true, Ordering::Relaxed);
        }
        used.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::sync::atomic::AtomicUsize;

    type Make = fn() -> std::future::Ready<Result<(), PublishError>>;

    /// A cluster with one topic, `ev.a`, that counts how often it is asked.
    struct Cluster(Names, AtomicUsize, Option<PublishError>);

    impl Cluster {
        fn new() -> Self {
            Self(Names::default(), AtomicUsize::new(0), None)
        }

        async fn find(&self, name: &str, makes: bool) -> Result<(), PublishError> {
            let list = async || {
                self.1.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                let topics = [("ev.a".to_owned(), Vec::new())].into();
                self.2.clone().map_or(Ok(Seen { brokers: 1, topics }), Err)
            };
            let make: Option<Make> = makes.then_some(|| std::future::ready(Ok(())));
            self.0.find(name, list, make).await
        }

        fn asked(&self) -> usize {
            self.1.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_unknown_names_cost_one_question_and_no_memory() {
        let cluster = Cluster::new();
        let found = join_all((0..10_000).map(|n| async move { format!("ev.{n}") })).await;
        let found = join_all(found.iter().map(|name| cluster.find(name, false))).await;
        assert!(found.iter().all(|found| matches!(found, Err(PublishError::Unroutable(_)))));
        assert_eq!(cluster.find("ev.a", false).await, Ok(()), "and hold up no other");
        assert_eq!((cluster.asked(), cluster.0.known.read().len()), (1, 1));
        assert_eq!(cluster.0.used(), ["ev.a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_missing_is_asked_for_again_after_seconds() {
        let cluster = Cluster::new();
        assert!(cluster.find("ev.b", false).await.is_err());
        tokio::time::advance(FRESH).await;
        assert!(cluster.find("ev.b", false).await.is_err());
        assert_eq!(cluster.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_does_not_answer_is_no_reason_to_give_an_event_up() {
        let away = PublishError::Unavailable("away".to_owned());
        let cluster = Cluster(Names::default(), AtomicUsize::new(0), Some(away.clone()));
        let found = join_all((0..10).map(|_| cluster.find("ev.a", true))).await;
        assert!(found.iter().all(|found| *found == Err(away.clone())));
        assert_eq!(cluster.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_topics_are_made_for_what_senders_write() {
        let cluster = Cluster::new();
        for n in 0..MOST_MADE {
            assert_eq!(cluster.find(&format!("ev.{n}"), true).await, Ok(()));
        }
        assert!(matches!(cluster.find("ev.more", true).await, Err(PublishError::Unroutable(_))));
        assert_eq!(cluster.find("ev.0", true).await, Ok(()));
    }
}

//! What a server tells of one connection beside its answers, and what it answers a publish with nothing else than: that the
//! connection has ended, and that a subject is not ours to publish to.

use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::{Notify, futures::Notified};

/// Denied subjects that are known at once; a publish that waits is told before so many others are.
const MOST_DENIED: usize = 64;

/// How a server says it (nats-server, `client.pubPermissionViolation`); there is no code.
const DENIED: &str = "permissions violation for publish";

/// What one connection has told.
#[derive(Debug, Default)]
pub struct News {
    told: Notify,
    /// How often the connection has ended.
    ends: AtomicU64,
    /// How often a subject was denied.
    denials: AtomicU64,
    /// The last denials, each with its number, the subject and the words.
    denied: Mutex<VecDeque<(u64, String, String)>>,
}

/// What is told from the moment on at which a publish begins.
pub(super) struct Watch<'a> {
    news: &'a News,
    told: Notified<'a>,
    ends: u64,
    denials: u64,
}

/// What a publish heard instead of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The connection has ended.
    Ended,
    /// We may not publish to this subject.
    Denied(String),
}

impl News {
    /// The connection has ended.
    pub(super) fn ended(&self) {
        self.ends.fetch_add(1, Ordering::Relaxed);
        self.told.notify_waiters();
    }

    /// The server has told an error. It drops a message to a subject that is not ours and says so here; the publish itself
    /// only hears nothing. True where it is that.
    pub(super) fn error(&self, words: &str) -> bool {
        if !words.to_ascii_lowercase().contains(DENIED) {
            return false;
        }
        let subject = words.split('"').nth(1).unwrap_or_default();
        let mut denied = self.denied.lock();
        let number = self.denials.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        denied.push_back((number, subject.to_owned(), words.to_owned()));
        if denied.len() > MOST_DENIED {
            denied.pop_front();
        }
        drop(denied);
        self.told.notify_waiters();
        true
    }

    /// Begins to listen.
    pub(super) fn watch(&self) -> Watch<'_> {
        let told = self.told.notified();
        let number = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Watch { news: self, told, ends: number(&self.ends), denials: number(&self.denials) }
    }
}

impl Watch<'_> {
    /// Waits until something is told that ends a publish to this subject.
    pub(super) async fn of(self, subject: &str) -> Told {
        let Self { news, told, ends, denials } = self;
        let mut told = pin!(told);
        loop {
            told.as_mut().await;
            told.set(news.told.notified());
            if news.ends.load(Ordering::Relaxed) != ends {
                return Told::Ended;
            }
            let denied = news.denied.lock();
            if let Some((.., words)) =
                denied.iter().find(|(number, of, _)| *number > denials && of == subject)
            {
                return Told::Denied(words.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn denial(subject: &str) -> String {
        format!("nats: Permissions Violation for Publish to \"{subject}\"")
    }

    #[tokio::test]
    async fn a_publish_hears_what_concerns_it_and_nothing_from_before() {
        let news = News::default();
        assert!(news.error(&denial("a.b")) && !news.error("nats: maximum connections exceeded"));
        let mut waits = pin!(news.watch().of("a.b"));
        assert_eq!(waits.as_mut().now_or_never(), None, "that was before it");
        news.error(&denial("A.b"));
        assert_eq!(waits.as_mut().now_or_never(), None, "that is another's");
        news.error(&denial("a.b"));
        news.error(&denial("c"));
        assert_eq!(waits.await, Told::Denied(denial("a.b")));
        let watch = news.watch();
        news.ended();
        assert_eq!(watch.of("a.b").await, Told::Ended, "told before anybody waited");
    }
}

//! Keys that are fetched: once for many who miss them, not again after a failure, and dropped when they are old.

use crate::{
    fetch::{Target, tests::Server},
    verify::remote::{PAUSE, Remote},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

const ADDRESS: &str = "https://keys.example.com/one.pem";

fn target() -> Target {
    Target::parse(ADDRESS).expect("an address")
}

fn text(document: &[u8], _: jiff::Timestamp) -> Result<String, String> {
    String::from_utf8(document.to_vec()).map_err(|error| error.to_string())
}

async fn fetch(remote: &Arc<Remote<String>>, server: &Server, fresh: Duration) {
    Arc::clone(remote).fetch(ADDRESS, server.client(), target(), fresh, text).await;
}

#[tokio::test]
async fn many_that_miss_a_key_fetch_it_once() {
    let server = Server::holding("a key").await;
    let remote = Remote::new();
    assert!(remote.get(ADDRESS).is_none());
    let all = (0..10).map(|_| fetch(&remote, &server, Duration::MAX));
    futures_util::future::join_all(all).await;
    assert_eq!(remote.get(ADDRESS).as_deref().map(String::as_str), Some("a key"));
    assert_eq!(server.asked.load(Ordering::SeqCst), 1);
    remote.forget(ADDRESS);
    assert!(remote.get(ADDRESS).is_none(), "what is too old is not believed");
}

#[tokio::test]
async fn a_failure_is_not_tried_again_at_once_and_keeps_what_was_good() {
    let missing = Server::answering("HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let remote = Remote::new();
    for _ in 0..3 {
        fetch(&remote, &missing, Duration::MAX).await;
    }
    assert_eq!(missing.asked.load(Ordering::SeqCst), 1);
    assert!(remote.get(ADDRESS).is_none());

    let good = Server::holding("a key").await;
    let remote = Remote::new();
    fetch(&remote, &good, Duration::ZERO).await;
    tokio::time::pause();
    tokio::time::advance(PAUSE).await;
    tokio::time::resume();
    fetch(&remote, &missing, Duration::ZERO).await;
    assert_eq!(missing.asked.load(Ordering::SeqCst), 2, "the pause is over");
    assert_eq!(remote.get(ADDRESS).as_deref().map(String::as_str), Some("a key"));
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_no_key() {
    let server = Server::holding("a key").await;
    let remote: Arc<Remote<String>> = Remote::new();
    let never = |_: &[u8], _| Err("not that".to_owned());
    Arc::clone(&remote).fetch(ADDRESS, server.client(), target(), Duration::MAX, never).await;
    assert!(remote.get(ADDRESS).is_none());
}

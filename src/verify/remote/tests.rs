//! What is bounded: the lines of failures, and the places of one host.

use super::{AT_ONCE_OF_A_HOST, LOG_PAUSE, Remote};
use crate::fetch::{Target, tests::Server};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, advance, timeout};

#[tokio::test(start_paused = true)]
async fn of_many_failures_one_a_minute_is_logged_and_the_others_are_counted() {
    let remote: Arc<Remote<String>> = Remote::new();
    let told = |times: usize| (0..times).filter(|_| remote.log("https://a.example/", "planted")).count();
    assert_eq!(told(100), 1);
    assert_eq!(remote.logged.lock().1, 99, "the next line says how many");
    advance(LOG_PAUSE).await;
    assert_eq!(told(100), 1);
    assert_eq!(*remote.logged.lock(), (Some(Instant::now()), 99));
}

#[tokio::test]
async fn a_host_that_hangs_keeps_none_of_another_waiting() {
    let server = Server::holding("a key").await;
    server.hang_on("/");
    let remote: Arc<Remote<String>> = Remote::configured(Duration::MAX);
    let _first = remote.client.set(server.client());
    let fetch = |address: String| {
        let (remote, target) = (Arc::clone(&remote), Target::parse(&address).unwrap());
        let read = |_: &[u8], _| Ok(String::new());
        async move { remote.fetch(&address, target, Duration::MAX, read).await }
    };
    let flood = (0..24).map(|number| format!("https://keys.example.com/{number}.pem"));
    let flood: Vec<_> = flood.map(|address| tokio::spawn(fetch(address))).collect();
    tokio::task::yield_now().await;
    // The server is another host's, which shows at once. Those of the first hold their places for 5 s.
    let other = "https://other.example.com/one.pem";
    timeout(Duration::from_secs(4), fetch(other.to_owned())).await.unwrap();
    assert!(remote.ages(other).1.is_some(), "it was tried");
    assert_eq!(remote.host("other.example.com").available_permits(), AT_ONCE_OF_A_HOST);
    assert_eq!(remote.host("keys.example.com").available_permits(), 0);
    assert_eq!(remote.hosts.lock().len(), 1, "a host that nobody waits for is forgotten");
    flood.iter().for_each(tokio::task::JoinHandle::abort);
}

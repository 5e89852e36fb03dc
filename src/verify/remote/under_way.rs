//! One fetch, from its wait for a place to what was read.

use super::Remote;
use crate::{
    clock,
    fetch::{Client, Target},
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// A fetch under way; when it is dropped, also by a panic, all who wait for it go on.
pub(super) struct UnderWay<T> {
    remote: Arc<Remote<T>>,
    address: Box<str>,
    _running: watch::Sender<()>,
}

impl<T: Send + Sync + 'static> UnderWay<T> {
    pub(super) fn new(remote: Arc<Remote<T>>, address: &str, running: watch::Sender<()>) -> Self {
        Self { remote, address: address.into(), _running: running }
    }

    pub(super) async fn run(
        self,
        target: Target,
        read: impl Fn(&[u8], Timestamp) -> Result<T, String> + Send + Sync + 'static,
    ) {
        let remote = &self.remote;
        let is_proven = remote.held.lock().get(&self.address).is_some_and(|entry| entry.is_proven);
        let (host, places) =
            (remote.host(target.host()), if is_proven { &remote.proven_places } else { &remote.places });
        // Its host's first: who waits for that keeps no other waiting.
        let of_host = if is_proven { None } else { Some(host.acquire().await) };
        let place = (places.acquire().await, of_host);
        let began = (Instant::now(), clock::now());
        let own = remote.client.get().cloned();
        let fetching = async {
            let client = match own {
                Some(client) => client,
                None => Client::system().await,
            };
            client.get(&target).await.map_err(|error| error.to_string())
        };
        let patience = if is_proven { Duration::MAX } else { remote.patience };
        let document = timeout(patience, fetching).await;
        drop(place);
        let document = document.unwrap_or_else(|_| Err("no answer within 2 s".to_owned()));
        let result = match document {
            // To follow a chain reads files too.
            Ok(document) => tokio::task::spawn_blocking(move || read(&document, clock::now()))
                .await
                .unwrap_or_else(|error| Err(error.to_string())),
            Err(error) => Err(error),
        };
        if let Err(error) = &result {
            let _told = remote.log(&self.address, error);
        }
        remote.keep(&self.address, result.ok(), began);
    }
}

impl<T> Drop for UnderWay<T> {
    fn drop(&mut self) {
        self.remote.under_way.lock().remove(&self.address);
    }
}

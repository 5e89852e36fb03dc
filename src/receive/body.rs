//! Reads a body into one buffer, exactly as it was sent, within bounds of size, memory and time.

use crate::{
    deadline::Deadline,
    delivery::{Quota, Share},
    refusal::Refusal,
};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The bytes that all bodies may hold at once, and how long one may take.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: Arc<Quota>,
    /// How long one body may take.
    pub(super) patience: Duration,
}

impl Budget {
    pub(super) fn new(bytes: u64, patience: Duration) -> Self {
        Self { bytes: Quota::new(bytes), patience }
    }

    /// Reads the body of a request with these headers, which came at `start`: `limit` bytes at most. Returns it with
    /// the share of the budget that it occupies.
    pub(super) async fn read(
        &self,
        headers: &HeaderMap,
        body: Incoming,
        limit: u64,
        start: Instant,
        deadline: &mut Deadline<'_>,
    ) -> Result<(Bytes, Share), Refusal> {
        let declared = declared_length(headers);
        if declared.is_some_and(|declared| declared > limit) {
            return Err(Refusal::TooLarge { limit });
        }
        // A chunked body may grow to the limit, so it takes that share until its size is known.
        let share = self.bytes.take(declared.unwrap_or(limit));
        let mut share = share.ok_or(Refusal::Overloaded("bytes of bodies"))?;
        let gathered = deadline.wait(start + self.patience, gather(body, declared, limit)).await;
        let body = gathered.ok_or(Refusal::Stalled)??;
        share.shrink(u64::try_from(body.len()).unwrap_or(u64::MAX));
        Ok((body, share))
    }
}

async fn gather(mut body: Incoming, declared: Option<u64>, limit: u64) -> Result<Bytes, Refusal> {
    let mut first = Bytes::new();
    let mut more: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Stalled)?;
        // Trailers carry nothing that a webhook means.
        let Ok(data) = frame.into_data() else { continue };
        let so_far = more.as_ref().map_or(first.len(), BytesMut::len);
        let length = so_far + data.len();
        if u64::try_from(length).unwrap_or(u64::MAX) > limit {
            return Err(Refusal::TooLarge { limit });
        }
        match &mut more {
            Some(gathered) => gathered.extend_from_slice(&data),
            // Most bodies come in one piece, which is taken as it is.
            None if first.is_empty() => first = data,
            None => {
                let expected = declared.and_then(|declared| usize::try_from(declared).ok()).unwrap_or(length);
                let mut gathered = BytesMut::with_capacity(expected.max(length));
                gathered.extend_from_slice(&first);
                gathered.extend_from_slice(&data);
                more = Some(gathered);
            }
        }
    }
    Ok(more.map_or(first, BytesMut::freeze))
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

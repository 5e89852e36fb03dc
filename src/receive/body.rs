//! Reads a body into one buffer, exactly as it was sent, within bounds of size, memory and time.

use crate::refusal::Refusal;
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that all bodies may hold at once, and how long one may take.
#[derive(Debug)]
pub(super) struct Budget {
    /// One permit is 1 KiB, so that budgets beyond 4 GiB can be counted too.
    permits: Arc<Semaphore>,
    patience: Duration,
}

/// Bytes per permit.
const UNIT: u64 = 1024;

impl Budget {
    pub(super) fn new(bytes: u64, patience: Duration) -> Self {
        let permits =
            usize::try_from(bytes / UNIT).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(permits)), patience }
    }

    /// Reads the body of a request with these headers, `limit` bytes at most. Returns it with the share of the
    /// budget that it occupies.
    pub(super) async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: u64,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let declared = declared_length(headers);
        if declared.is_some_and(|declared| declared > limit) {
            return Err(Refusal::TooLarge { limit });
        }
        // A chunked body may grow to the limit, so it takes that share until its size is known.
        let reserved = declared.unwrap_or(limit);
        let units = u32::try_from(reserved.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.permits).try_acquire_many_owned(units);
        let mut share = share.map_err(|_| Refusal::Overloaded("bytes of bodies"))?;
        let gathered = tokio::time::timeout(self.patience, gather(body, declared, limit)).await;
        let body = gathered.map_err(|_| Refusal::Stalled)??;
        let used = u64::try_from(body.len()).unwrap_or(u64::MAX).div_ceil(UNIT);
        let surplus = usize::try_from(u64::from(units).saturating_sub(used)).unwrap_or(0);
        drop(share.split(surplus));
        Ok((body, Some(share)))
    }
}

async fn gather(mut body: Body, declared: Option<u64>, limit: u64) -> Result<Bytes, Refusal> {
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

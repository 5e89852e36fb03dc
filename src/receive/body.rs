//! Reads a body into one buffer, exactly as it was sent, within bounds of size, memory and time.
//!
//! Memory is charged for what has come, never for what was announced: a head costs its sender nothing.

use super::{Limits, peer::Held};
use crate::{deadline::Deadline, delivery::Quota, refusal::Refusal};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use std::{error::Error as _, io, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Turns that the connection gets to read what is here, when a body's time is over.
const LAST_LOOKS: usize = 3;

/// How often a wait for a body looks at the clock, and how late it may then be: beyond that this process stood still, and
/// its sender did not.
const TICK: Duration = Duration::from_millis(250);
const OVERSLEPT: Duration = Duration::from_millis(100);

/// The bytes that all bodies may hold at once, and how long one may take.
#[derive(Debug)]
pub(super) struct Budget {
    /// All bodies together.
    pub(super) bytes: Arc<Quota>,
    /// How long one body may take; `None`: as long as leaves a quarter of the deadline.
    patience: Option<Duration>,
    /// Bytes a second that a body must come with, once half of the patience is over; 0 for any.
    rate: u64,
}

/// When and how much at most.
pub(super) struct Bounds {
    /// When the request came.
    pub(super) start: Instant,
    /// Bytes at most.
    pub(super) limit: u64,
    /// How long the answer may take.
    pub(super) deadline: Duration,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { bytes: Quota::new(limits.body_bytes), patience: limits.body, rate: limits.body_rate }
    }

    /// Returns until when a body may take, with so many bytes here.
    pub(super) fn until(&self, bounds: &Bounds, bytes: usize) -> Instant {
        let patience = self.patience.unwrap_or(bounds.deadline * 3 / 4);
        let earned = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1000).checked_div(self.rate);
        let time = earned.map_or(patience, |earned| {
            (patience / 2).saturating_add(Duration::from_millis(earned)).min(patience)
        });
        bounds.start + time
    }

    /// Reads the body of a request with these headers, and has `held` grow with it.
    pub(super) async fn read(
        &self,
        headers: &HeaderMap,
        mut body: Incoming,
        bounds: &Bounds,
        held: &mut Held<'_>,
        deadline: &mut Deadline<'_>,
    ) -> Result<Bytes, Refusal> {
        let (limit, declared) = (bounds.limit, declared_length(headers));
        if declared.is_some_and(|declared| declared > limit) {
            return Err(Refusal::TooLarge { limit });
        }
        let (mut gathered, mut lost) = (Gathered::default(), Duration::ZERO);
        loop {
            // Most bodies are here already, and need no look at the clock.
            let frame = match body.frame().now_or_never() {
                Some(frame) => frame,
                None => self.wait(&mut body, (bounds, gathered.len()), &mut lost, deadline).await?,
            };
            let Some(frame) = frame else { return Ok(gathered.whole()) };
            // Trailers carry nothing that a webhook means.
            let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
            let (so_far, more) = (gathered.len(), data.len());
            if u64::try_from(so_far.saturating_add(more)).unwrap_or(u64::MAX) > limit {
                return Err(Refusal::TooLarge { limit });
            }
            held.grow(u64::try_from(more).unwrap_or(u64::MAX))?;
            gathered.add(data, declared);
        }
    }

    /// Waits for more of a body of which so many bytes are here, until its time is over. As long as this process stood still
    /// (`lost`) its sender gets beyond that, up to the deadline.
    async fn wait(
        &self,
        body: &mut Incoming,
        (bounds, bytes): (&Bounds, usize),
        lost: &mut Duration,
        deadline: &mut Deadline<'_>,
    ) -> Result<Part, Refusal> {
        loop {
            let (now, until) = (Instant::now(), self.until(bounds, bytes) + *lost);
            let end = until.min(deadline.at).max(now);
            let due = end.min(now + TICK);
            let mut part = deadline.wait(due, body.frame()).await;
            let late = due.elapsed();
            if late > OVERSLEPT {
                *lost += late;
            } else if part.is_none() && due == end {
                part = last_look(body).await;
                if part.is_none() {
                    // A sender that is told to try again does; whose body is slow on its own must change something.
                    let is_ours = deadline.at <= until;
                    return Err(if is_ours { Refusal::Deadline } else { Refusal::Stalled });
                }
                // What was here in time was not read in time.
                *lost += bounds.deadline;
            }
            if let Some(part) = part {
                return Ok(part);
            }
        }
    }
}

/// A part of a body; `None` behind its end.
type Part = Option<Result<Frame<Bytes>, hyper::Error>>;

/// Looks once more at what has come when the time is over: where this process stood still, the sender did not, and the
/// connection only has to read what is here.
async fn last_look(body: &mut Incoming) -> Option<Part> {
    for _ in 0..LAST_LOOKS {
        tokio::task::yield_now().await;
        if let Some(frame) = body.frame().now_or_never() {
            return Some(frame);
        }
    }
    None
}

/// Says why a body ended before its end.
fn broken(error: &hyper::Error) -> Refusal {
    let kind = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    match kind {
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            Refusal::Malformed("the chunks of the body are malformed".into())
        }
        _ => Refusal::Stalled,
    }
}

/// What has come of a body.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    more: Option<BytesMut>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.more.as_ref().map_or(self.first.len(), BytesMut::len)
    }

    fn add(&mut self, data: Bytes, declared: Option<u64>) {
        let length = self.len() + data.len();
        match &mut self.more {
            Some(gathered) => gathered.extend_from_slice(&data),
            // Most bodies come in one piece, which is taken as it is.
            None if self.first.is_empty() => self.first = data,
            None => {
                let expected = declared.and_then(|declared| usize::try_from(declared).ok()).unwrap_or(length);
                let mut gathered = BytesMut::with_capacity(expected.max(length));
                gathered.extend_from_slice(&self.first);
                gathered.extend_from_slice(&data);
                self.first = Bytes::new();
                self.more = Some(gathered);
            }
        }
    }

    fn whole(self) -> Bytes {
        self.more.map_or(self.first, BytesMut::freeze)
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_must_keep_its_pace_once_half_of_the_patience_is_over() {
        let (rate, patience) = (1000, Duration::from_secs(10));
        let budget = Budget { bytes: Quota::new(1), patience: Some(patience), rate };
        let bounds = Bounds { start: Instant::now(), limit: 1, deadline: Duration::from_secs(4) };
        let seconds = |bytes| (budget.until(&bounds, bytes) - bounds.start).as_millis();
        assert_eq!([0, 1, 1000, 4999, 5000, 1 << 40].map(seconds), [5000, 5001, 6000, 9999, 10_000, 10_000]);
        let any = Budget { rate: 0, ..budget };
        assert_eq!(any.until(&bounds, 0) - bounds.start, patience);
        let unsaid = Budget { patience: None, ..any };
        assert_eq!(
            unsaid.until(&bounds, 0) - bounds.start,
            Duration::from_secs(3),
            "a quarter is for the rest"
        );
    }
}

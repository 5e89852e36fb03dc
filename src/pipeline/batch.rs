//! Carries the events of one request that holds several. Those of one object are handed over one after the other, so that
//! they keep their order: without waiting for each acknowledgement where the sinks keep it themselves, or all waits on disk, else
//! one by one.
//! Objects go side by side, because a hundred acknowledgements in a row would miss the deadline.

use super::{Pipeline, Source};
use crate::{
    delivery::{Delivery, Verified},
    event::Event,
    observe::metrics::Stopwatch,
    record::Receipt,
    refusal::Refusal,
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    stream::{self, FuturesOrdered},
};
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::time::Instant;

/// Objects of one request whose events are on their way at once.
const SIDE_BY_SIDE: usize = 64;

/// Events of one request that are handed over at once to sinks that keep their order.
const AHEAD: usize = 256;

/// Events of all lists on their way at once, some 50 MB of attributes.
pub const MOST_LISTED: u64 = 65_536;

/// Those of one source: lists that wait for a dead sink leave room for the lists of other sources.
pub const MOST_LISTED_OF_ONE: u64 = MOST_LISTED / 4 * 3;

/// The events of one object, each with its place in the request.
type Queue = Vec<(usize, Event)>;

/// What the queues of one request share.
struct Batch<'a> {
    pipeline: &'a Pipeline,
    source: &'a Source,
    delivery: &'a Delivery<Verified>,
    /// When the sender will have heard an answer.
    until: Instant,
    /// Set at the first refusal: the sender sends all again, and what was acknowledged is suppressed then.
    is_refused: AtomicBool,
}

/// Carries the events and returns the receipts in the order of the request, and the first refusal.
pub(super) async fn carry(
    pipeline: &Pipeline,
    source: &Source,
    delivery: &Delivery<Verified>,
    events: Vec<Event>,
    until: Instant,
) -> (Vec<Receipt>, Option<Refusal>) {
    let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
    let (Some(_own), Some(_share)) = (source.listed.take(count), pipeline.listed.take(count)) else {
        return (Vec::new(), Some(Refusal::Overloaded("events of lists")));
    };
    let batch = Batch { pipeline, source, delivery, until, is_refused: AtomicBool::new(false) };
    let queues = queues(events);
    let ahead = (AHEAD / queues.len().max(1)).clamp(1, AHEAD);
    let queues = queues.into_iter().map(|queue| batch.carry_queue(queue, ahead));
    let mut carried = stream::iter(queues).buffer_unordered(SIDE_BY_SIDE);
    let (mut receipts, mut refusal) = (Vec::new(), None);
    while let Some((done, refused)) = carried.next().await {
        receipts.extend(done);
        refusal = refusal.or(refused);
    }
    receipts.sort_unstable_by_key(|(place, _)| *place);
    (receipts.into_iter().map(|(_, receipt)| receipt).collect(), refusal)
}

impl Batch<'_> {
    /// Carries the events of one object, in their order: up to `most` of them are handed over before the first is
    /// acknowledged.
    async fn carry_queue(&self, queue: Queue, most: usize) -> (Vec<(usize, Receipt)>, Option<Refusal>) {
        let is_alone = queue.len() == 1;
        let (mut receipts, mut refusal) = (Vec::with_capacity(queue.len()), None);
        let mut queue = queue.into_iter();
        let mut under_way = FuturesOrdered::new();
        loop {
            // A long list of repeats waits for nothing, and must not keep its thread from others. Here and not within an event's
            // way: a pause there would let the next one of its object overtake it.
            tokio::task::consume_budget().await;
            let ahead = if is_alone || !self.keeps_order() { 1 } else { most };
            let in_turn = ahead > 1;
            while under_way.len() < ahead && !self.is_refused.load(Ordering::Relaxed) {
                let Some((place, mut event)) = queue.next() else { break };
                event.in_turn = in_turn;
                under_way.push_back(self.carry_one(place, event));
            }
            match under_way.next().await {
                Some(Ok(receipt)) => receipts.push(receipt),
                Some(Err(refused)) => refusal = refusal.or(Some(refused)),
                None => return (receipts, refusal),
            }
        }
    }

    /// True where events that are handed over one after the other stay so.
    fn keeps_order(&self) -> bool {
        let sinks = &self.pipeline.sinks;
        sinks.keep_order() || (self.source.may_spool && sinks.any_spools())
    }

    async fn carry_one(&self, place: usize, mut event: Event) -> Result<(usize, Receipt), Refusal> {
        let mut watch = Stopwatch::start();
        let carried = self.pipeline.carry(self.source, self.delivery, &mut event, &mut watch, self.until);
        // A panic over one event must not take along the receipts of those that are stored already.
        let carried = AssertUnwindSafe(carried).catch_unwind().await.unwrap_or(Err(Refusal::Internal));
        if carried.is_err() {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        carried.map(|receipt| (place, receipt))
    }
}

/// Sorts events by their object, in the order in which the objects come; one without a key waits for no other.
fn queues(events: Vec<Event>) -> Vec<Queue> {
    let mut queues: Vec<Queue> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, event) in events.into_iter().enumerate() {
        let known = event.key.as_ref().and_then(|key| places.get(key)).and_then(|at| queues.get_mut(*at));
        if let Some(queue) = known {
            queue.push((place, event));
            continue;
        }
        if let Some(key) = &event.key {
            places.insert(key.clone(), queues.len());
        }
        queues.push(vec![(place, event)]);
    }
    queues
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Identity, verify::Assurance};
    use bytes::Bytes;

    fn event(key: Option<&str>) -> Event {
        Event {
            id: String::new(),
            identity: Identity::Bytes,
            id_conflicts: false,
            in_turn: false,
            source: "/s/a".into(),
            source_name: "a".into(),
            kind: "t".to_owned(),
            subject: None,
            key: key.map(str::to_owned),
            time: None,
            recorded: jiff::Timestamp::UNIX_EPOCH,
            content_type: None,
            assurance: Assurance::None,
            data: Bytes::new(),
            data_is_json: false,
            type_is_unsigned: false,
            carried: None,
            quarantine: None,
        }
    }

    #[test]
    fn events_of_one_object_stand_in_one_queue_in_their_order() {
        let keys = [Some("a"), None, Some("b"), Some("a"), None, Some("b"), Some("a")];
        let queues = queues(keys.map(event).into_iter().collect());
        let places: Vec<Vec<usize>> =
            queues.iter().map(|queue| queue.iter().map(|(place, _)| *place).collect()).collect();
        assert_eq!(places, [vec![0, 3, 6], vec![1], vec![2, 5], vec![4]]);
    }
}

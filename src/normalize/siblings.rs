//! Tells the events of one request apart that have one id. What differs is another event, whatever its id says, and a
//! consumer that drops duplicates by id must not lose it. The new ids are the same on every replica and for every retry.

use super::values::{DIGITS, sha256_hex};
use crate::event::{Event, Identity};
use std::collections::{BTreeMap, HashMap};

/// Gives events that share an id ids of their own. Equal ones are one event, unless their id is nothing but the digest
/// of their bytes: then the sender gave them none, and said it as often as it happened.
pub(super) fn tell_apart(events: &mut [Event]) {
    for sharing in sharing(events) {
        let of = |place: &usize| events.get(*place);
        let is_digest = sharing.iter().filter_map(of).all(|event| event.identity == Identity::Digest);
        let mut contents = sharing.iter().filter_map(of).map(Event::content);
        let first = contents.next();
        if !is_digest && contents.all(|other| Some(other) == first) {
            continue;
        }
        for (nth, place) in sharing.into_iter().enumerate() {
            let Some(event) = events.get_mut(place) else { continue };
            if !is_digest {
                let [.., bytes] = event.content();
                let digest = sha256_hex(bytes);
                event.id.push('-');
                event.id.extend(digest.chars().take(DIGITS));
            } else if nth > 0 {
                event.id = format!("{}/{nth}", event.id);
            }
        }
    }
}

/// Returns the places of events that share source and id, in the order of the request.
fn sharing(events: &[Event]) -> Vec<Vec<usize>> {
    let mut firsts = HashMap::with_capacity(events.len());
    let mut sharing: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        let first = *firsts.entry((&*event.source, event.id.as_str())).or_insert(place);
        if first != place {
            sharing.entry(first).or_insert_with(|| vec![first]).push(place);
        }
    }
    sharing.into_values().collect()
}

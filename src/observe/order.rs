//! Notices events that are older than one already seen of their object. They are published all the same; the
//! count tells an operator how much order a sender keeps.

use jiff::Timestamp;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

/// Objects remembered per source.
const CAPACITY: usize = 16_384;

/// The newest event time seen of each object, in a bounded table.
#[derive(Debug, Default)]
pub struct Order {
    hasher: RandomState,
    newest: Mutex<(HashMap<u64, Timestamp>, VecDeque<u64>)>,
}

impl Order {
    /// Notes an event and tells whether it is older than one already seen of its key.
    pub fn is_late(&self, key: &str, at: Timestamp) -> bool {
        let key = self.hasher.hash_one(key);
        let mut newest = self.newest.lock();
        let (times, order) = &mut *newest;
        if let Some(seen) = times.get_mut(&key) {
            let late = at < *seen;
            *seen = (*seen).max(at);
            return late;
        }
        if order.len() >= CAPACITY
            && let Some(oldest) = order.pop_front()
        {
            times.remove(&oldest);
        }
        order.push_back(key);
        times.insert(key, at);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_behind_the_newest_of_its_object_is_late() {
        let (order, at) = (Order::default(), |second| Timestamp::from_second(second).unwrap());
        assert!(!order.is_late("a", at(10)));
        assert!(order.is_late("a", at(9)));
        assert!(!order.is_late("b", at(9)));
        assert!(!order.is_late("a", at(10)));
    }

    #[test]
    fn the_table_stays_bounded() {
        let order = Order::default();
        for key in 0..CAPACITY * 2 {
            order.is_late(&key.to_string(), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(order.newest.lock().0.len(), CAPACITY);
    }
}

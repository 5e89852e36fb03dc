//! Which of a lane's records may go, and up to where all are done: per key the next goes once the one before is done, so
//! that no failure lets two change places; keys go side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Records that were read and are not all done.
#[derive(Debug)]
pub(super) struct Window<T> {
    open: BTreeMap<u64, Slot<T>>,
    /// Of each key, those that wait for the one before; the one before is not among them.
    behind: HashMap<String, VecDeque<u64>>,
    ready: BTreeSet<u64>,
    bytes: usize,
    /// The highest number that was taken in.
    last: u64,
}

#[derive(Debug)]
struct Slot<T> {
    key: Option<String>,
    bytes: usize,
    item: T,
}

impl<T> Window<T> {
    /// An empty one, behind the record `passed`.
    pub(super) fn behind(passed: u64) -> Self {
        let (open, behind, ready) = Default::default();
        Self { open, behind, ready, bytes: 0, last: passed }
    }

    /// Takes in the next record; one without a key waits for no other.
    pub(super) fn push(&mut self, sequence: u64, key: Option<&str>, bytes: usize, item: T) {
        self.last = self.last.max(sequence);
        self.bytes += bytes;
        self.open.insert(sequence, Slot { key: key.map(str::to_owned), bytes, item });
        let Some(key) = key else {
            self.ready.insert(sequence);
            return;
        };
        if let Some(waiting) = self.behind.get_mut(key) {
            waiting.push_back(sequence);
        } else {
            self.behind.insert(key.to_owned(), VecDeque::new());
            self.ready.insert(sequence);
        }
    }

    /// Takes note of numbers that hold nothing.
    pub(super) fn skip_to(&mut self, sequence: u64) {
        self.last = self.last.max(sequence);
    }

    /// Takes the lowest record that may go; it comes again after [`Self::again`].
    pub(super) fn next(&mut self) -> Option<(u64, &T)> {
        let sequence = self.ready.pop_first()?;
        self.open.get(&sequence).map(|slot| (sequence, &slot.item))
    }

    /// A record may go once more, before all others of its key.
    pub(super) fn again(&mut self, sequence: u64) {
        if self.open.contains_key(&sequence) {
            self.ready.insert(sequence);
        }
    }

    /// A record is done; the next of its key may go.
    pub(super) fn done(&mut self, sequence: u64) -> Option<T> {
        let Slot { key, bytes, item } = self.open.remove(&sequence)?;
        self.ready.remove(&sequence);
        self.bytes -= bytes;
        if let Some(key) = key {
            match self.behind.get_mut(&key).and_then(VecDeque::pop_front) {
                Some(next) => drop(self.ready.insert(next)),
                None => drop(self.behind.remove(&key)),
            }
        }
        Some(item)
    }

    /// Up to here all are done.
    pub(super) fn passed(&self) -> u64 {
        self.open.first_key_value().map_or(self.last, |(first, _)| first.saturating_sub(1))
    }

    /// Returns the lowest that is not done.
    pub(super) fn first(&self) -> Option<&T> {
        self.open.first_key_value().map(|(_, slot)| &slot.item)
    }

    /// The highest number that was taken in.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Bytes of the records that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ready(window: &mut Window<()>) -> Vec<u64> {
        std::iter::from_fn(|| window.next().map(|(sequence, ())| sequence)).collect()
    }

    #[test]
    fn the_next_of_a_key_goes_once_the_one_before_is_done() {
        let mut window = Window::behind(4);
        for (sequence, key) in
            [(5, Some("a")), (6, Some("b")), (7, Some("a")), (8, None), (9, None), (10, Some("a"))]
        {
            window.push(sequence, key, 10, ());
        }
        assert_eq!(ready(&mut window), [5, 6, 8, 9]);
        window.done(6);
        assert_eq!((ready(&mut window), window.passed()), (vec![], 4));
        window.again(5);
        assert_eq!(ready(&mut window), [5], "it failed, and none overtakes it");
        window.done(5);
        assert_eq!((ready(&mut window), window.passed()), (vec![7], 6));
        window.done(7);
        assert_eq!(ready(&mut window), [10]);
        for sequence in [8, 9, 10] {
            window.done(sequence);
        }
        assert_eq!((window.passed(), window.len(), window.bytes()), (10, 0, 0));
        assert!(window.behind.is_empty());
        window.skip_to(12);
        assert_eq!(window.passed(), 12);
    }

    proptest! {
        #[test]
        fn whatever_fails_each_key_keeps_its_order_and_nothing_is_passed_that_is_not_done(
            keys in prop::collection::vec(prop::option::of(0..4_u8), 1..40),
            fails in prop::collection::vec(any::<bool>(), 200),
        ) {
            let mut window = Window::behind(0);
            for (sequence, key) in (1..).zip(&keys) {
                window.push(sequence, key.map(|key| key.to_string()).as_deref(), 1, *key);
            }
            let (mut done, mut under_way, mut fails) = (Vec::new(), Vec::new(), fails.into_iter().chain(std::iter::repeat(false)));
            loop {
                while let Some((sequence, key)) = window.next() {
                    let key = *key;
                    prop_assert!(key.is_none() || !under_way.iter().any(|(_, other)| *other == key), "one of a key");
                    under_way.push((sequence, key));
                }
                let Some((sequence, key)) = under_way.pop() else { break };
                if fails.next().unwrap_or_default() {
                    window.again(sequence);
                } else {
                    prop_assert_eq!(window.done(sequence), Some(key));
                    done.push((sequence, key));
                }
                let passed = window.passed();
                prop_assert!((1..=passed).all(|number| done.iter().any(|(one, _)| *one == number)));
            }
            prop_assert_eq!(done.len(), keys.len());
            for key in 0..4 {
                let order: Vec<u64> = done.iter().filter(|(_, of)| *of == Some(key)).map(|(number, _)| *number).collect();
                prop_assert!(order.is_sorted());
            }
        }
    }
}

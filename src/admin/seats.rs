//! Places at the admin listener. Where none is left for who comes, the oldest connection gives way, one of the same address
//! first: so a probe is answered whatever else holds the port.

use crate::{
    delivery::Share,
    receive::peer::{Peer, Peers, owner},
};
use parking_lot::Mutex;
use std::{
    net::IpAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

/// Connections at once.
const CONNECTIONS: u64 = 256;

/// Percent of what is left of them that one address may hold.
const PEER_SHARE: u64 = 50;

#[derive(Debug)]
pub(super) struct Seat {
    address: IpAddr,
    /// The place, and what counts it among those of its address; gone once it gave way.
    held: Mutex<Option<(Share, Arc<Peer>)>>,
    /// It is shown a stream, of which there are few: it gives no way.
    pub(super) stays: AtomicBool,
    /// Its connection is to end.
    pub(super) ends: CancellationToken,
}

#[derive(Debug)]
pub(super) struct Seats {
    peers: Peers,
    /// The oldest first.
    taken: Vec<Weak<Seat>>,
}

impl Seats {
    pub(super) fn new() -> Self {
        Self { peers: Peers::new(CONNECTIONS, PEER_SHARE), taken: Vec::new() }
    }

    /// Takes a place; `None` where nobody may give way.
    pub(super) fn take(&mut self, address: IpAddr) -> Option<Arc<Seat>> {
        self.taken.retain(|seat| seat.strong_count() > 0);
        self.peers.forget();
        let held = loop {
            match self.peers.admit(address) {
                Some(held) => break held,
                None => self.make_room(owner(address))?,
            }
        };
        let seat = Arc::new(Seat {
            address: owner(address),
            held: Mutex::new(Some(held)),
            stays: AtomicBool::new(false),
            ends: CancellationToken::new(),
        });
        self.taken.push(Arc::downgrade(&seat));
        Some(seat)
    }

    /// Ends the oldest connection, of this address or else of any.
    fn make_room(&self, address: IpAddr) -> Option<()> {
        let oldest = |is_it: &dyn Fn(&Seat) -> bool| {
            let mut seats = self.taken.iter().filter_map(Weak::upgrade);
            seats.find(|seat| !seat.stays.load(Ordering::Relaxed) && !seat.ends.is_cancelled() && is_it(seat))
        };
        let seat = oldest(&|seat| seat.address == address).or_else(|| oldest(&|_| true))?;
        seat.ends.cancel();
        // At once: its task may come to it later.
        seat.held.lock().take().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sit(seats: &mut Seats, address: &str, count: usize) -> Vec<Arc<Seat>> {
        let address = address.parse().unwrap();
        (0..count).map(|_| seats.take(address).unwrap()).collect()
    }

    fn ended(seats: &[Arc<Seat>]) -> usize {
        seats.iter().filter(|seat| seat.ends.is_cancelled()).count()
    }

    #[test]
    fn one_address_takes_half_and_then_its_own_oldest_give_way() {
        let mut seats = Seats::new();
        let others = sit(&mut seats, "192.0.2.2", 3);
        let flood = sit(&mut seats, "192.0.2.1", 400);
        assert_eq!((ended(&others), flood.len() - ended(&flood)), (0, 126), "half of 253");
        assert!(flood.iter().rev().take(126).all(|seat| !seat.ends.is_cancelled()), "the oldest went");
        assert_eq!(ended(&sit(&mut seats, "192.0.2.2", 10)), 0);
        assert_eq!(ended(&others), 0);
    }

    #[test]
    fn where_all_places_are_taken_the_oldest_of_all_gives_way_but_no_stream() {
        let mut seats = Seats::new();
        let flood = sit(&mut seats, "127.0.0.1", 256);
        flood[0].stays.store(true, Ordering::Relaxed);
        sit(&mut seats, "192.0.2.1", 1);
        let gone: Vec<bool> = flood[..3].iter().map(|seat| seat.ends.is_cancelled()).collect();
        assert_eq!((gone, ended(&flood)), (vec![false, true, false], 1));
    }

    #[test]
    fn a_connection_that_ended_leaves_its_place_and_nobody_gives_way() {
        let mut seats = Seats::new();
        drop(sit(&mut seats, "127.0.0.1", 256));
        let next = sit(&mut seats, "127.0.0.1", 256);
        assert_eq!((ended(&next), seats.taken.len()), (0, 256));
    }
}

//! What one address holds before anything is known of it: connections, and bytes of bodies that nobody has verified.
//!
//! One address never takes the last of anything: it may hold its share of what is free together with what it has
//! already. Alone it gets far; the scarcer a thing is, the less of it goes to whoever has most. One on this machine is a
//! proxy or the operator, and is not bounded: all senders may stand behind it.

use crate::{
    delivery::{Quota, Share},
    refusal::Refusal,
};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

/// Behind an IPv6 address stand as many as its owner likes; this much of it is the owner.
const IPV6_PREFIX: u128 = u128::MAX << 64;

/// A share of everything: no bound.
const ALL: u64 = 100;

/// One address, as long as one of its connections is open.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Counts bytes and is never spent.
    unverified: Arc<Quota>,
    share: u64,
}

impl Peer {
    fn new(share: u64) -> Self {
        Self { unverified: Quota::new(u64::MAX), share }
    }

    fn may_hold(&self, own: u64, free: u64) -> bool {
        let all = u128::from(own) + u128::from(free);
        u128::from(own) * u128::from(ALL) <= all * u128::from(self.share)
    }

    /// Begins to take bytes from `budget` for a body of this peer.
    pub(super) fn hold<'p>(&'p self, budget: &'p Arc<Quota>) -> Option<Held<'p>> {
        Some(Held { peer: self, budget, bytes: budget.take(0)?, unverified: self.unverified.take(0)? })
    }
}

/// The bytes of one body, which grow as they come.
pub(super) struct Held<'p> {
    peer: &'p Peer,
    budget: &'p Quota,
    /// What they take of the budget of all bodies.
    pub(super) bytes: Share,
    /// The same, as long as the body is not verified.
    pub(super) unverified: Share,
}

impl Held<'_> {
    /// Takes so many bytes more.
    pub(super) fn grow(&mut self, bytes: u64) -> Result<(), Refusal> {
        let own = (u64::MAX - self.peer.unverified.free()).saturating_add(bytes);
        if !self.peer.may_hold(own, self.budget.free()) {
            return Err(Refusal::Overloaded("bytes of bodies of one address"));
        }
        let is_taken = self.bytes.grow(bytes) && self.unverified.grow(bytes);
        is_taken.then_some(()).ok_or(Refusal::Overloaded("bytes of bodies"))
    }
}

/// All addresses with open connections.
#[derive(Debug)]
pub(crate) struct Peers {
    known: HashMap<IpAddr, Arc<Peer>>,
    slots: Arc<Quota>,
    share: u64,
}

impl Peers {
    /// Divides so many connections; no address takes more than `share` percent of what is left of them.
    pub(crate) fn new(connections: u64, share: u64) -> Self {
        Self { known: HashMap::new(), slots: Quota::new(connections), share }
    }

    /// Takes a connection's place; `None` where there is none left, or none for this address.
    pub(crate) fn admit(&mut self, address: IpAddr) -> Option<(Share, Arc<Peer>)> {
        let address = owner(address);
        let share = if address.is_loopback() { ALL } else { self.share };
        let peer = self.known.entry(address).or_insert_with(|| Arc::new(Peer::new(share)));
        // Each of its connections holds one, and so does this table.
        let own = u64::try_from(Arc::strong_count(peer)).unwrap_or(u64::MAX);
        let free = self.slots.free();
        // The first one of an address is no monopoly.
        let is_fair = own == 1 || peer.may_hold(own, free.saturating_sub(1));
        let slot = is_fair.then(|| self.slots.take(1)).flatten()?;
        Some((slot, Arc::clone(peer)))
    }

    /// Forgets addresses without connections.
    pub(crate) fn forget(&mut self) {
        self.known.retain(|_, peer| Arc::strong_count(peer) > 1);
    }
}

/// Returns who stands behind an address.
pub(crate) fn owner(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & IPV6_PREFIX))
        }
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(peers: &mut Peers, address: &str) -> Vec<(Share, Arc<Peer>)> {
        std::iter::from_fn(|| peers.admit(address.parse().unwrap())).collect()
    }

    #[test]
    fn one_address_gets_half_of_what_is_free_and_another_half_of_the_rest() {
        let mut peers = Peers::new(100, 50);
        let first = admitted(&mut peers, "192.0.2.1");
        let second = admitted(&mut peers, "192.0.2.2");
        let third = admitted(&mut peers, "192.0.2.3");
        assert_eq!([first.len(), second.len(), third.len()], [50, 25, 12]);
        drop(first);
        assert_eq!(admitted(&mut peers, "192.0.2.3").len(), 25, "12 and 25 of 75");
    }

    #[test]
    fn the_last_place_goes_to_whoever_has_none() {
        let mut peers = Peers::new(2, 50);
        let first = peers.admit("192.0.2.1".parse().unwrap());
        assert!(first.is_some() && peers.admit("192.0.2.1".parse().unwrap()).is_none());
        assert!(peers.admit("192.0.2.2".parse().unwrap()).is_some());
    }

    #[test]
    fn a_proxy_on_this_machine_and_a_share_of_all_are_not_bounded() {
        assert_eq!(admitted(&mut Peers::new(10, 50), "127.0.0.1").len(), 10);
        assert_eq!(admitted(&mut Peers::new(10, 50), "::1").len(), 10);
        assert_eq!(admitted(&mut Peers::new(10, 50), "::ffff:127.0.0.1").len(), 10);
        assert_eq!(admitted(&mut Peers::new(10, 100), "192.0.2.1").len(), 10);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_an_address_without_connections_is_forgotten() {
        let mut peers = Peers::new(100, 50);
        let held = (admitted(&mut peers, "2001:db8::1"), admitted(&mut peers, "2001:db8::2:1"));
        assert_eq!((held.0.len(), held.1.len()), (50, 0));
        assert_eq!(admitted(&mut peers, "2001:db8:0:1::1").len(), 25, "another network");
        peers.forget();
        assert_eq!(peers.known.len(), 1);
        drop(held);
        peers.forget();
        assert!(peers.known.is_empty());
    }

    #[test]
    fn bytes_that_are_not_verified_are_bounded_by_address() {
        let (budget, first, second) = (Quota::new(100), Peer::new(50), Peer::new(50));
        let mut of_first = first.hold(&budget).unwrap();
        assert!(of_first.grow(50).is_ok());
        assert!(of_first.grow(1).is_err());
        assert!(second.hold(&budget).unwrap().grow(20).is_ok(), "the other gets its part");
        let Held { bytes, unverified, .. } = of_first;
        drop(unverified);
        assert!(first.hold(&budget).unwrap().grow(20).is_ok(), "what is verified is not counted any more");
        drop(bytes);
        assert_eq!(budget.free(), 100);
    }
}

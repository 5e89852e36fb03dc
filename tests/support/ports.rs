//! Picks free loopback ports for a broker that must come back on the same ones after it was killed.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, TcpListener};

/// The range picked from: below the one of outgoing connections (32768 on Linux, 49152 elsewhere), so that a
/// client that dials a dead broker can neither be given its port nor connect to itself.
const FIRST: u64 = 15_000;
const COUNT: u64 = 15_000;

/// Returns N different ports that nothing listens on now. Another process may still take one before the
/// caller does: the caller starts over with other ports then.
pub(crate) fn pick<const N: usize>() -> [u16; N] {
    let mut held = Vec::with_capacity(N);
    while held.len() < N {
        let port = u16::try_from(FIRST + random() % COUNT).expect("the range ends below 65536");
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, listener));
        }
    }
    std::array::from_fn(|at| held[at].0)
}

/// Returns a number that no other call returns, in this process or another (as far as 64 random bits go).
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

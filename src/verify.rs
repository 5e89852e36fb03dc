//! Second stage: proves where a delivery came from, on the exact bytes that were received.
//!
//! A [`Verifier`] is compiled once per source from its [`VerifySpec`]. It is pure: no I/O, no clock of its
//! own; nothing about the algorithm is taken from the request; decoded bytes are compared in constant time
//! against every configured secret; an empty or missing secret never verifies.

mod spec;

pub use spec::{Algorithm, Encoding, KeyForm, KeyPosition, MissingHash, TimeUnit, TimestampSpec, VerifySpec};

//! Handshakes: requests with which a sender proves that an address is ours, or hands over its secret, before it
//! sends events. They are answered from the sender document alone and are never published.

mod spec;

pub use spec::{ConfirmSpec, HandshakeMethod, HandshakeReply, RespondSpec, Texts, ValueForm, WhenSpec};

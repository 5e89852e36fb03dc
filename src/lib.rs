//! Hookway receives webhooks, verifies each on its raw bytes, normalizes it into one envelope
//! (`CloudEvents` 1.0) and publishes it to Kafka, NATS JetStream or its own journal, keyed by the object
//! it is about. A 2xx is a promise: every required sink has acknowledged the event.
//!
//! The modules stand in the order of the data path:
//!
//! ```text
//! receive → verify → normalize → dedup → route → publish
//! ```
//!
//! The nouns `request`, `delivery`, `event` and `record` are shared by all six stages; the stages never import one
//! another. `pipeline` composes them in one short function; `app` is the only place that builds concrete
//! parts from a configuration.

// The nouns, in the order in which a webhook takes their shape.
pub mod request;
pub mod delivery;
pub mod event;
pub mod record;

// The six stages.
pub mod receive;
pub mod verify;
pub mod normalize;
pub mod dedup;
pub mod route;
pub mod publish;

// The path itself, and why a delivery may leave it.
pub mod pipeline;
pub mod refusal;

// Beside the path: what is answered and never published.
pub mod respond;

// Around the path.
pub mod journal;
pub mod senders;
pub mod explain;
pub mod config;
pub mod observe;
pub mod admin;
pub mod lifecycle;
pub mod clock;
pub mod deadline;
pub mod workers;
pub mod reading;
pub mod fetch;
pub mod app;
pub mod cli;

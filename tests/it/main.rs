//! Tests in process: the real router and connection server on a free port, with real journals in temporary
//! folders; and the binary itself where the process is what is tested. No brokers, no network.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod accounting;
mod agreed;
mod answers;
mod architecture;
mod batches;
mod binary;
mod bridge;
mod client;
mod cloud;
mod corpus;
mod counted;
mod disks;
mod documented;
mod doors;
mod doubles;
mod doubted;
mod draining;
mod eventually;
mod exits;
mod explain;
mod exposition;
mod handshakes;
mod health;
mod ids;
mod imports;
mod journal;
mod lifecycle;
mod limits;
mod listed;
mod logs;
mod order;
mod outputs;
mod pieces;
mod pipeline;
mod presets;
mod quarantine;
mod reasons;
mod recovery;
mod refusals;
mod replayed;
mod samples;
mod senders;
mod series;
mod shared_ids;
mod smuggling;
mod spool;
mod spool_starts;
mod stored;
mod tail;
mod told;

#[path = "../support/deadline.rs"]
#[allow(dead_code, reason = "the targets that share it use different parts")]
mod deadline;

#[path = "../support/process.rs"]
#[allow(dead_code, reason = "the targets that share it use different parts")]
mod process;

#[path = "../fuzz/targets.rs"]
#[allow(dead_code, reason = "the fuzzers call single targets")]
mod targets;
mod told_apart;
mod trigger;
mod vendors;
mod window;

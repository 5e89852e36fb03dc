//! Real brokers, and the means to start, break and read them, for the tests and the benches.
//!
//! A target takes it in with `#[path = "../support/support.rs"] mod support;`. What runs here comes from
//! `make setup-test`. Nothing started here outlives the process that started it.

pub(crate) mod brokers;
pub(crate) mod deadline;
pub(crate) mod kafka;
pub(crate) mod nats;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod python;

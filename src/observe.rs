//! What an operator sees: metrics, log lines and health. Every metric name stands in [`metrics`].

pub mod conflicts;

pub mod health;

pub mod logs;

pub mod metrics;

pub mod order;

pub mod rarely;

pub mod told;

pub mod unseen;

//! Tests against real brokers: Apache Kafka and the NATS server, from `make setup-test`.
//!
//! Each module lists its cases. All share one Kafka and one NATS server; a case that stops brokers starts its
//! own, and is reported as ignored where `HOOKWAY_TEST_KAFKA` or `HOOKWAY_TEST_NATS` names running ones.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

mod bus;
mod crashes;
mod delivery;
mod envelope;
mod harness;
mod order;
mod outages;
mod refused;
mod repeats;
mod senders;

#[path = "../support/hookway.rs"]
mod hookway;
#[path = "../support/load.rs"]
#[expect(dead_code, reason = "a bench measures with it; these tests only need its ledger")]
mod load;
#[path = "../support/support.rs"]
mod support;

use support::brokers::Brokers;

/// One test: its name is a sentence.
struct Case {
    name: &'static str,
    needs_own: bool,
    run: fn(&Brokers),
}

/// Lists test functions: `cases![shared: a, b; own: c]`. Those under `own` start, and may break, brokers of their own.
macro_rules! cases {
    (shared: $($shared:ident),* $(,)?; own: $($own:ident),* $(,)?) => {
        vec![
            $(crate::Case { name: concat!(module_path!(), "::", stringify!($shared)), needs_own: false, run: $shared },)*
            $(crate::Case { name: concat!(module_path!(), "::", stringify!($own)), needs_own: true, run: $own },)*
        ]
    };
}
use cases;

fn main() {
    harness::play_the_victim_if_asked();
    let arguments = Arguments::from_args();
    let brokers = Arc::new(Brokers::new());
    let trial = |case: Case| {
        let name = case.name.trim_start_matches("brokers::");
        let brokers = Arc::clone(&brokers);
        let run = case.run;
        let trial = Trial::test(name, move || {
            run(&brokers);
            Ok(())
        });
        let left_out = case.needs_own && Brokers::are_given();
        if left_out { trial.with_kind("needs a broker of its own").with_ignored_flag(true) } else { trial }
    };
    let trials = [harness::cases(), senders::cases(), order::cases(), refused::cases(), repeats::cases(), outages::cases(), crashes::cases()].into_iter().flatten().map(trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Before the exit, which drops nothing: the shared brokers end and their folders are removed.
    drop(brokers);
    conclusion.exit()
}

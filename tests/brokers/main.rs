//! Tests against real brokers: Apache Kafka and the NATS server, from `make setup-test`, with the real program
//! between them and the senders.
//!
//! Each module lists its cases. All share one Kafka and one NATS server; a case that stops brokers starts its
//! own, and is reported as ignored where `HOOKWAY_TEST_KAFKA` or `HOOKWAY_TEST_NATS` names running ones.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

mod awkward;
mod bus;
mod crashes;
mod delivery;
mod envelope;
mod harness;
mod order;
mod outages;
mod readme;
mod refused;
mod reloaded;
mod repeats;
mod scraped;
mod secured;
mod senders;
mod spooled;
mod streams;
mod taken;
mod written;

#[path = "../support/hookway.rs"]
mod hookway;
#[path = "../support/load.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "a bench measures with it; these tests need its ledger")]
mod load;
#[path = "../support/support.rs"]
#[expect(dead_code, reason = "a bench also asks for the process ids")]
mod support;

use support::brokers::Brokers;

/// One test: its name is a sentence.
struct Case {
    name: &'static str,
    needs: Need,
    run: fn(&Brokers),
}

/// What a case cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing but the shared brokers.
    Nothing,
    /// A broker that it may break.
    OwnBroker,
    /// A Prometheus server, which is not here.
    Prometheus,
}

/// Lists test functions: `cases![shared: a, b; own: c]`. Those under `own` start, and may break, brokers of their own.
macro_rules! cases {
    (shared: $($shared:ident),* $(,)?; own: $($own:ident),* $(,)?) => {
        vec![
            $(crate::Case { name: concat!(module_path!(), "::", stringify!($shared)), needs: crate::Need::Nothing, run: $shared },)*
            $(crate::Case { name: concat!(module_path!(), "::", stringify!($own)), needs: crate::Need::OwnBroker, run: $own },)*
        ]
    };
}
use cases;

fn main() {
    harness::play_the_victim_if_asked();
    let arguments = Arguments::from_args();
    let brokers = Arc::new(Brokers::new());
    // The longest first: two run at a time on two cores.
    let cases = [
        crashes::cases(),
        outages::cases(),
        secured::cases(),
        repeats::cases(),
        senders::cases(),
        spooled::cases(),
        order::cases(),
        awkward::cases(),
        refused::cases(),
        reloaded::cases(),
        streams::cases(),
        readme::cases(),
        taken::cases(),
        written::cases(),
        scraped::cases(),
        harness::cases(),
    ];
    let trial = |case: Case| {
        let name = case.name.trim_start_matches("brokers::");
        let brokers = Arc::clone(&brokers);
        let run = case.run;
        let trial = Trial::test(name, move || {
            run(&brokers);
            Ok(())
        });
        let missing = match case.needs {
            Need::Nothing => None,
            Need::OwnBroker => Brokers::are_given().then_some("needs a broker of its own"),
            Need::Prometheus => Some("needs Prometheus"),
        };
        match missing {
            Some(kind) => trial.with_kind(kind).with_ignored_flag(true),
            None => trial,
        }
    };
    let trials = cases.into_iter().flatten().map(trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Before the exit, which drops nothing: the shared brokers end and their folders are removed.
    drop(brokers);
    conclusion.exit()
}

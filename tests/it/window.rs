//! The dedup window against a model over time: an event is known as long as its window says and not much longer, what some
//! sinks hold is remembered for the retry, copies join their first, and a failed one leaves nothing behind.

use futures_util::FutureExt as _;
use hookway::{
    dedup::{Claim, Reservation, Window},
    record::{Ack, Held, Plan, Receipt, Target},
};
use proptest::prelude::*;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{runtime::Runtime, time::Instant};

/// How long the window remembers.
const KEEP: Duration = Duration::from_mins(1);

/// Seconds that have begun count in full, at either end.
const ROUNDING: Duration = Duration::from_secs(2);

/// What one step does: an event by its id and its body, and what becomes of it.
#[derive(Debug, Clone)]
enum Step {
    Commit(u8, u8),
    Fail(u8, u8),
    FailInPart(u8, u8),
    Hold(u8, u8),
    LetGo(bool),
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let event = || (0..4_u8, 0..2_u8);
    let step = prop_oneof![
        4 => event().prop_map(|(id, body)| Step::Commit(id, body)),
        2 => event().prop_map(|(id, body)| Step::Fail(id, body)),
        2 => event().prop_map(|(id, body)| Step::FailInPart(id, body)),
        2 => event().prop_map(|(id, body)| Step::Hold(id, body)),
        2 => any::<bool>().prop_map(Step::LetGo),
        3 => prop_oneof![0..59_000_u16, 58_000..63_000_u16].prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..40)
}

/// What the model knows of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    InFlight,
    Done(Instant),
    Partly(Instant),
}

fn target() -> Target {
    Target { sink: "kept".into(), destination: "a".into() }
}

fn held() -> Held {
    let mut held = Held::default();
    held.note(&target(), &Ack::Kafka { partition: 0, offset: 0 });
    held
}

fn receipt() -> Receipt {
    Receipt::new("a".to_owned(), Plan::Drop.targets().unwrap_err())
}

/// Tells whether what was settled then must be known, must be forgotten, or may be either.
fn is_known(then: Instant) -> Option<bool> {
    match then.elapsed() {
        past if past <= KEEP => Some(true),
        past if past > KEEP + ROUNDING => Some(false),
        _ => None,
    }
}

/// A window, and what it must know.
struct Trial<'w> {
    window: &'w Window,
    model: HashMap<(u8, u8), Known>,
    open: Vec<((u8, u8), Reservation<'w>)>,
}

impl<'w> Trial<'w> {
    /// Claims an event and holds the answer to the model; returns the right to publish it, if it is given.
    fn claim(&mut self, event: (u8, u8)) -> Option<Reservation<'w>> {
        let (id, body) = (event.0.to_string(), [event.1]);
        let known = self.model.get(&event).copied();
        match (self.window.claim("/a", &id, &[&body]), known) {
            (Claim::InFlight(joined), Some(Known::InFlight)) => {
                assert!(joined.outcome().now_or_never().is_none(), "the first copy is not done");
                None
            }
            (Claim::Duplicate(_), Some(Known::Done(then))) => {
                assert_ne!(is_known(then), Some(false), "{event:?} is known {:?} later", then.elapsed());
                None
            }
            (Claim::Fresh(reservation), known) => {
                match known {
                    None => assert!(reservation.held().is_empty(), "{event:?} was never stored"),
                    Some(Known::Done(then)) => {
                        assert_ne!(
                            is_known(then),
                            Some(true),
                            "{event:?} is forgotten {:?} later",
                            then.elapsed()
                        );
                    }
                    Some(Known::Partly(then)) => {
                        let has = reservation.held().has(&target());
                        assert!(is_known(then).is_none_or(|known| known == has), "{event:?}: {has}");
                    }
                    Some(Known::InFlight) => panic!("{event:?} is on its way twice"),
                }
                Some(reservation)
            }
            (claim, known) => panic!("{event:?} is {known:?} and was claimed as {claim:?}"),
        }
    }

    fn step(&mut self, step: &Step) {
        let (Step::Commit(id, body)
        | Step::Fail(id, body)
        | Step::FailInPart(id, body)
        | Step::Hold(id, body)) = *step
        else {
            return;
        };
        let event = (id, body);
        let Some(reservation) = self.claim(event) else { return };
        match step {
            Step::Commit(..) => {
                reservation.commit(&receipt());
                self.model.insert(event, Known::Done(Instant::now()));
            }
            Step::FailInPart(..) => {
                reservation.release(held());
                self.model.insert(event, Known::Partly(Instant::now()));
            }
            Step::Hold(..) => {
                self.model.insert(event, Known::InFlight);
                self.open.push((event, reservation));
            }
            Step::Fail(..) | Step::LetGo(_) | Step::Wait(_) => {
                // What an earlier try stored is no less there after a later one failed.
                let keeps = !reservation.held().is_empty();
                drop(reservation);
                if keeps {
                    self.model.insert(event, Known::Partly(Instant::now()));
                } else {
                    self.model.remove(&event);
                }
            }
        }
    }

    /// Ends what is on its way longest, well or not.
    fn let_go(&mut self, well: bool) {
        if self.open.is_empty() {
            return;
        }
        let (event, reservation) = self.open.remove(0);
        let joined = |window: &'w Window| match window.claim("/a", &event.0.to_string(), &[&[event.1]]) {
            Claim::InFlight(joined) => joined,
            other @ (Claim::Fresh(_) | Claim::Duplicate(_)) => {
                panic!("{event:?} is on its way and was claimed as {other:?}")
            }
        };
        let copies = [joined(self.window), joined(self.window)];
        if well {
            reservation.commit(&receipt());
            self.model.insert(event, Known::Done(Instant::now()));
        } else {
            reservation.release(Held::default());
            self.model.remove(&event);
        }
        for copy in copies {
            let outcome = copy.outcome().now_or_never().expect("a copy hears at once");
            assert_eq!(outcome.is_some(), well, "each copy shares the first one's outcome");
        }
    }
}

/// A runtime whose clock stands until it is told to go on.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_event_is_known_as_long_as_its_window_says(steps in steps()) {
        runtime().block_on(async {
            let window: Arc<Window> = Window::new(KEEP, 1000);
            let mut trial = Trial { window: &window, model: HashMap::new(), open: Vec::new() };
            for step in &steps {
                match step {
                    Step::LetGo(well) => trial.let_go(*well),
                    Step::Wait(milliseconds) => {
                        tokio::time::advance(Duration::from_millis((*milliseconds).into())).await;
                    }
                    Step::Commit(..) | Step::Fail(..) | Step::FailInPart(..) | Step::Hold(..) => trial.step(step),
                }
            }
        });
    }

    #[test]
    fn of_more_events_than_it_holds_the_newest_are_known(count in 1..40_usize, capacity in 1..20_usize) {
        runtime().block_on(async {
            let window = Window::new(KEEP, capacity);
            let commit = |id: usize| {
                let Claim::Fresh(reservation) = window.claim("/a", &id.to_string(), &[]) else { panic!("{id} is known") };
                reservation.commit(&receipt());
            };
            (0..count).for_each(commit);
            assert!(window.remembered() <= capacity, "{} of {capacity}", window.remembered());
            for id in count.saturating_sub(capacity)..count {
                let claim = window.claim("/a", &id.to_string(), &[]);
                assert!(matches!(claim, Claim::Duplicate(_)), "{id} of {count} is forgotten");
            }
        });
    }
}

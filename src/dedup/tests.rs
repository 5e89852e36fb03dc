//! The window's rules: remember only what was acknowledged, share what is in flight, stay bounded.

use super::*;
use crate::record::{Ack, Plan, Receipt, Target};
use proptest::prelude::*;
use std::collections::HashMap;

fn receipt() -> Receipt {
    Receipt::new("a".to_owned(), Plan::Drop.targets().unwrap_err())
}

fn held(topic: &str) -> Held {
    let mut held = Held::default();
    let ack = Ack::Kafka { partition: 0, offset: 0 };
    held.note(&Target { sink: "kafka".into(), destination: topic.into() }, &ack);
    held
}

fn claim<'w>(window: &'w Window, id: &str, body: &str) -> Claim<'w> {
    window.claim("/s/a", id, &[b"kind", body.as_bytes()])
}

fn fresh<'w>(window: &'w Window, id: &str) -> Reservation<'w> {
    match claim(window, id, "body") {
        Claim::Fresh(reservation) => reservation,
        other @ (Claim::Duplicate(_) | Claim::InFlight(_)) => {
            panic!("expected {id} to be fresh, found {other:?}")
        }
    }
}

#[test]
fn an_acknowledged_event_is_a_duplicate_from_then_on() {
    let window = Window::new(Duration::from_mins(1), 10);
    fresh(&window, "a").commit(&receipt());
    assert!(matches!(claim(&window, "a", "body"), Claim::Duplicate(_)));
}

#[test]
fn a_failed_event_is_not_remembered() {
    let window = Window::new(Duration::from_mins(1), 10);
    drop(fresh(&window, "a"));
    assert!(fresh(&window, "a").held().is_empty());
}

#[test]
fn a_retry_skips_the_sinks_that_hold_the_first_attempt() {
    let window = Window::new(Duration::from_mins(1), 10);
    fresh(&window, "a").release(held("orders"));
    let again = fresh(&window, "a");
    assert_eq!(*again.held(), held("orders"));
    // What the first attempt achieved is kept when the second fails too.
    drop(again);
    assert_eq!(*fresh(&window, "a").held(), held("orders"));
}

#[tokio::test]
async fn copies_in_flight_share_the_outcome_of_the_first() {
    let window = Window::new(Duration::from_mins(1), 10);
    let first = fresh(&window, "a");
    let Claim::InFlight(joined) = claim(&window, "a", "body") else { panic!("expected to join") };
    first.commit(&receipt());
    assert!(joined.outcome().await.is_some());

    let first = fresh(&window, "b");
    let Claim::InFlight(joined) = claim(&window, "b", "body") else { panic!("expected to join") };
    drop(first);
    assert_eq!(joined.outcome().await, None);
}

#[tokio::test(start_paused = true)]
async fn an_id_is_forgotten_after_its_time() {
    let window = Window::new(Duration::from_mins(1), 10);
    fresh(&window, "a").commit(&receipt());
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(matches!(claim(&window, "a", "body"), Claim::Duplicate(_)));
    tokio::time::advance(Duration::from_secs(2)).await;
    drop(fresh(&window, "a"));
}

proptest! {
    #[test]
    fn the_window_never_holds_more_than_its_capacity(ids in prop::collection::vec(0_u8..40, 1..200)) {
        let window = Window::new(Duration::from_mins(1), 8);
        for id in ids {
            if let Claim::Fresh(reservation) = claim(&window, &id.to_string(), "body") {
                reservation.commit(&receipt());
            }
            prop_assert!(window.remembered() <= 8);
        }
    }
}

#[test]
fn an_entry_is_small_since_there_are_many() {
    assert_eq!((size_of::<(Key, Entry)>(), size_of::<(Second, Key)>()), (48, 24));
}

#[tokio::test]
async fn an_id_with_other_bytes_is_another_event_and_a_conflict() {
    let window = Window::new(Duration::from_mins(1), 10);
    let first = fresh(&window, "a");
    let Claim::Fresh(second) = claim(&window, "a", "other") else { panic!("expected another event") };
    assert!(!first.is_conflict() && second.is_conflict());
    // Copies of each join their own.
    let [Claim::InFlight(of_first), Claim::InFlight(of_second)] =
        [claim(&window, "a", "body"), claim(&window, "a", "other")]
    else {
        panic!("expected to join")
    };
    drop(first);
    second.commit(&receipt());
    assert!(of_first.outcome().await.is_none() && of_second.outcome().await.is_some());
    // The first has failed and may come again; the second is known though nothing stands under the id.
    assert!(matches!(claim(&window, "a", "other"), Claim::Duplicate(_)));
    fresh(&window, "a").commit(&receipt());
    for body in ["body", "other"] {
        assert!(matches!(claim(&window, "a", body), Claim::Duplicate(_)), "{body}");
    }
}

#[test]
fn a_conflict_keeps_which_sinks_hold_it() {
    let window = Window::new(Duration::from_mins(1), 10);
    fresh(&window, "a").commit(&receipt());
    for _ in 0..2 {
        let Claim::Fresh(other) = claim(&window, "a", "other") else { panic!("expected another event") };
        assert!(other.is_conflict());
        other.release(held("orders"));
    }
    let Claim::Fresh(other) = claim(&window, "a", "other") else { panic!("expected another event") };
    assert_eq!(*other.held(), held("orders"));
}

#[test]
fn an_id_that_is_stated_to_be_unique_names_the_event_alone() {
    let window = Window::new(Duration::from_mins(1), 10);
    let by_id = || window.claim("/s/a", "a", &[]);
    // What came under this id from somewhere else does not stand for it.
    fresh(&window, "a").commit(&receipt());
    let Claim::Fresh(unique) = by_id() else { panic!("expected another event") };
    unique.commit(&receipt());
    assert!(matches!(by_id(), Claim::Duplicate(_)));
}

#[test]
fn no_part_of_an_event_can_be_cut_elsewhere() {
    let window = Window::new(Duration::from_mins(1), 10);
    let events: [(&str, &str, &[&[u8]]); 6] = [
        ("/s/a", "a", &[b"", b"bc"]),
        ("/s/a", "a", &[b"b", b"c"]),
        ("/s/a", "a", &[b"bc", b""]),
        ("/s/a", "a", &[b"bc"]),
        ("/s/a", "", &[b"a", b"bc"]),
        ("/s", "/aa", &[b"", b"bc"]),
    ];
    for (scope, id, content) in events {
        let Claim::Fresh(claimed) = window.claim(scope, id, content) else {
            panic!("{scope} {id} {content:?} is another event")
        };
        claimed.commit(&receipt());
    }
}

proptest! {
    /// The model: an event is its scope, its id and its bytes, and what was committed is known.
    #[test]
    fn only_the_same_event_is_ever_suppressed(
        steps in prop::collection::vec((0_u8..2, 0_u8..3, 0_u8..4, 0_u8..4), 1..200),
    ) {
        let window = Window::new(Duration::from_mins(1), 1000);
        let (mut open, mut model) = (Vec::new(), HashMap::new());
        for (scope, id, body, then) in steps {
            let event = (scope, id, body);
            let (scope, id, body) = (scope.to_string(), id.to_string(), body.to_string());
            match (window.claim(&scope, &id, &[body.as_bytes()]), model.get(&event)) {
                (Claim::Fresh(reservation), None) => match then {
                    0 => {
                        model.insert(event, "in flight");
                        open.push((event, reservation));
                    }
                    1 => drop(reservation),
                    _ => {
                        model.insert(event, "done");
                        reservation.commit(&receipt());
                    }
                },
                (Claim::InFlight(_), Some(&"in flight")) | (Claim::Duplicate(_), Some(&"done")) => {}
                (claim, known) => prop_assert!(false, "{event:?} is {known:?} and was claimed as {claim:?}"),
            }
            if then == 3 && let Some((event, reservation)) = open.pop() {
                if id == "0" {
                    model.insert(event, "done");
                    reservation.commit(&receipt());
                } else {
                    model.remove(&event);
                }
            }
        }
    }
}

#[test]
fn of_many_threads_that_claim_the_same_ids_one_gets_each() {
    let window = Window::new(Duration::from_mins(1), SHARDS * LEAST);
    let claimed = |thread: usize| {
        let mut fresh = Vec::new();
        for turn in 0..2000_usize {
            // Each begins elsewhere, so that they meet everywhere.
            let id = ((turn + thread * 500) % 2000).to_string();
            if let Claim::Fresh(reservation) = window.claim("s", &id, &[]) {
                fresh.push(reservation);
            }
        }
        fresh
    };
    let fresh: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|thread| scope.spawn(move || claimed(thread))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert_eq!((fresh.len(), window.remembered()), (2000, 2000));
    drop(fresh);
    assert_eq!(window.remembered(), 0);
}

#[test]
fn many_events_of_one_id_are_remembered_as_well_as_many_of_many() {
    let window = Window::new(Duration::from_mins(1), 100_000);
    for number in 0..20_000 {
        let Claim::Fresh(event) = claim(&window, "a", &number.to_string()) else { panic!("{number} is new") };
        event.commit(&receipt());
    }
    for number in 0..20_000 {
        assert!(matches!(claim(&window, "a", &number.to_string()), Claim::Duplicate(_)), "{number}");
    }
    assert_eq!(window.remembered(), 20_000);
}

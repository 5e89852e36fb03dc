//! The window's rules: remember only what was acknowledged, share what is in flight, stay bounded.

use super::*;
use proptest::prelude::*;

fn receipt() -> Receipt {
    Receipt { id: "a".to_owned(), disposition: Disposition::Published }
}

fn fresh<'w>(window: &'w Window, id: &str) -> Reservation<'w> {
    match window.claim("/s/a", id) {
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
    assert!(matches!(window.claim("/s/a", "a"), Claim::Duplicate(Disposition::Published)));
}

#[test]
fn a_failed_event_is_not_remembered() {
    let window = Window::new(Duration::from_mins(1), 10);
    drop(fresh(&window, "a"));
    assert!(fresh(&window, "a").acked().is_empty());
}

#[test]
fn a_retry_skips_the_sinks_that_hold_the_first_attempt() {
    let window = Window::new(Duration::from_mins(1), 10);
    fresh(&window, "a").release(vec![SinkIndex(1)]);
    let again = fresh(&window, "a");
    assert_eq!(again.acked(), [SinkIndex(1)]);
    // What the first attempt achieved is kept when the second fails too.
    drop(again);
    assert_eq!(fresh(&window, "a").acked(), [SinkIndex(1)]);
}

#[tokio::test]
async fn copies_in_flight_share_the_outcome_of_the_first() {
    let window = Window::new(Duration::from_mins(1), 10);
    let first = fresh(&window, "a");
    let Claim::InFlight(joined) = window.claim("/s/a", "a") else { panic!("expected to join") };
    first.commit(&receipt());
    assert_eq!(joined.outcome().await, Some(Disposition::Published));

    let first = fresh(&window, "b");
    let Claim::InFlight(joined) = window.claim("/s/a", "b") else { panic!("expected to join") };
    drop(first);
    assert_eq!(joined.outcome().await, None);
}

#[tokio::test(start_paused = true)]
async fn an_id_is_forgotten_after_its_time() {
    let window = Window::new(Duration::from_mins(1), 10);
    fresh(&window, "a").commit(&receipt());
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(matches!(window.claim("/s/a", "a"), Claim::Duplicate(_)));
    tokio::time::advance(Duration::from_secs(2)).await;
    drop(fresh(&window, "a"));
}

proptest! {
    #[test]
    fn the_window_never_holds_more_than_its_capacity(ids in prop::collection::vec(0_u8..40, 1..200)) {
        let window = Window::new(Duration::from_mins(1), 8);
        for id in ids {
            if let Claim::Fresh(reservation) = window.claim("/s/a", &id.to_string()) {
                reservation.commit(&receipt());
            }
            prop_assert!(window.len() <= 8);
        }
    }
}

#[test]
fn an_entry_is_small_since_there_are_many() {
    assert_eq!((size_of::<(Key, State)>(), size_of::<(Second, Key)>()), (32, 24));
}

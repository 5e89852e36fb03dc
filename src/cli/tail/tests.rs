//! Which rows `tail` shows, and in which order.

use super::*;
use row::Place;

fn row(place: Place, timestamp_ms: i64) -> Row {
    Row {
        destination: String::new(),
        place,
        key: None,
        headers: Vec::new(),
        value: bytes::Bytes::new(),
        timestamp_ms,
    }
}

#[test]
fn the_last_n_of_a_journal_come_in_its_order_whatever_the_clock_said() {
    let mut newest = Newest::new(From::Last(2));
    for (sequence, at) in [(1, 30), (2, 20), (3, 10)] {
        assert_eq!(newest.pass(row(Place::Journal { sequence }, at)), None);
    }
    let places: Vec<Place> = newest.rest(9).map(|row| row.place).collect();
    assert_eq!(places, [Place::Journal { sequence: 2 }, Place::Journal { sequence: 3 }]);
}

#[test]
fn the_last_n_of_several_partitions_are_those_written_last() {
    let mut newest = Newest::new(From::Last(2));
    for (partition, offset, at) in [(0, 7, 30), (0, 8, 50), (1, 3, 40)] {
        assert_eq!(newest.pass(row(Place::Kafka { partition, offset }, at)), None);
    }
    let places: Vec<Place> = newest.rest(9).map(|row| row.place).collect();
    assert_eq!(places, [Place::Kafka { partition: 1, offset: 3 }, Place::Kafka { partition: 0, offset: 8 }]);
}

#[test]
fn from_the_start_every_row_passes_at_once() {
    let mut newest = Newest::new(From::Start);
    assert!(newest.pass(row(Place::Journal { sequence: 1 }, 0)).is_some());
    assert_eq!(newest.rest(9).count(), 0);
}

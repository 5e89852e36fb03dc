//! The clients' starts and ends, with brokers that are not there: nothing of it may hold up the runtime.

use super::{producers::Settings, *};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, interval, timeout};

/// The longest that a runtime of one thread may be held up: less than the end of a client takes, and more than a busy
/// machine lets a thread wait.
const HELD_UP: Duration = Duration::from_millis(400);

/// Port 1 of the loopback device: nothing listens there.
fn nowhere() -> Kafka {
    reading(Arc::new(Vec::new))
}

fn reading(secrets: Secrets) -> Kafka {
    let config = client_config(&["127.0.0.1:1".to_owned()], &BTreeMap::new());
    let checks =
        Checks { topics: vec!["a".to_owned()], has_templates: false, largest_record: 1000, create: None };
    Kafka::new(config, checks, secrets).unwrap()
}

fn record(destination: &str) -> Record {
    Record {
        destination: destination.into(),
        key: Some("k".to_owned()),
        headers: Vec::new(),
        value: bytes::Bytes::from_static(b"v"),
        timestamp_ms: 0,
        in_turn: false,
        message_id: String::new(),
    }
}

/// Does some work on a runtime of one thread, and returns the longest time that it held the thread up.
async fn held_up(work: impl Future<Output = ()>) -> Duration {
    let ticks = async {
        let (mut ticks, mut last, mut longest) =
            (interval(Duration::from_millis(5)), Instant::now(), Duration::ZERO);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                () = &mut work => return longest.max(last.elapsed()),
                _ = ticks.tick() => {
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                }
            }
        }
    };
    ticks.await
}

#[tokio::test]
async fn looks_at_a_cluster_that_is_away_do_not_hold_up_the_runtime() {
    let kafka = nowhere();
    let held = held_up(async {
        for _ in 0..2 {
            assert!(matches!(kafka.prepare().await, Err(PublishError::Unavailable(_))));
        }
    });
    assert!(held.await < HELD_UP);
}

#[tokio::test]
async fn clients_are_replaced_once_their_secrets_are_others() {
    let secret = Arc::new(parking_lot::Mutex::new("one"));
    let read = Arc::clone(&secret);
    let secrets = move || vec![("sasl.password".to_owned(), (*read.lock()).to_owned())];
    let kafka = reading(Arc::new(secrets));
    let eager = || kafka.producers.choose(true).unwrap().0;
    let replaced = async |old: &Producer| {
        while Arc::ptr_eq(&eager(), old) {
            tokio::task::yield_now().await;
        }
    };
    // It began without one.
    let first = eager();
    assert!(kafka.prepare().await.is_err());
    timeout(Duration::from_secs(10), replaced(&first)).await.unwrap();
    let second = eager();
    assert!(kafka.probe().await.is_err());
    assert!(Arc::ptr_eq(&eager(), &second), "the same text is no change");
    *secret.lock() = "two";
    assert!(kafka.probe().await.is_err());
    timeout(Duration::from_secs(10), replaced(&second)).await.unwrap();
}

#[tokio::test]
async fn secrets_on_a_disk_that_hangs_hold_up_no_look_and_take_one_thread() {
    let (answers, disk) = std::sync::mpsc::channel::<()>();
    let (disk, begun) = (parking_lot::Mutex::new(disk), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&begun);
    let secrets = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let _answer = disk.lock().recv();
        vec![("sasl.password".to_owned(), "two".to_owned())]
    };
    let kafka = reading(Arc::new(secrets));
    let (eager, _counted) = kafka.producers.choose(true).unwrap();
    for _ in 0..3 {
        kafka.renew(Instant::now() + Duration::from_millis(20)).await;
    }
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    assert!(!eager.is_replaced.load(Ordering::SeqCst), "what was read last stays");
    drop(answers);
    kafka.renew(Instant::now() + Duration::from_secs(20)).await;
    assert!(eager.is_replaced.load(Ordering::SeqCst));
}

/// Gives settings as each look does, until the client was started with those that were changed so often.
async fn until_started(slot: &Arc<slot::Slot>, given: &[(String, String)], version: u64) {
    let is_started = || {
        slot.set(given);
        slot.producer().unwrap().version == version
    };
    let wait = async {
        while !is_started() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), wait).await.unwrap();
}

fn slot() -> Arc<slot::Slot> {
    let config = client_config(&["127.0.0.1:1".to_owned()], &BTreeMap::new());
    let slot = slot::Slot::new(config, None, Arc::new(Talk::about("nobody")));
    slot.fill().unwrap();
    slot
}

#[tokio::test]
async fn a_setting_that_is_given_while_a_client_is_replaced_counts_too() {
    let slot = slot();
    for size in ["5000", "6000", "7000", "8000"] {
        slot.set(&[("batch.size".to_owned(), size.to_owned())]);
    }
    until_started(&slot, &[], 4).await;
}

#[tokio::test]
async fn a_client_that_could_not_be_started_with_new_settings_is_tried_again() {
    let (slot, home) = (slot(), tempfile::tempdir().unwrap());
    let ca = home.path().join("ca.pem");
    let given = [("security.protocol", "ssl"), ("ssl.ca.location", ca.to_str().unwrap())];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let old = slot.producer().unwrap();
    slot.set(&given);
    let tried = async {
        while old.is_replaced.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), tried).await.unwrap();
    assert!(Arc::ptr_eq(&old, &slot.producer().unwrap()), "there is no such file");
    std::fs::write(&ca, include_str!("../../../tests/brokers/tls/ca.pem")).unwrap();
    until_started(&slot, &given, 1).await;
}

#[tokio::test]
async fn clients_that_are_replaced_and_let_go_of_end_elsewhere() {
    let kafka = nowhere();
    let (producer, _counted) = kafka.producers.choose(false).unwrap();
    let ended = producer.ended();
    // The last holder of a client is a request that waits for its record.
    let held = held_up(async {
        let waiting = kafka.send(record("a"));
        assert!(timeout(Duration::from_millis(50), waiting).await.is_err());
        kafka.producers.replace(&producer);
        while kafka.producers.choose(false).is_none_or(|(now, _)| Arc::ptr_eq(&now, &producer)) {
            tokio::task::yield_now().await;
        }
        drop(producer);
        timeout(Duration::from_secs(20), ended.cancelled()).await.unwrap();
    });
    assert!(held.await < HELD_UP);
}

#[tokio::test]
async fn clients_that_are_stuck_are_replaced_and_what_they_hold_is_given_up() {
    let kafka = nowhere();
    let held = held_up(async {
        let give_up = async {
            tokio::task::yield_now().await;
            kafka.producers.replace_stuck();
        };
        let (sent, ()) = tokio::join!(timeout(Duration::from_secs(20), kafka.send(record("a"))), give_up);
        assert!(matches!(sent.unwrap(), Err(PublishError::Unavailable(_))));
    });
    assert!(held.await < HELD_UP);
}

#[tokio::test]
async fn at_the_end_all_clients_have_ended_and_nothing_is_published() {
    let kafka = nowhere();
    let (producer, counted) = kafka.producers.choose(false).unwrap();
    let ended = producer.ended();
    drop((producer, counted));
    kafka.flush().await;
    assert!(ended.is_cancelled());
    assert!(matches!(kafka.send(record("a")).await, Err(PublishError::Unavailable(_))));
}

#[test]
fn what_the_user_sets_holds_for_every_client() {
    let settings = |options: &[(&str, &str)]| {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::from(client_config(&[], &options))
    };
    let told = |config: &ClientConfig| {
        ["linger.ms", "compression.type"].map(|name| config.get(name).map(str::to_owned))
    };
    let of = |settings: &Settings| {
        [told(&settings.eager), settings.batching.as_ref().map_or([const { None }; 2], told)]
    };
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(of(&settings(&[])), [[text("0"), text("lz4")], [text("2"), text("lz4")]]);
    let plain = settings(&[("compression.type", "none")]);
    assert_eq!(of(&plain), [[text("0"), text("none")], [text("2"), text("none")]]);
    for linger in ["linger.ms", "queue.buffering.max.ms"] {
        assert!(settings(&[(linger, "7")]).batching.is_none(), "one client, and as the user wants it");
    }
}

#[test]
fn another_name_of_a_setting_takes_the_place_of_ours() {
    // All that librdkafka has for our defaults: of two names for one thing, either might win.
    for (name, value, ours) in [
        ("max.in.flight.requests.per.connection", "5", "max.in.flight"),
        ("compression.codec", "zstd", "compression.type"),
        ("delivery.timeout.ms", "120000", "message.timeout.ms"),
    ] {
        assert!(client_config(&[], &BTreeMap::new()).get(ours).is_some(), "{ours} is no default");
        let config = client_config(&[], &BTreeMap::from([(name.to_owned(), value.to_owned())]));
        assert_eq!((config.get(name), config.get(ours)), (Some(value), None));
    }
}

#[tokio::test]
async fn batches_fit_what_is_known_and_shrink_where_a_refusal_tells_more() {
    let producers = nowhere().producers;
    let widest = producers.widest();
    assert_eq!(producers.fit(Some(1_048_588), widest, false), widest, "the default limit changes nothing");
    assert_eq!(producers.fit(Some(20_000), widest, false), 20_000);
    assert_eq!(producers.fit(Some(20_000), 20_000, true), 10_000, "known, and refused all the same");
    assert_eq!(producers.fit(None, 10_000, true), 5000);
    assert_eq!(producers.fit(None, 5000, false), 5000, "what a refusal has taught stays");
    assert_eq!(producers.fit(Some(1_048_588), 5000, false), widest, "until it is known better");
}

//! Tests what all other tests here stand on: that the brokers are real, keep what they acknowledge, and are read
//! by clients that share no code with Hookway; and that none of them outlives the tests.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use async_nats::{HeaderMap, jetstream};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders, ToBytes};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::json;

use crate::Case;
use crate::support::brokers::Brokers;
use crate::support::deadline::{block_on, until, within};
use crate::support::kafka::Kafka;
use crate::support::nats::Nats;
use crate::support::process::{self, Process, Streams};
use crate::support::python;

/// Keys at the edges of what senders send: empty, one byte, each length modulo 4 (the hash takes four bytes at
/// a time), bytes above 127 (Java's are signed), and control characters.
const AWKWARD: [&str; 12] = [
    "",
    "a",
    "ab",
    "abc",
    "abcd",
    "RESERVATION:QWERTYUI-1",
    "key-ä-ü",
    "ÿþý",
    "日本語のキー",
    "🛎️🏨",
    " leading and trailing ",
    "tab\tand\u{1}control\u{7f}",
];

/// What a killed broker must still hold.
const ACKNOWLEDGED: usize = 50;

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            a_record_is_read_back_with_key_headers_and_bytes_as_produced,
            java_and_librdkafka_agree_on_the_partition_of_awkward_keys,
            a_message_published_twice_with_one_id_is_stored_once,
            the_python_sdk_parses_each_content_mode_and_names_a_bad_event,
            a_program_dies_with_a_test_that_is_killed;
        own:
            a_killed_kafka_keeps_what_it_acknowledged,
            a_paused_kafka_acknowledges_nothing_until_it_resumes,
            a_killed_nats_server_keeps_what_it_acknowledged,
            a_paused_nats_server_acknowledges_nothing_until_it_resumes,
    ]
}

fn a_record_is_read_back_with_key_headers_and_bytes_as_produced(brokers: &Brokers) {
    let kafka = brokers.kafka();
    let topic = brokers.name("bytes");
    kafka.create_topic(&topic, 3);
    let value: Vec<u8> = (0..=255).collect();
    let headers = OwnedHeaders::new()
        .insert(Header { key: "ce_id", value: Some("1") })
        .insert(Header { key: "twice", value: Some("a\0b") })
        .insert(Header { key: "twice", value: Some("ü") });
    let record = FutureRecord::to(&topic).key("k\0ü").payload(&value).headers(headers).timestamp(1_234_567);
    let (partition, offset) = produce(&producer(kafka), record);

    let read = kafka.read(&topic, 1);
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].partition, read[0].offset, read[0].timestamp_ms), (partition, offset, 1_234_567));
    assert_eq!(read[0].key.as_deref(), Some("k\0ü".as_bytes()));
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    assert_eq!(read[0].headers, [header("ce_id", "1"), header("twice", "a\0b"), header("twice", "ü")]);
    assert_eq!(read[0].value, value);
    kafka.delete_topic(&topic);
}

fn java_and_librdkafka_agree_on_the_partition_of_awkward_keys(brokers: &Brokers) {
    let kafka = brokers.kafka();
    let (ours, theirs) = (brokers.name("librdkafka"), brokers.name("java"));
    kafka.create_topic(&ours, 12);
    kafka.create_topic(&theirs, 12);
    let producer = producer(kafka);
    let send = |key: &&str| produce(&producer, FutureRecord::to(&ours).key(*key).payload("")).0;
    let picked: Vec<i32> = AWKWARD.iter().map(send).collect();
    assert_eq!(picked, kafka.java_partitions(&theirs, &AWKWARD));

    let read = kafka.read(&ours, AWKWARD.len());
    assert!(read.iter().any(|record| record.key.as_deref() == Some(b"")), "an empty key is not a null key");
}

fn a_message_published_twice_with_one_id_is_stored_once(brokers: &Brokers) {
    let nats = brokers.nats();
    let (stream, subject) = (brokers.name("ONCE"), brokers.name("once"));
    nats.create_stream(&stream, &[&subject]);
    let publish = |id: &str, body: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", id);
        headers.append("Twice", "a");
        headers.append("Twice", "b");
        block_on(async {
            let context = connect(nats).await;
            let sent = context.publish_with_headers(subject.clone(), headers, body.into()).await;
            sent.expect("the message is sent").await.expect("the stream acknowledges it")
        })
    };
    assert!(!publish("id-1", "first").duplicate);
    assert!(publish("id-1", "again").duplicate);
    assert!(!publish("id-2", "second").duplicate);

    let read = nats.read(&stream, 2);
    let stored: Vec<_> = read.iter().map(|message| (message.sequence, message.payload.as_slice())).collect();
    assert_eq!(stored, [(1, &b"first"[..]), (2, b"second")]);
    assert_eq!(read[0].subject, subject);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = read[0].headers.clone();
    headers.sort();
    assert_eq!(headers, [header("Nats-Msg-Id", "id-1"), header("Twice", "a"), header("Twice", "b")]);
    nats.delete_stream(&stream);
}

fn the_python_sdk_parses_each_content_mode_and_names_a_bad_event(_: &Brokers) {
    let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-01-02T03:04:05Z",
        "partitionkey": "k", "data": {"n": 1.5}});
    let structured = |event: &serde_json::Value, key: &str| json!({"headers": {}, "key": key, "value": STANDARD.encode(event.to_string())});
    let binary = |prefix: &str| {
        let names = ["specversion", "id", "source", "type", "partitionkey"];
        let header = |name: &str| (format!("{prefix}{name}"), event[name].clone());
        let headers: serde_json::Map<_, _> = names.into_iter().map(header).collect();
        json!({"headers": headers, "key": "k", "value": STANDARD.encode(r#"{"n":1.5}"#)})
    };
    for read in python::validated(&[structured(&event, "k"), binary("ce_"), binary("ce-")]) {
        assert_eq!(read.attributes["partitionkey"], "k");
        assert_eq!(read.data, json!({"n": 1.5}));
    }

    let without = |name: &str| {
        let mut event = event.clone();
        event.as_object_mut().expect("it is an object").remove(name);
        structured(&event, "k")
    };
    let problem =
        python::validate(&[structured(&event, "k"), without("source")]).expect_err("source is missing");
    assert!(problem.contains("message 2") && problem.contains("source"), "{problem}");
    let problem = python::validate(&[structured(&event, "other")]).expect_err("the keys differ");
    assert!(problem.contains("message 1") && problem.contains("partitionkey"), "{problem}");
}

/// The variable that asks this very program to start a child and wait to be killed.
const VICTIM: &str = "HOOKWAY_TEST_VICTIM";

/// Starts a program under the guard, prints its pid and waits, if the environment asks for it.
pub(crate) fn play_the_victim_if_asked() {
    let Some(home) = std::env::var_os(VICTIM) else { return };
    let home = Path::new(&home);
    let mut program = Command::new("sh");
    program.args(["-c", "echo $$; exec sleep 600"]);
    let pid = home.join("pid");
    let process = Process::start(&program, &Streams::log(&pid), Some(home));
    let text = until("the program's pid", Duration::from_secs(20), || {
        std::fs::read_to_string(&pid).ok().filter(|text| text.ends_with('\n'))
    });
    std::fs::write("/dev/stdout", text).expect("the pid can be printed");
    let _unreached = within(Duration::from_mins(1), || None::<()>);
    drop(process);
    std::process::exit(1);
}

fn a_program_dies_with_a_test_that_is_killed(_: &Brokers) {
    let outer = process::home("victim");
    let home = outer.path().join("home");
    std::fs::create_dir(&home).expect("a folder can be made");
    let this = std::env::current_exe().expect("this program has a path");
    let mut victim = Command::new(this);
    let mut victim =
        victim.env(VICTIM, &home).stdout(Stdio::piped()).spawn().expect("this program can be started");
    let mut pid = String::new();
    let output = victim.stdout.take().expect("the output is a pipe");
    BufReader::new(output).read_line(&mut pid).expect("the victim prints a pid");
    let runs = || Command::new("sh").args(["-c", "kill -0 \"$1\" 2>&-", "runs", pid.trim()]).status();
    let runs = || runs().expect("a shell can be started").success();
    assert!(runs(), "the program runs before its owner is killed");

    victim.kill().expect("the victim can be killed");
    victim.wait().expect("the victim is our child");
    until("the end of the program", Duration::from_secs(20), || (!runs()).then_some(()));
    until("the end of its folder", Duration::from_secs(20), || (!home.exists()).then_some(()));
}

fn a_killed_kafka_keeps_what_it_acknowledged(_: &Brokers) {
    let mut kafka = Kafka::start();
    kafka.create_topic("kept", 1);
    let producer = producer(&kafka);
    for number in 0..ACKNOWLEDGED {
        produce(&producer, FutureRecord::to("kept").key("k").payload(&number.to_string()));
    }
    kafka.kill();
    kafka.restart();
    produce(&producer, FutureRecord::to("kept").key("k").payload("after"));

    let read = kafka.read("kept", ACKNOWLEDGED + 1);
    let values: Vec<_> =
        read.into_iter().map(|record| String::from_utf8(record.value).expect("it is text")).collect();
    let sent = (0..ACKNOWLEDGED).map(|number| number.to_string()).chain(["after".to_owned()]);
    assert_eq!(values, sent.collect::<Vec<_>>());
}

fn a_paused_kafka_acknowledges_nothing_until_it_resumes(_: &Brokers) {
    let mut kafka = Kafka::start();
    kafka.create_topic("held", 1);
    let producer = producer(&kafka);
    produce(&producer, FutureRecord::to("held").key("k").payload("before"));
    kafka.pause();
    block_on(async {
        let mut held =
            Box::pin(producer.send(FutureRecord::to("held").key("k").payload("held"), Duration::ZERO));
        let early = tokio::time::timeout(Duration::from_secs(1), &mut held).await;
        assert!(early.is_err(), "a frozen broker cannot acknowledge");
        kafka.resume();
        held.await.expect("the broker acknowledges once it goes on");
    });
    assert_eq!(kafka.read("held", 2).len(), 2);
}

fn a_killed_nats_server_keeps_what_it_acknowledged(_: &Brokers) {
    let mut nats = Nats::start();
    nats.create_stream("KEPT", &["kept"]);
    block_on(async {
        let context = connect(&nats).await;
        for number in 0..ACKNOWLEDGED {
            let sent = context.publish("kept", number.to_string().into()).await;
            sent.expect("the message is sent").await.expect("the stream acknowledges it");
        }
    });
    nats.kill();
    nats.restart();

    let read = nats.read("KEPT", ACKNOWLEDGED);
    let bodies: Vec<_> =
        read.into_iter().map(|message| String::from_utf8(message.payload).expect("text")).collect();
    assert_eq!(bodies, (0..ACKNOWLEDGED).map(|number| number.to_string()).collect::<Vec<_>>());
}

fn a_paused_nats_server_acknowledges_nothing_until_it_resumes(_: &Brokers) {
    let mut nats = Nats::start();
    nats.create_stream("HELD", &["held"]);
    block_on(async {
        let context = connect(&nats).await;
        nats.pause();
        let mut held =
            Box::pin(async { context.publish("held", "1".into()).await.expect("it is sent").await });
        let early = tokio::time::timeout(Duration::from_secs(1), &mut held).await;
        assert!(early.is_err(), "a frozen server cannot acknowledge");
        nats.resume();
        held.await.expect("the server acknowledges once it goes on");
    });
    assert_eq!(nats.read("HELD", 1).len(), 1);
}

/// Returns a producer set as Hookway's is where it matters here: the partitioner, and acks from all replicas.
fn producer(kafka: &Kafka) -> FutureProducer {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", kafka.bootstrap())
        .set("partitioner", "murmur2_random")
        .set("acks", "all");
    config.set("message.timeout.ms", "60000").set("linger.ms", "0").create().expect("a producer can be made")
}

/// Produces one record and returns its partition and offset once it is acknowledged.
fn produce<V: ToBytes + ?Sized + Sync>(
    producer: &FutureProducer,
    record: FutureRecord<'_, str, V>,
) -> (i32, i64) {
    let delivery =
        block_on(producer.send(record, Duration::from_secs(10))).expect("the record is acknowledged");
    (delivery.partition, delivery.offset)
}

async fn connect(nats: &Nats) -> jetstream::Context {
    jetstream::new(async_nats::connect(nats.url()).await.expect("the server answers"))
}

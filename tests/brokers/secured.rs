//! Brokers that ask who we are: passwords, an nkey, SCRAM, and TLS by an authority of their own. With the right
//! credentials events are published; with wrong ones Hookway is not ready, says why, and never shows a secret.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Case;
use crate::delivery::{self, Delivery};
use crate::envelope;
use crate::hookway::Hookway;
use crate::support::brokers::Brokers;
use crate::support::deadline::until;
use crate::support::kafka::Kafka;
use crate::support::nats::Nats;
use crate::support::{ports, process, python};

const PASSWORD: &str = "the right password, of the tests";
const WRONG: &str = "a wrong password, of the tests";

/// An nkey of the tests: made of the bytes `hookway tests: no secret at all!`, and another's public half.
const NKEY_SEED: &str = "SUAGQ33PNN3WC6JAORSXG5DTHIQG43ZAONSWG4TFOQQGC5BAMFWGYIKBRE";
const NKEY: &str = "UDES62N32LOYYDG6KINS76M3EQYYB6XXRFGC7JYIPL3NKH5OXFFSLKO7";

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared: ;
        own:
            nats_takes_a_user_with_the_right_password_only,
            nats_takes_an_nkey_that_it_knows,
            nats_over_tls_is_trusted_by_its_authority_only,
            kafka_over_tls_takes_a_scram_user_with_the_right_password_only,
    ]
}

/// Returns the path of a file that `tls/make.sh` made.
fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brokers/tls").join(name)
}

/// Starts Hookway with one sink that may need the variable `BUS_SECRET`.
fn hookway(sink: &str, target: &str, secret: &str) -> Hookway {
    let [hotel, units, rooms] = delivery::SECRETS;
    let config = format!(
        "{}sinks: {{ bus: {{ {sink} }}, kept: {{ journal: {{ dir: kept }} }} }}
routes: [ {{ to: {{ sink: bus, {target}: events }} }} ]\nquarantine: {{ sink: kept }}\n",
        delivery::SOURCES
    );
    Hookway::start(&config, &[hotel, units, rooms, ("BUS_SECRET", secret)])
}

/// Returns the sink of a NATS server with more settings, which makes the stream.
fn nats_sink(url: &str, more: &str) -> String {
    format!("nats: {{ servers: [ \"{url}\" ], stream: EVENTS, create: {{ subjects: [ events ] }}, {more} }}")
}

/// Delivers one event and asserts that it stands in the stream, which `reader` may read.
fn publishes_to_nats(hookway: &Hookway, reader: &str) {
    hookway.until_ready();
    Delivery::reservation("secured", "QWERTYUI-1", 1).accepted(hookway);
    let messages = Nats::at(reader).read("EVENTS", 1);
    assert_eq!(envelope::of_messages(&messages)[0].id(), "secured");
    for secret in [PASSWORD, NKEY_SEED] {
        assert!(!hookway.log().contains(secret), "a secret stands in the log");
    }
}

/// Asserts that Hookway is not ready for `reason`, that its log names the cause, and no secret.
fn is_kept_out(hookway: &Hookway, reason: &str, cause: &str) {
    hookway.until_not_ready_for(reason);
    until(&format!("{cause:?} in the log"), Duration::from_secs(30), || {
        hookway.log().to_lowercase().contains(cause).then_some(())
    });
    assert_eq!(Delivery::reservation("kept-out", "QWERTYUI-1", 1).post(hookway).status, 503);
    let said = hookway.log() + &hookway.get("/readyz?verbose").body + &hookway.get("/metrics").body;
    for secret in [PASSWORD, WRONG, NKEY_SEED] {
        assert!(!said.contains(secret), "a secret is shown");
    }
}

/// Returns a server's address with the user of the tests in it.
fn reader(nats: &Nats) -> String {
    nats.url().replace("nats://", "nats://reader:reads@")
}

fn nats_takes_a_user_with_the_right_password_only(_: &Brokers) {
    let users =
        format!("users: [ {{ user: app, password: \"{PASSWORD}\" }}, {{ user: reader, password: reads }} ]");
    let nats = Nats::start_with(&format!("authorization {{ {users} }}"));
    let sink = nats_sink(nats.url(), "user: app, password: env:BUS_SECRET");
    is_kept_out(&hookway(&sink, "subject", WRONG), "no connection to", "authorization violation");
    publishes_to_nats(&hookway(&sink, "subject", PASSWORD), &reader(&nats));
}

fn nats_takes_an_nkey_that_it_knows(_: &Brokers) {
    let users = format!("users: [ {{ nkey: {NKEY} }}, {{ user: reader, password: reads }} ]");
    let nats = Nats::start_with(&format!("authorization {{ {users} }}"));
    is_kept_out(
        &hookway(&nats_sink(nats.url(), ""), "subject", ""),
        "no connection to",
        "authorization violation",
    );
    publishes_to_nats(
        &hookway(&nats_sink(nats.url(), "nkey: env:BUS_SECRET"), "subject", NKEY_SEED),
        &reader(&nats),
    );
}

fn nats_over_tls_is_trusted_by_its_authority_only(_: &Brokers) {
    let (own, key) = (certificate("server.pem"), certificate("server.key"));
    let users =
        format!("users: [ {{ user: app, password: \"{PASSWORD}\" }}, {{ user: reader, password: reads }} ]");
    // The tests' reader comes without TLS; an address with `tls://` insists on it.
    let nats = Nats::start_with(&format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\" }}\nallow_non_tls: true\nauthorization {{ {users} }}",
        own.display(),
        key.display()
    ));
    let url = nats.url().replace("nats://", "tls://");
    let sink = |ca: &str| {
        let ca = certificate(ca);
        nats_sink(&url, &format!("user: app, password: env:BUS_SECRET, tls: {{ ca: \"{}\" }}", ca.display()))
    };
    let unknown = "IO error: invalid peer certificate: UnknownIssuer";
    is_kept_out(&hookway(&sink("other-ca.pem"), "subject", PASSWORD), unknown, "unknownissuer");
    publishes_to_nats(&hookway(&sink("ca.pem"), "subject", PASSWORD), &reader(&nats));
}

fn kafka_over_tls_takes_a_scram_user_with_the_right_password_only(_: &Brokers) {
    let home = process::home("keystore");
    let keystore = home.path().join("server.pem");
    let read = |name: &str| std::fs::read_to_string(certificate(name)).expect("the certificate is there");
    std::fs::write(&keystore, read("server.key") + &read("server.pem"))
        .expect("the key store can be written");
    let [open, scram, controller] = ports::pick();
    let listeners =
        format!("OPEN://127.0.0.1:{open},SCRAM://127.0.0.1:{scram},CONTROLLER://127.0.0.1:{controller}");
    let _node = Kafka::start_with(&[
        ("listeners", &listeners),
        ("controller.quorum.bootstrap.servers", &format!("127.0.0.1:{controller}")),
        ("listener.security.protocol.map", "OPEN:PLAINTEXT,SCRAM:SASL_SSL,CONTROLLER:PLAINTEXT"),
        ("inter.broker.listener.name", "OPEN"),
        ("listener.name.scram.sasl.enabled.mechanisms", "SCRAM-SHA-256"),
        (
            "listener.name.scram.scram-sha-256.sasl.jaas.config",
            "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        ),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", &keystore.display().to_string()),
    ]);
    let kafka = Kafka::at(&format!("127.0.0.1:{open}"));
    kafka.create_topic("events", 1);
    add_scram_user(&kafka);
    let sink = |ca: &str| {
        format!(
            "kafka: {{ brokers: [ \"127.0.0.1:{scram}\" ], options: {{ security.protocol: SASL_SSL, \
             sasl.mechanism: SCRAM-SHA-256, sasl.username: app, sasl.password: env:BUS_SECRET, ssl.ca.location: \"{}\" }} }}",
            certificate(ca).display()
        )
    };
    let refuses = "sink.bus failed: the destination refuses us";
    is_kept_out(&hookway(&sink("ca.pem"), "topic", WRONG), refuses, "authentication failed");
    is_kept_out(&hookway(&sink("other-ca.pem"), "topic", PASSWORD), refuses, "certificate verify failed");

    let hookway = hookway(&sink("ca.pem"), "topic", PASSWORD);
    hookway.until_ready();
    Delivery::reservation("secured", "QWERTYUI-1", 1).accepted(&hookway);
    assert_eq!(envelope::of_records(&kafka.read("events", 1))[0].id(), "secured");
    assert!(!hookway.log().contains(PASSWORD), "a secret stands in the log");
}

/// Makes the user `app` by Kafka's own program.
fn add_scram_user(kafka: &Kafka) {
    let mut tool = Command::new("java");
    tool.arg("-cp").arg(python::provided("kafka/lib").join("*")).arg("kafka.admin.ConfigCommand");
    tool.args([
        "--bootstrap-server",
        kafka.bootstrap(),
        "--alter",
        "--entity-type",
        "users",
        "--entity-name",
        "app",
    ]);
    tool.args(["--add-config", &format!("SCRAM-SHA-256=[password={PASSWORD}]")]);
    let finished = process::run(&tool, b"", Duration::from_mins(1));
    assert!(finished.status.success(), "{}{}", finished.output, finished.errors);
}

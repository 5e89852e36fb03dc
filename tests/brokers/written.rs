//! The configuration that the documentation shows, as it is written there: only ports, addresses and paths are
//! replaced. It starts, and each event goes where its routes say.

use std::path::Path;

use crate::Case;
use crate::delivery::{Delivery, SECRETS};
use crate::envelope;
use crate::hookway::Hookway;
use crate::support::brokers::Brokers;
use crate::support::process;

const WRITTEN: &str = r#"listen: 0.0.0.0:8080              # webhooks: POST /hooks/{source}
admin:  127.0.0.1:9090            # metrics, health
sources:
  hotel: { preset: likemagic, secrets: [ env:LIKEMAGIC_SECRET, file:/run/secrets/likemagic-next ] }
  units: { preset: propexo,   secrets: [ file:/run/secrets/propexo ] }
  rooms: { preset: syncaroo,  secrets: [ env:SYNCAROO_KEY ], verify: { algorithm: hmac-sha256 } }   # the vendor does not say: the operator must
sinks:
  bus:    { kafka: { brokers: [ localhost:9092 ], options: { compression.type: zstd } } }      # any librdkafka setting
  stream: { nats: { servers: [ nats://localhost:4222 ], stream: WEBHOOKS } }
  kept:   { journal: { dir: /var/lib/hookway/kept } }
routes:                           # first match wins
  - match: { source: hotel, type: "tech.likemagic.RESERVATION_*" }
    to:    { sink: bus, topic: hotel.reservations }
  - match: { source: units }
    to:    [ { sink: bus, topic: units }, { sink: stream, subject: "webhooks.units.{key}" } ]
  - match: { source: "*" }
    to:    { sink: stream, subject: "webhooks.{source}.{object}.{key}" }
quarantine: { sink: kept }        # authentic, but it can't be mapped or published
spool: { dir: /var/lib/hookway/spool, max_bytes: 8GiB }     # absent: level `strict`
"#;

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            the_configuration_as_written_starts_and_routes_as_it_says;
        own:
    ]
}

fn the_configuration_as_written_starts_and_routes_as_it_says(brokers: &Brokers) {
    let (kafka, nats) = (brokers.kafka(), brokers.nats());
    kafka.create_topic("hotel.reservations", 3);
    kafka.create_topic("units", 3);
    nats.create_stream("WEBHOOKS", &["webhooks.>"]);
    let home = process::home("written");
    let hookway = start(brokers, home.path());
    Delivery::reservation("checked-in", "QWERTYUI-1", 1).accepted(&hookway);
    let mut next = Delivery::reservation("by-the-next-secret", "QWERTYUI-1", 2);
    "the next secret of the hotel".clone_into(&mut next.headers[0].1);
    next.accepted(&hookway);
    Delivery::hotel(
        r#"{"id":"booked","objectId":"QWERTYUI","objectType":"BOOKING","topic":"BOOKING_CREATED"}"#,
    )
    .accepted(&hookway);
    let unit = Delivery::units(
        r#"{"event":"DATA_NEW","object":"residents","record_id":"rec_77","integration_id":"int_1"}"#,
    );
    let unit = unit.accepted(&hookway);
    let room = r#"{"connectionId":555,"webhookType":"data","metaData":{"syncarooId":"61c1*1*2","attributeType":"bookings","apiUrl":"https://app.syncaroo.com/api/v1/555"}}"#;
    let room = Delivery::rooms(room).accepted(&hookway);
    Delivery::hotel("not JSON").accepted(&hookway);

    let ids = |topic: &str, expected: usize| -> Vec<String> {
        let envelopes = envelope::of_records(&kafka.read(topic, expected));
        envelopes.iter().map(|envelope| envelope.id().to_owned()).collect()
    };
    assert_eq!(ids("hotel.reservations", 2), ["checked-in", "by-the-next-secret"]);
    assert_eq!(ids("units", 1), [unit.as_str()]);
    let messages = nats.read("WEBHOOKS", 3);
    let envelopes = envelope::of_messages(&messages);
    let seen: Vec<_> = messages
        .iter()
        .zip(&envelopes)
        .map(|(message, envelope)| (message.subject.as_str(), envelope.id()))
        .collect();
    assert_eq!(
        seen,
        [
            ("webhooks.hotel.BOOKING.BOOKING%3AQWERTYUI", "booked"),
            ("webhooks.units.residents%3Arec_77", unit.as_str()),
            ("webhooks.rooms.bookings.555%3A61c1%2A1%2A2", room.as_str()),
        ]
    );
    let kept = envelope::of_journal(&home.path().join("data/kept"));
    assert_eq!(kept.iter().map(|envelope| envelope.text("hookwayreason")).collect::<Vec<_>>(), ["malformed"]);
    for topic in ["hotel.reservations", "units"] {
        kafka.delete_topic(topic);
    }
    nats.delete_stream("WEBHOOKS");
}

/// Starts Hookway with the configuration as written, its secrets and data below `home`.
fn start(brokers: &Brokers, home: &Path) -> Hookway {
    let (secrets, data) = (home.join("secrets"), home.join("data"));
    std::fs::create_dir(&secrets).expect("a folder can be made");
    std::fs::write(secrets.join("likemagic-next"), "the next secret of the hotel\n")
        .expect("a secret can be written");
    std::fs::write(secrets.join("propexo"), format!("{}\n", SECRETS[1].1)).expect("a secret can be written");
    let mut config = WRITTEN.to_owned();
    for (written, here) in [
        ("0.0.0.0:8080", "127.0.0.1:0".to_owned()),
        ("127.0.0.1:9090", "127.0.0.1:0".to_owned()),
        ("/run/secrets", secrets.display().to_string()),
        ("/var/lib/hookway", data.display().to_string()),
        ("localhost:9092", format!("\"{}\"", brokers.kafka().bootstrap())),
        ("nats://localhost:4222", format!("\"{}\"", brokers.nats().url())),
    ] {
        assert!(config.contains(written), "{written}");
        config = config.replace(written, &here);
    }
    let environment = [("LIKEMAGIC_SECRET", SECRETS[0].1), ("SYNCAROO_KEY", SECRETS[2].1)];
    let hookway = Hookway::start_as_written(&config, &environment);
    hookway.until_ready();
    hookway
}

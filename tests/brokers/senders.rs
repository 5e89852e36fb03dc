//! Each of the first three senders, end to end: one delivery stands in Kafka, JetStream and the journal, in both
//! forms, and is what an independent reader, the schema and the official CloudEvents SDK say it should be.

use ::hookway::journal::Reader;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::Case;
use crate::delivery::{self, Delivery};
use crate::envelope::{self, Envelope};
use crate::hookway::Hookway;
use crate::support::brokers::Brokers;
use crate::support::{kafka, nats, python};

const CHECKED_IN: &str = r#"{"id":"0b0f3d0e-52c7-4a55-9d53-0d6a6a3f4c11","objectId":"QWERTYUI-1","objectType":"RESERVATION",
 "topic":"RESERVATION_CHECKED_IN","actorId":"991","actorType":"PRIMARY_GUEST","eventSource":"KIOSK",
 "pmsPropertyId":"ZRH1","timestamp":"2025-11-03T14:02:11.482913Z",
 "context":{"checkedInBy":"KIOSK","userProfileId":4711,"big":12345678901234567890,"exact":1.10,"name":"Zo\u00eb 🛎"}}"#;

const DATA_NEW: &str = r#"{"context":{"property_id":"prop_1"},"event":"DATA_NEW","integration_id":"int_1","job_id":"job_9","job_type":"READ_RESIDENTS",
 "meta":{"integration_id":"int_1","object":"residents"},"object":"residents","payload":{"first_name":"Ana"},
 "record_id":"rec_77","root_job_id":"root_9","vendor":"ENTRATA"}"#;

const DATA_UPDATE: &str = r#"{"trigger":"DATA_UPDATE","data":{"event":"DATA_UPDATE","object":"leases","record_id":"rec_5","integration_id":"int_1",
 "job_id":"job_10","root_job_id":"root_9","job_type":"READ_LEASES","vendor":"RESMAN",
 "diff":{"new":{"status":"approved"},"previous":{"status":"pending"}}},"meta":{"integration_id":"int_1","object":"leases"}}"#;

const SYNC_COMPLETE: &str = r#"{"event":"SYNC_COMPLETE","failed_job_count":0,"integration_id":"int_1","is_sync_finished":true,"job_schedule_id":null,
 "successful_job_count":12,"vendor":"YARDI"}"#;

const WRITE_FAILURE: &str = r#"{"trigger":"WRITE_OPERATION_FAILURE","data":{"event":"WRITE_OPERATION_FAILURE","integration_id":"int_1","vendor":"RESMAN",
 "root_job_id":"root_2","write_status":"FAILURE","errors":["lease is closed"]}}"#;

const BOOKING: &str = r#"{"connectionId":555,"webhookType":"data","locationId":"11980","metaData":{"syncarooId":"61c18cf515e22a061cf589b1*1640124000000*1640125800000","resourceType":"meeting-room","resourceId":"78430","attributeType":"bookings","apiUrl":"https:\/\/app.syncaroo.com\/api\/v1\/555\/locations\/L1\/resources\/R1\/bookings\/61c18cf515e22a061cf589b1*1640124000000*1640125800000"}}"#;

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            an_event_of_likemagic_stands_in_every_sink_in_both_forms,
            events_of_propexo_stand_in_every_sink_in_both_forms,
            an_event_of_syncaroo_stands_in_every_sink_in_both_forms;
        own:
    ]
}

fn an_event_of_likemagic_stands_in_every_sink_in_both_forms(brokers: &Brokers) {
    let expected = json!({
        "id": "0b0f3d0e-52c7-4a55-9d53-0d6a6a3f4c11", "source": "/likemagic/hotel",
        "type": "tech.likemagic.RESERVATION_CHECKED_IN", "subject": "RESERVATION/QWERTYUI-1",
        "time": "2025-11-03T14:02:11.482913Z", "partitionkey": "RESERVATION:QWERTYUI-1",
        "hookwaysource": "hotel", "hookwayverified": "secret",
    });
    let token = "hotel.RESERVATION.RESERVATION%3AQWERTYUI-1";
    let everywhere = Everywhere::start(brokers);
    everywhere.holds(&Delivery::hotel(CHECKED_IN), &expected, token);
    // A name as long as names of files are, and a time that is written elsewhere than in UTC.
    let (id, name) = ("0b0f3d0e-52c7-4a55-9d53-0d6a6a3f4c12", "x".repeat(1_900));
    let body = CHECKED_IN.replace("0b0f3d0e-52c7-4a55-9d53-0d6a6a3f4c11", id).replace("QWERTYUI-1", &name);
    let body = body.replace("14:02:11.482913Z", "15:02:11.482913+01:00");
    let mut long = expected;
    long["id"] = json!(id);
    long["subject"] = json!(format!("RESERVATION/{name}"));
    long["partitionkey"] = json!(format!("RESERVATION:{name}"));
    everywhere.holds(&Delivery::hotel(&body), &long, &format!("hotel.RESERVATION.RESERVATION%3A{name}"));
}

fn events_of_propexo_stand_in_every_sink_in_both_forms(brokers: &Brokers) {
    let everywhere = Everywhere::start(brokers);
    let expected = |id: &str, kind: &str, subject: &str, key: &str| {
        let mut expected = json!({
            "source": "/propexo/units/int_1", "type": format!("com.propexo.{kind}"), "subject": subject,
            "partitionkey": key, "timesource": "receipt", "hookwaysource": "units", "hookwayverified": "signature",
        });
        if !id.is_empty() {
            expected["id"] = json!(id);
        }
        expected
    };
    let digest = |body: &str| format!("sha256:{}", hex::encode(<sha2::Sha256 as sha2::Digest>::digest(body)));
    let new = expected(&digest(DATA_NEW), "DATA_NEW", "residents/rec_77", "residents:rec_77");
    everywhere.holds(&Delivery::units(DATA_NEW), &new, "units.residents.residents%3Arec_77");
    let update = expected(&digest(DATA_UPDATE), "DATA_UPDATE", "leases/rec_5", "leases:rec_5");
    everywhere.holds(&Delivery::units(DATA_UPDATE), &update, "units.leases.leases%3Arec_5");
    let failure = expected(&digest(WRITE_FAILURE), "WRITE_OPERATION_FAILURE", "jobs/root_2", "int_1:root_2");
    everywhere.holds(&Delivery::units(WRITE_FAILURE), &failure, "units.jobs.int_1%3Aroot_2");
    // Two syncs with equal bodies are two events: the ids are minted, and neither is suppressed.
    let sync = expected("", "SYNC_COMPLETE", "schedules/manual", "int_1:manual");
    everywhere.holds(&Delivery::units(SYNC_COMPLETE), &sync, "units.schedules.int_1%3Amanual");
    everywhere.holds(&Delivery::units(SYNC_COMPLETE), &sync, "units.schedules.int_1%3Amanual");
}

fn an_event_of_syncaroo_stands_in_every_sink_in_both_forms(brokers: &Brokers) {
    let id = "61c18cf515e22a061cf589b1*1640124000000*1640125800000";
    let expected = json!({
        "source": "/syncaroo/rooms/555", "type": "com.syncaroo.data.bookings.changed",
        "subject": format!("meeting-room/{id}"), "partitionkey": format!("555:{id}"), "timesource": "receipt",
        "hookwaysource": "rooms", "hookwayverified": "signature",
    });
    let token = "rooms.meeting-room.555%3A61c18cf515e22a061cf589b1%2A1640124000000%2A1640125800000";
    Everywhere::start(brokers).holds(&Delivery::rooms(BOOKING), &expected, token);
}

/// A Hookway that publishes each event six times: to each kind of sink, structured and binary.
struct Everywhere<'a> {
    brokers: &'a Brokers,
    hookway: Hookway,
    topics: [String; 2],
    streams: [String; 2],
    accepted: std::cell::Cell<usize>,
}

impl<'a> Everywhere<'a> {
    fn start(brokers: &'a Brokers) -> Self {
        let topics = ["structured", "binary"].map(|form| brokers.name(form));
        let streams = ["STRUCTURED", "BINARY"].map(|form| brokers.name(form));
        for topic in &topics {
            brokers.kafka().create_topic(topic, 3);
        }
        for stream in &streams {
            brokers.nats().create_stream(stream, &[&format!("{stream}.>")]);
        }
        let (mut sinks, mut targets) = (String::new(), String::new());
        for (at, form) in ["structured", "binary"].into_iter().enumerate() {
            let (bootstrap, url) = (brokers.kafka().bootstrap(), brokers.nats().url());
            let (topic, stream) = (&topics[at], &streams[at]);
            sinks.extend([format!(
                "  kafka-{form}: {{ kafka: {{ brokers: [ \"{bootstrap}\" ], format: {form} }} }}
  nats-{form}: {{ nats: {{ servers: [ \"{url}\" ], stream: {stream}, format: {form} }} }}
  journal-{form}: {{ journal: {{ dir: {form}, format: {form} }} }}
"
            )]);
            targets.extend([format!(
                "      - {{ sink: kafka-{form}, topic: {topic} }}
      - {{ sink: nats-{form}, subject: \"{stream}.{{source}}.{{object}}.{{key}}\" }}
      - {{ sink: journal-{form} }}
"
            )]);
        }
        let rest = format!(
            "sinks:\n{sinks}  kept: {{ journal: {{ dir: kept }} }}\nroutes:\n  - to:\n{targets}quarantine: {{ sink: kept }}\n"
        );
        let hookway = delivery::hookway(&rest);
        hookway.until_ready();
        Self { brokers, hookway, topics, streams, accepted: std::cell::Cell::new(0) }
    }

    /// Delivers, and holds the newest record of every sink to what is expected.
    fn holds(&self, delivery: &Delivery, expected: &Value, subject: &str) {
        let id = delivery.accepted(&self.hookway);
        self.accepted.set(self.accepted.get() + 1);
        let body = str::from_utf8(&delivery.body).expect("the body is text");
        let (mut messages, envelopes) = self.structured(subject);
        for envelope in &envelopes {
            assert_eq!(envelope.data, body, "the sender's bytes survive");
            check(&envelope.attributes, expected, &id);
        }
        messages.extend(self.binary(subject, body));
        let data: Value = body.parse().expect("the body is JSON");
        for understood in python::validated(&messages) {
            check(&understood.attributes, expected, &id);
            assert_eq!(understood.data, data);
        }
        assert!(envelope::of_journal(&self.hookway.home().join("kept")).is_empty(), "nothing is quarantined");
    }

    /// Returns the newest structured record of each sink, as the SDK takes it and as the schema holds it.
    fn structured(&self, subject: &str) -> (Vec<Value>, Vec<Envelope>) {
        let (records, messages) = (self.records(0), self.messages(0));
        let journal = envelope::of_journal(&self.hookway.home().join("structured"));
        assert_eq!(journal.len(), self.accepted.get());
        let (record, message) = (newest(&records), messages.last().expect("a message"));
        assert_eq!(message.subject, format!("{}.{subject}", self.streams[0]));
        let envelopes = vec![
            envelope::of_records(std::slice::from_ref(record)).remove(0),
            envelope::of_messages(std::slice::from_ref(message)).remove(0),
            journal.last().expect("an envelope").clone(),
        ];
        assert_eq!((&envelopes[0], &envelopes[0]), (&envelopes[1], &envelopes[2]));
        let of_record = json!({"headers": texts(&record.headers), "key": text(record.key.as_deref()), "value": STANDARD.encode(&record.value)});
        let of_message = json!({"headers": {}, "key": null, "value": STANDARD.encode(&message.payload)});
        (vec![of_record, of_message], envelopes)
    }

    /// Returns the newest binary record of each sink, as the SDK takes it.
    fn binary(&self, subject: &str, body: &str) -> Vec<Value> {
        let (records, messages) = (self.records(1), self.messages(1));
        let (record, message) = (newest(&records), messages.last().expect("a message"));
        assert_eq!(message.subject, format!("{}.{subject}", self.streams[1]));
        assert_eq!((record.value.as_slice(), message.payload.as_slice()), (body.as_bytes(), body.as_bytes()));
        let mut reader =
            Reader::open(&self.hookway.home().join("binary"), 0).expect("the journal can be read");
        let entries = std::iter::from_fn(|| reader.read().expect("the journal can be read"));
        let entry = entries.last().expect("a record").record;
        assert_eq!(entry.value, body.as_bytes());
        let kept: Map<_, _> =
            entry.headers.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
        assert_eq!(kept, texts(&record.headers), "the journal keeps what Kafka is given");
        let key = text(record.key.as_deref());
        assert_eq!(key, json!(entry.key));
        let of_message: Map<_, _> =
            message.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let value = STANDARD.encode(body);
        vec![
            json!({"headers": kept, "key": key, "value": value}),
            json!({"headers": of_message, "key": key, "value": value}),
        ]
    }

    fn records(&self, at: usize) -> Vec<kafka::Record> {
        let records = self.brokers.kafka().read(&self.topics[at], self.accepted.get());
        assert_eq!(records.len(), self.accepted.get());
        records
    }

    fn messages(&self, at: usize) -> Vec<nats::Message> {
        let messages = self.brokers.nats().read(&self.streams[at], self.accepted.get());
        assert_eq!(messages.len(), self.accepted.get());
        messages
    }
}

/// Returns the record that was received last.
fn newest(records: &[kafka::Record]) -> &kafka::Record {
    records.iter().max_by_key(|record| record.timestamp_ms).expect("a record")
}

/// Holds all attributes to those expected; what differs from run to run is held to its form.
fn check(attributes: &Map<String, Value>, expected: &Value, id: &str) {
    let mut expected = expected.as_object().expect("an object").clone();
    for (name, value) in [
        ("specversion", "1.0"),
        ("datacontenttype", "application/json"),
        ("hookwayreplica", "test"),
        ("hookwaypath", "direct"),
    ] {
        expected.insert(name.to_owned(), json!(value));
    }
    let recorded = attributes["recordedtime"].as_str().expect("a text");
    assert!(recorded.parse::<jiff::Timestamp>().is_ok() && recorded.ends_with('Z'), "{recorded}");
    expected.insert("recordedtime".to_owned(), json!(recorded));
    expected.entry("time").or_insert_with(|| json!(recorded));
    expected.entry("id").or_insert_with(|| {
        assert_eq!(uuid::Uuid::parse_str(id).expect("a minted id is a UUID").get_version_num(), 7);
        json!(id)
    });
    assert_eq!(expected["id"], id, "the answer names the event");
    // The SDK reads times and writes them again: the instant counts, not the zeros at its end.
    let (mut seen, time) = (attributes.clone(), |value: &Value| {
        value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok())
    });
    assert_eq!(
        time(&seen["time"]).map(jiff::Timestamp::as_microsecond),
        time(&expected["time"]).map(jiff::Timestamp::as_microsecond)
    );
    seen.insert("time".to_owned(), expected["time"].clone());
    assert_eq!(seen, expected);
}

fn texts(headers: &[(String, Vec<u8>)]) -> Map<String, Value> {
    headers.iter().map(|(name, value)| (name.clone(), text(Some(value)))).collect()
}

fn text(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| json!(str::from_utf8(bytes).expect("it is text")))
}

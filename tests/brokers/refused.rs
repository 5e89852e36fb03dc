//! What must not get through, and what must not be lost: after a set of bad and odd requests, topic, stream and
//! quarantine hold exactly what they should and nothing else.

use serde_json::{Value, json};

use crate::Case;
use crate::delivery::{self, Delivery, reservation};
use crate::envelope::{self, Envelope};
use crate::hookway::Hookway;
use crate::hookway::http::Answer;
use crate::support::brokers::Brokers;

pub(crate) fn cases() -> Vec<Case> {
    crate::cases![
        shared:
            a_request_that_proves_nothing_leaves_no_trace_on_kafka,
            a_request_that_proves_nothing_leaves_no_trace_on_nats,
            what_is_authentic_and_odd_is_quarantined_with_its_reason_on_kafka,
            what_is_authentic_and_odd_is_quarantined_with_its_reason_on_nats;
        own:
    ]
}

/// Where a case publishes: events and quarantine beside each other on one broker.
struct Place<'a> {
    brokers: &'a Brokers,
    on_kafka: bool,
    events: String,
    quarantine: String,
}

impl<'a> Place<'a> {
    fn kafka(brokers: &'a Brokers) -> Self {
        let place =
            Self { brokers, on_kafka: true, events: brokers.name("events"), quarantine: brokers.name("odd") };
        brokers.kafka().create_topic(&place.events, 3);
        brokers.kafka().create_topic(&place.quarantine, 1);
        place
    }

    fn nats(brokers: &'a Brokers) -> Self {
        let place = Self {
            brokers,
            on_kafka: false,
            events: brokers.name("EVENTS"),
            quarantine: brokers.name("ODD"),
        };
        for stream in [&place.events, &place.quarantine] {
            brokers.nats().create_stream(stream, &[&format!("{stream}.>")]);
        }
        place
    }

    /// Starts Hookway: all of `hotel` but folios is published, folios are dropped, `units` has no route unless
    /// it is about residents, and so `rooms` has none at all unless allow-lists are met.
    fn hookway(&self) -> Hookway {
        let (sinks, quarantined, target): (_, _, fn(&str) -> String) = if self.on_kafka {
            let bootstrap = self.brokers.kafka().bootstrap();
            let sink = format!("  bus: {{ kafka: {{ brokers: [ \"{bootstrap}\" ] }} }}\n");
            (sink, "bus", |place| format!("topic: {place}"))
        } else {
            let sink = |name: &str, stream: &str| {
                let url = self.brokers.nats().url();
                format!("  {name}: {{ nats: {{ servers: [ \"{url}\" ], stream: {stream} }} }}\n")
            };
            let sinks = sink("bus", &self.events) + &sink("odd", &self.quarantine);
            (sinks, "odd", |place| format!("subject: \"{place}.all\""))
        };
        let hookway = delivery::hookway(&format!(
            "sinks:\n{sinks}routes:
  - {{ match: {{ object: FOLIO }}, to: drop }}
  - {{ match: {{ source: hotel }}, to: {{ sink: bus, {events} }} }}
  - {{ match: {{ source: units, object: residents }}, to: {{ sink: bus, {events} }} }}
  - {{ match: {{ source: rooms }}, to: {{ sink: bus, {events} }} }}
quarantine: {{ sink: {quarantined}, {odd} }}\n",
            events = target(&self.events),
            odd = target(&self.quarantine),
        ));
        hookway.until_ready();
        hookway
    }

    /// Returns all that stands in the events' place and in the quarantine, in any order.
    fn holds(&self, events: usize, quarantined: usize) -> (Vec<Envelope>, Vec<Envelope>) {
        let read = |place: &str, expected| {
            if self.on_kafka {
                envelope::of_records(&self.brokers.kafka().read(place, expected))
            } else {
                envelope::of_messages(&self.brokers.nats().read(place, expected))
            }
        };
        let both = (read(&self.events, events), read(&self.quarantine, quarantined));
        assert_eq!((both.0.len(), both.1.len()), (events, quarantined), "{both:#?}");
        both
    }
}

fn a_request_that_proves_nothing_leaves_no_trace_on_kafka(brokers: &Brokers) {
    a_request_that_proves_nothing_leaves_no_trace(&Place::kafka(brokers));
}

fn a_request_that_proves_nothing_leaves_no_trace_on_nats(brokers: &Brokers) {
    a_request_that_proves_nothing_leaves_no_trace(&Place::nats(brokers));
}

fn a_request_that_proves_nothing_leaves_no_trace(place: &Place<'_>) {
    let hookway = place.hookway();
    let good = Delivery::reservation("good", "QWERTYUI-1", 1);
    let unit =
        Delivery::units(r#"{"event":"DATA_NEW","object":"residents","record_id":"r","integration_id":"i"}"#);
    let room = Delivery::rooms(
        r#"{"connectionId":1,"webhookType":"data","metaData":{"syncarooId":"s","attributeType":"a"}}"#,
    );
    let changed = |delivery: &Delivery, change: fn(&mut Delivery)| {
        let mut changed = delivery.clone();
        change(&mut changed);
        changed.post(&hookway)
    };
    let unproven = [
        changed(&good, |delivery| delivery.headers[0].1.push('x')),
        changed(&good, |delivery| drop(delivery.headers.remove(0))),
        changed(&good, |delivery| delivery.headers.push(delivery.headers[0].clone())),
        changed(&unit, |delivery| delivery.body[3] ^= 1),
        changed(&unit, |delivery| delivery.body.push(b'\n')),
        changed(&unit, |delivery| drop(delivery.headers.remove(0))),
        changed(&unit, |delivery| delivery.headers[0].1.truncate(7)),
        changed(&room, |delivery| delivery.body[17] = b'2'),
        changed(&room, |delivery| delivery.body = br#"{"connectionId":1}"#.to_vec()),
        changed(&room, |delivery| delivery.body.truncate(40)),
    ];
    for answer in &unproven {
        assert_eq!((answer.status, &answer.body), (401, &unproven[0].body), "every 401 looks the same");
        assert_eq!(answer.header("retry-after"), None);
    }
    let code = |answer: &Answer| {
        let body: Value = answer.body.parse().unwrap_or_else(|error| panic!("{error} in {answer:?}"));
        (answer.status, body["code"].as_str().expect("a public code").to_owned())
    };
    let refused = |status: u16, name: &str| (status, name.to_owned());
    assert_eq!(code(&unproven[0]), refused(401, "signature_invalid"));
    let unknown = changed(&good, |delivery| delivery.path.push('s'));
    assert_eq!(code(&unknown), refused(404, "source_unknown"));
    let huge = changed(&good, |delivery| delivery.body = vec![b' '; (512 << 10) + 1]);
    assert_eq!(code(&huge), refused(413, "body_too_large"));
    let packed = changed(&good, |delivery| delivery.headers.push(("Content-Encoding".into(), "gzip".into())));
    assert_eq!(code(&packed), refused(415, "encoding_unsupported"));

    assert_eq!(good.accepted(&hookway), "good");
    let (events, _) = place.holds(1, 0);
    assert_eq!((events[0].id(), events[0].data.as_bytes()), ("good", good.body.as_slice()));
    let log = hookway.log();
    for (_, secret) in delivery::SECRETS {
        assert!(!log.contains(secret), "a secret stands in the log");
    }
}

fn what_is_authentic_and_odd_is_quarantined_with_its_reason_on_kafka(brokers: &Brokers) {
    what_is_authentic_and_odd_is_quarantined_with_its_reason(&Place::kafka(brokers));
}

fn what_is_authentic_and_odd_is_quarantined_with_its_reason_on_nats(brokers: &Brokers) {
    what_is_authentic_and_odd_is_quarantined_with_its_reason(&Place::nats(brokers));
}

fn what_is_authentic_and_odd_is_quarantined_with_its_reason(place: &Place<'_>) {
    let hookway = place.hookway();
    let body = |change: fn(&mut Value)| {
        let mut body = reservation("odd", "QWERTYUI-1", 1);
        change(&mut body);
        Delivery::hotel(&body.to_string())
    };
    let room = r#"{"connectionId":1,"webhookType":"data","metaData":{"syncarooId":"s","attributeType":"resources","apiUrl":"https://app.syncaroo.com.evil.example/x"}}"#;
    let twice =
        reservation("odd", "QWERTYUI-1", 1).to_string().replacen('{', r#"{"objectId":"QWERTYUI-2","#, 1);
    let old = r#"{"integration_id":"int_1","successful_job_count":12,"failed_job_count":0,"is_sync_finished":true,"vendor":"YARDI"}"#;
    let lease = r#"{"event":"DATA_NEW","object":"leases","record_id":"rec_5","integration_id":"int_1"}"#;
    let odd = [
        ("malformed", Delivery::hotel(r#"{"id":"odd","objectId":"#)),
        ("malformed", Delivery::units("not JSON at all")),
        ("malformed", Delivery::hotel("")),
        ("malformed", body(|body| body["objectId"] = json!("new\nline"))),
        ("malformed", body(|body| body["objectId"] = json!("x".repeat(5000)))),
        ("unrecognized", body(|body| drop(body.as_object_mut().expect("an object").remove("objectId")))),
        ("unrecognized", body(|body| body["topic"] = json!(null))),
        ("unrecognized", body(|body| body["id"] = json!(""))),
        ("unrouted", Delivery::units(old)),
        ("unrecognized", Delivery::hotel("[]")),
        ("ambiguous", Delivery::hotel(&twice)),
        ("not_allowed", Delivery::rooms(room)),
        ("unrouted", Delivery::units(lease)),
    ];
    for (_, delivery) in &odd {
        delivery.accepted(&hookway);
    }
    body(|body| body["objectType"] = json!("FOLIO")).accepted(&hookway);
    let unknown = body(|body| (body["topic"], body["id"]) = (json!("SOMETHING_NEW"), json!("new")));
    unknown.accepted(&hookway);

    let (events, mut quarantined) = place.holds(1, odd.len());
    assert_eq!(events[0].text("type"), "tech.likemagic.SOMETHING_NEW");
    assert_eq!((events[0].text("hookwayreason"), events[0].data.as_bytes()), ("", unknown.body.as_slice()));
    for (reason, delivery) in &odd {
        let at = quarantined.iter().position(|envelope| bytes(envelope) == delivery.body);
        let envelope = quarantined.swap_remove(at.unwrap_or_else(|| panic!("lost: {reason} {delivery:?}")));
        assert_eq!(envelope.text("hookwayreason"), *reason, "{envelope:?}");
        assert!(!envelope.text("hookwaydetail").is_empty() && !envelope.text("recordedtime").is_empty());
        let headers = envelope.text("hookwayheaders");
        assert!(headers.contains("content-type") && !headers.contains(delivery::SECRETS[0].1), "{headers}");
        assert_eq!(format!("/hooks/{}", envelope.text("hookwaysource")), delivery.path);
    }
    let count = |name: &str| hookway.metric(name, &[]);
    assert!((count("hookway_events_quarantined_total") - 13.0).abs() < 0.5);
    assert!((count("hookway_events_filtered_total") - 1.0).abs() < 0.5);
    assert!((count("hookway_events_published_total") - 1.0).abs() < 0.5);
    assert!(count("hookway_unaccounted_events").abs() < 0.5);
}

/// Returns the sender's body, whether it stands there as JSON or as base64.
fn bytes(envelope: &Envelope) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    match envelope.attributes.get("data_base64") {
        Some(_) => STANDARD.decode(envelope.text("data_base64")).expect("it is base64"),
        None => envelope.data.clone().into_bytes(),
    }
}

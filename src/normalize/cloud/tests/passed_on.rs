//! What one Hookway publishes another takes: an envelope that comes back as a `CloudEvent`, in either mode, says of the event what
//! was said of it before. A consumer with any library for `CloudEvents` reads the same.

use super::{cloud, delivery, reason};
use crate::{
    clock::EventTime,
    event::{
        Event, Identity,
        envelope::{Binding, Origin, STRUCTURED_TYPE, binary_headers, structured},
    },
    verify::Assurance,
};
use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;

const ORIGIN: Origin<'_> = Origin { replica: "node-1", path: "direct" };

/// Text that an attribute may hold: no control characters, nothing that Unicode calls no character.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![r"[ -~]{1,24}", r#"["\\%:/ \u{e9}\u{1F600}\u{2028}]{1,8}"#, r"\PC{1,16}",].prop_filter(
        "no character is none",
        |text| {
            // A header's value loses its blanks at both ends, and an empty attribute is none.
            text.trim_ascii() == text
                && !text.is_empty()
                && text.chars().all(|c| {
                    !c.is_control()
                        && u32::from(c) & 0xfffe != 0xfffe
                        && !('\u{fdd0}'..='\u{fdef}').contains(&c)
                })
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let optional = || prop::option::of(text());
    let time = prop::option::of((0..4_000_000_000_i64, 0..1_000_000_000_i32));
    (text(), text(), optional(), optional(), time, ".{0,24}").prop_map(
        |(id, kind, subject, key, time, data)| Event {
            id,
            identity: Identity::Bytes,
            id_conflicts: false,
            in_turn: false,
            source: "/likemagic/hotel".into(),
            source_name: "hotel".into(),
            kind,
            subject,
            key,
            time: time.map(|(second, nanosecond)| {
                let at = Timestamp::new(second, nanosecond).unwrap();
                EventTime { text: format!("{at:.9}"), at }
            }),
            recorded: Timestamp::new(1_762_178_532, 1_000).unwrap(),
            content_type: Some("application/json".to_owned()),
            assurance: Assurance::Secret,
            data: Bytes::from(serde_json::json!({ "text": data }).to_string()),
            data_is_json: true,
            type_is_unsigned: false,
            carried: None,
            quarantine: None,
        },
    )
}

/// Holds what came back to what was sent on.
fn is_same(sent: &Event, came: &Event) -> Result<(), TestCaseError> {
    prop_assert_eq!(reason(came), None, "{:?}", came.quarantine);
    // What no signature covers is told apart by its bytes as well.
    let behind = came.id.strip_prefix(&sent.id);
    prop_assert!(
        behind.is_some_and(|behind| behind.is_empty() || (came.type_is_unsigned && behind.len() == 33)),
        "{}",
        came.id
    );
    prop_assert_eq!(&came.kind, &sent.kind);
    prop_assert_eq!(&*came.source, &*sent.source);
    prop_assert_eq!(&came.subject, &sent.subject);
    prop_assert_eq!(&came.data, &sent.data, "byte for byte");
    prop_assert!(came.data_is_json);
    // An event without a time is published with that of its receipt.
    let at = sent.time.as_ref().map_or(sent.recorded, |time| time.at);
    prop_assert_eq!(came.time.as_ref().map(|time| time.at), Some(at));
    prop_assert_eq!(came.content_type.as_deref(), Some("application/json"));
    // Where there is no key, the subject is one.
    prop_assert_eq!(came.key.as_ref(), sent.key.as_ref().or(sent.subject.as_ref()));
    Ok(())
}

proptest! {
    #[test]
    fn a_structured_envelope_says_the_same_to_the_next(event in event()) {
        let envelope = structured(&event, ORIGIN);
        let came = cloud().normalize(&delivery(&envelope, &[("content-type", STRUCTURED_TYPE)]));
        prop_assert_eq!(came.len(), 1);
        is_same(&event, &came[0])?;
    }

    #[test]
    fn a_batch_of_envelopes_is_as_many_events(events in prop::collection::vec(event(), 1..6)) {
        let envelopes: Vec<Bytes> = events.iter().map(|event| structured(event, ORIGIN)).collect();
        let body = [b"[".to_vec(), envelopes.join(&b", "[..]), b"]".to_vec()].concat();
        let came = cloud().normalize(&delivery(&body, &[("content-type", "application/cloudevents-batch+json")]));
        prop_assert_eq!(came.len(), events.len());
        let mut ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        // Of two that share an id each is told apart; what differs in nothing else is none of this test.
        prop_assume!(ids.len() == events.len());
        for (sent, came) in events.iter().zip(&came) {
            is_same(sent, came)?;
        }
    }

    #[test]
    fn a_binary_record_says_the_same_to_the_next(event in event()) {
        // As a bridge from NATS to HTTP hands it on: headers as they are, the value as the body.
        let headers = binary_headers(&event, ORIGIN, Binding::Nats);
        let leaked: Vec<(&'static str, &'static str)> = headers
            .into_iter()
            .map(|(name, value)| (&*name.into_owned().leak(), &*value.into_owned().leak()))
            .collect();
        let came = cloud().normalize(&delivery(&event.data, &leaked));
        prop_assert_eq!(came.len(), 1);
        is_same(&event, &came[0])?;
    }
}

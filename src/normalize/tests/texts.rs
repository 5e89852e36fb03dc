//! Texts as senders write them: times, byte order marks, long names.

use super::*;

#[test]
fn of_several_times_the_first_that_can_be_read_is_taken() {
    let normalizer = normalizer(json!({ "time": "{/at|/other|header:x-at}" }));
    let time = |body: &[u8]| {
        let event = normalizer.normalize(&delivery(body, &[("x-at", "1700000000")])).remove(0);
        event.time.map(|time| time.text)
    };
    assert_eq!(
        time(br#"{"at":"2026-11-27 10:08:09 +0200","other":1}"#).as_deref(),
        Some("2026-11-27T08:08:09Z")
    );
    assert_eq!(
        time(br#"{"at":"soon","other":"Fri, 27 Nov 2026 08:08:09 +0000"}"#).as_deref(),
        Some("2026-11-27T08:08:09Z")
    );
    assert_eq!(
        time(br#"{"at":"soon","other":"2026-11-27T08:08:09+24:00"}"#).as_deref(),
        Some("2023-11-14T22:13:20Z")
    );
}

#[test]
fn a_byte_order_mark_stands_in_the_bytes_and_in_no_text() {
    use crate::event::envelope::{Origin, structured};
    let text = r#"{"type":"NEW","object":"order","id":7,"event":"e1"}"#;
    let body = format!("\u{feff}{text}");
    let event = one(&normalizer(orders()), body.as_bytes());
    assert_eq!((reason(&event), event.id.as_str(), &event.data[..]), (None, "e1", body.as_bytes()));
    let envelope = structured(&event, Origin { replica: "r", path: "direct" });
    let envelope: Value = serde_json::from_slice(&envelope).unwrap();
    assert_eq!(envelope["data"], serde_json::from_str::<Value>(text).unwrap());
    let lists = normalizer(json!({ "each": "/*|lines", "id": "{./id}" }));
    for body in ["\u{feff}[{\"id\":\"1\"},{\"id\":\"2\"}]", "\u{feff}{\"id\":\"1\"}\n{\"id\":\"2\"}"] {
        let events = lists.normalize(&delivery(body.as_bytes(), &[]));
        assert_eq!(events.iter().map(|event| &*event.id).collect::<Vec<_>>(), ["1", "2"], "{body}");
    }
    let form = normalizer(json!({ "format": "form", "type": "form:kind" }));
    assert_eq!(form.normalize(&delivery("\u{feff}kind=a".as_bytes(), FORM)).remove(0).kind, "a");
}

#[test]
fn names_as_long_as_vendors_allow_are_published() {
    for id in ["x".repeat(1024), "室".repeat(1024), "x".repeat(4090)] {
        let body = json!({ "type": "NEW", "object": "order", "id": id, "event": "e" }).to_string();
        let event = one(&normalizer(orders()), body.as_bytes());
        assert_eq!((reason(&event), event.key), (None, Some(format!("order:{id}"))));
    }
}

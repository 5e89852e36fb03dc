//! The senders' side: deliveries of the first three senders, signed here as their documents say, by no code of
//! Hookway's.

use std::net::TcpStream;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::hookway::Hookway;
use crate::hookway::http::{self, Answer};

/// The three secrets, by the variables that the configuration names.
pub(crate) const SECRETS: [(&str, &str); 3] = [
    ("HOTEL_SECRET", "the secret of the hotel"),
    ("UNITS_SECRET", "the secret of the units"),
    ("ROOMS_SECRET", "the secret of the rooms"),
];

/// Sources `hotel`, `units` and `rooms`. The deadline is long, so that only a test of deadlines meets one.
pub(crate) const SOURCES: &str = "sources:
  hotel: { preset: likemagic, secrets: [ env:HOTEL_SECRET ], deadline: 25s }
  units: { preset: propexo, secrets: [ env:UNITS_SECRET ], deadline: 25s }
  rooms:
    preset: syncaroo
    secrets: [ env:ROOMS_SECRET ]
    deadline: 25s
    verify: { algorithm: hmac-sha256 }
";

/// Starts Hookway with the three sources and the rest of a configuration.
pub(crate) fn hookway(rest: &str) -> Hookway {
    Hookway::start(&format!("{SOURCES}{rest}"), &SECRETS)
}

/// One request of a sender.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// The path of the URL.
    pub(crate) path: String,
    /// Names and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Delivery {
    fn new(source: &str, header: Option<(&str, String)>, body: Vec<u8>) -> Self {
        let kind = ("Content-Type".to_owned(), "application/json".to_owned());
        let headers =
            header.map(|(name, value)| (name.to_owned(), value)).into_iter().chain([kind]).collect();
        Self { path: format!("/hooks/{source}"), headers, body }
    }

    /// A delivery of LIKE MAGIC, which sends its secret as it is.
    pub(crate) fn hotel(body: &str) -> Self {
        Self::new("hotel", Some(("lm-webhook-secret", SECRETS[0].1.to_owned())), body.into())
    }

    /// A delivery of Propexo: an HMAC-SHA256 of the body in a header.
    pub(crate) fn units(body: &str) -> Self {
        Self::new("units", Some(("propexo-signature", hmac(SECRETS[1].1, body))), body.into())
    }

    /// A delivery of Syncaroo: an HMAC-SHA256 of the object as its last member.
    pub(crate) fn rooms(object: &str) -> Self {
        let opened = object.strip_suffix('}').expect("the body is an object");
        let body = format!(r#"{opened},"hash":"{}"}}"#, hmac(SECRETS[2].1, object));
        Self::new("rooms", None, body.into_bytes())
    }

    /// A hotel's event about a reservation, with a number to tell it from the others by.
    pub(crate) fn reservation(id: &str, object: &str, number: usize) -> Self {
        Self::hotel(&reservation(id, object, number).to_string())
    }

    /// Sends it and returns the connection, unread.
    pub(crate) fn send(&self, hookway: &Hookway) -> TcpStream {
        hookway.send(&self.path, &self.headers, &self.body)
    }

    /// Sends it and waits for the answer.
    pub(crate) fn post(&self, hookway: &Hookway) -> Answer {
        http::receive(self.send(hookway))
    }

    /// Sends it and asserts that it was accepted; returns the event's id.
    pub(crate) fn accepted(&self, hookway: &Hookway) -> String {
        let answer = self.post(hookway);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?} to {self:?}");
        answer.header("hookway-event-id").unwrap_or_default().to_owned()
    }
}

/// The body of [`Delivery::reservation`].
pub(crate) fn reservation(id: &str, object: &str, number: usize) -> Value {
    json!({"id": id, "objectId": object, "objectType": "RESERVATION", "topic": "RESERVATION_UPDATED", "actorId": null,
        "actorType": "PRINCIPAL", "eventSource": "PMS", "timestamp": "2025-11-03T14:02:11.482913Z", "context": {"number": number}})
}

/// Returns the HMAC-SHA256 of a text, as hex.
fn hmac(secret: &str, text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length of key will do");
    hex::encode(mac.chain_update(text).finalize().into_bytes())
}

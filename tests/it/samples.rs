//! Requests as the three first senders would send them, signed here without any code of Hookway's.

use crate::client::post;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The secret of every source in these tests: nothing that is written anywhere may ever hold it.
pub(crate) const SECRET: &str = "canary-5f1c7a-never-to-be-seen";

/// Returns an HMAC-SHA256 as hex.
pub(crate) fn hmac(text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(text);
    hex::encode(mac.finalize().into_bytes())
}

/// Returns a LIKE MAGIC event with this id about this reservation.
pub(crate) fn likemagic_body(id: &str, object: &str) -> String {
    format!(
        r#"{{"id":"{id}","objectId":"{object}","objectType":"RESERVATION","topic":"RESERVATION_UPDATED","timestamp":"2025-11-03T14:02:11Z","context":{{}}}}"#
    )
}

/// Writes a LIKE MAGIC request to `hotel`.
pub(crate) fn likemagic(body: &str) -> Vec<u8> {
    likemagic_at("/hooks/hotel", body)
}

/// Writes a LIKE MAGIC request to a path.
pub(crate) fn likemagic_at(path: &str, body: &str) -> Vec<u8> {
    post(path, &[("lm-webhook-secret", SECRET), ("content-type", "application/json")], body.as_bytes())
}

/// Writes a LIKE MAGIC event to `hotel`.
pub(crate) fn event(id: &str) -> Vec<u8> {
    likemagic(&likemagic_body(id, "QWERTYUI-1"))
}

/// Writes a Propexo request to `units`.
pub(crate) fn propexo(body: &str) -> Vec<u8> {
    let signature = hmac(body.as_bytes());
    let headers = [("propexo-signature", signature.as_str()), ("content-type", "application/json")];
    post("/hooks/units", &headers, body.as_bytes())
}

/// Writes a Syncaroo request to `rooms`.
pub(crate) fn syncaroo() -> Vec<u8> {
    let object = r#"{"connectionId":555,"webhookType":"data","locationId":"11980","metaData":{"syncarooId":"61116c0b","resourceType":"office","resourceId":"1","attributeType":"resources","apiUrl":"https://app.syncaroo.com/api/v1/555/R1"}}"#;
    let body = format!(r#"{},"hash":"{}"}}"#, &object[..object.len() - 1], hmac(object.as_bytes()));
    post("/hooks/rooms", &[("content-type", "application/json")], body.as_bytes())
}

/// Writes a request as Standard Webhooks prescribes it, signed at this second since 1970 with the secret's bytes.
pub(crate) fn standard_webhook(path: &str, at: i64, body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.update(format!("msg_1.{at}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let at = at.to_string();
    let headers = [("webhook-id", "msg_1"), ("webhook-timestamp", &at), ("webhook-signature", &signature)];
    post(path, &headers, body.as_bytes())
}

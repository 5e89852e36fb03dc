//! Signs what `hookway trigger` cannot: tokens of keys that only the vendor has, and certificates. Written from the vendors'
//! descriptions, so that it is no copy of what it tests.

use super::{keys, source::Source};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hookway::request::Request;
use http::HeaderValue;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Signs a request with the key of this number.
pub(super) fn sign(source: &Source, request: &mut Request, key: usize) {
    match source.name {
        "paypal" => paypal(source, request, key),
        "aws-sns" => sns(request, key),
        _ if source.verify()["algorithm"] == "jwt" => token(source, request, key),
        _ => assert_eq!(source.verify()["algorithm"], "none", "{}: nothing signs it", source.name),
    }
}

/// `<transmission id>|<time>|<webhook id>|<CRC-32 of the body>`, RSA with SHA-256.
fn paypal(source: &Source, request: &mut Request, key: usize) {
    let header = |name: &str| request.headers[name].to_str().unwrap();
    let message = format!(
        "{}|{}|{}|{}",
        header("paypal-transmission-id"),
        header("paypal-transmission-time"),
        source.param("webhook_id"),
        crc32fast::hash(&request.body)
    );
    let signature = STANDARD.encode(rsa(message.as_bytes(), key));
    request.headers.insert("paypal-transmission-sig", signature.parse().unwrap());
}

/// Name and value of each signed member on lines of their own, version 2: RSA with SHA-256.
fn sns(request: &mut Request, key: usize) {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let members = match body["Type"].as_str() {
        Some("Notification") => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"][..],
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    let present = members.iter().filter_map(|name| Some(format!("{name}\n{}\n", body.get(*name)?.as_str()?)));
    let signature = STANDARD.encode(rsa(present.collect::<String>().as_bytes(), key));
    let text = std::str::from_utf8(&request.body).unwrap();
    request.body = text.replace(r#""Signature":"""#, &format!(r#""Signature":"{signature}""#)).into();
}

fn token(source: &Source, request: &mut Request, key: usize) {
    let verify = source.verify();
    let algorithm = verify["jwt"]["algorithms"][0].as_str().unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header =
        json!({ "alg": algorithm, "typ": "JWT", "kid": format!("fixture-{}", 1 + key % keys::FOREIGN) });
    let message = format!("{}.{}", part(&header), part(&claims(source, request)));
    let signature = match algorithm {
        "RS256" => rsa(message.as_bytes(), key),
        "ES256" => p256(message.as_bytes(), key),
        _ => {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, source.signing(key).as_bytes());
            hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
        }
    };
    let prefix = verify["prefix"].as_str().unwrap_or_default();
    let token = format!("{prefix}{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    let name = verify["header"].as_str().unwrap_or("authorization").to_owned();
    request.headers.insert(http::HeaderName::try_from(name).unwrap(), HeaderValue::try_from(token).unwrap());
}

fn claims(source: &Source, request: &Request) -> Value {
    let now = request.received.as_second();
    match source.name {
        "plaid" => json!({ "iat": now, "request_body_sha256": hex::encode(Sha256::digest(&request.body)) }),
        "google-pubsub" => json!({
            "iss": "https://accounts.google.com", "aud": source.param("audience"), "sub": "1", "iat": now,
            "exp": now + 3600, "email": source.param("email"), "email_verified": true,
        }),
        "azure-event-grid-entra" => json!({
            "iss": format!("https://sts.windows.net/{}/", source.param("tenant_id")),
            "aud": source.param("audience"), "iat": now, "nbf": now, "exp": now + 3600,
        }),
        "atlassian-connect" => {
            let canonical = format!("{}&{}&", request.method, request.uri.path());
            let qsh = hex::encode(Sha256::digest(canonical));
            json!({ "iss": "jira:1", "iat": now, "exp": now + 180, "qsh": qsh })
        }
        other => panic!("{other}: no claims are known"),
    }
}

fn rsa(message: &[u8], key: usize) -> Vec<u8> {
    let pair = RsaKeyPair::from_pkcs8(&der(&format!("rsa-{}.pem", key + 1))).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

fn p256(message: &[u8], key: usize) -> Vec<u8> {
    let random = SystemRandom::new();
    let der = der(&format!("p256-{}.pem", key + 1));
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).unwrap();
    pair.sign(&random, message).unwrap().as_ref().to_vec()
}

fn der(file: &str) -> Vec<u8> {
    let text = keys::read(file);
    STANDARD.decode(text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

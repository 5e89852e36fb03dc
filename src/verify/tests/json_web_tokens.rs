//! JSON Web Tokens: who may sign them, what they must say, and the ways in which others were fooled.

use super::{NOW, refusal, request, verifier};
use crate::{
    request::Request,
    verify::{Verifier, der},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;

const HS256: &str = "{ algorithm: jwt, jwt: { algorithms: [HS256], audience: us, issuer: [them, others] } }";
const RS256: &str = "{ algorithm: jwt, jwt: { algorithms: [RS256], jwks: keys.json, audience: us, \
     claims: { email: a@example.com, email_verified: true } } }";
const ES256: &str = "{ algorithm: jwt, header: x-jwt, prefix: '', jwt: { algorithms: [ES256], jwks: keys.json, \
     body_hash: request_body_sha256, max_age: 5m } }";
const SECRET: &str = "a secret of enough length";

pub(super) fn fixture(file: &str) -> String {
    let path = format!("{}/tests/fixtures/keys/{file}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).expect("a fixture")
}

pub(super) fn kid(jwks: &str) -> Value {
    let keys: Value = serde_json::from_str(&fixture(jwks)).expect("JSON");
    keys["keys"][0]["kid"].clone()
}

/// Makes a token, signed as its own header says.
pub(super) fn token(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let random = SystemRandom::new();
    let pkcs8 = |file: &str| der::pem(&fixture(file), "PRIVATE KEY").expect("PEM");
    let signature = match header["alg"].as_str() {
        Some("HS256") => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
            hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
        }
        Some("RS256") => {
            let pair = RsaKeyPair::from_pkcs8(&pkcs8("rsa-1.pem")).expect("a key");
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).expect("a signature");
            signature
        }
        Some("ES256") => {
            let pair =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8("p256-1.pem"), &random);
            pair.expect("a key").sign(&random, message.as_bytes()).expect("a signature").as_ref().to_vec()
        }
        _ => Vec::new(),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(super) fn bearer(token: &str, body: &str) -> Request {
    request(&[("authorization", &format!("Bearer {token}"))], body)
}

fn keyed(scheme: &str, jwks: &str) -> Verifier {
    let verifier = verifier(scheme, &[]);
    assert_eq!(verifier.files(), ["keys.json"]);
    verifier.set_file("keys.json", &fixture(jwks)).expect("keys");
    verifier
}

/// Returns an object with one member changed; `null` takes it away.
fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut changed = base.clone();
    let members = changed.as_object_mut().expect("an object");
    let _before = if value.is_null() { members.remove(name) } else { members.insert(name.to_owned(), value) };
    changed
}

#[test]
fn a_token_must_be_for_us_from_them_and_of_this_time() {
    let verifier = verifier(HS256, &["another", SECRET]);
    let header = json!({ "alg": "HS256" });
    let good = json!({ "iss": "them", "aud": ["x", "us"], "exp": NOW + 10, "iat": NOW });
    let answer = |claims: &Value| refusal(&verifier, &bearer(&token(&header, claims), "{}"));
    assert_eq!(answer(&good), "secret");
    for (name, value, expected) in [
        ("iss", json!("others"), "secret"),
        ("iss", json!("us"), "malformed"),
        ("iss", Value::Null, "malformed"),
        ("aud", json!("us"), "secret"),
        ("aud", json!("them"), "malformed"),
        ("aud", json!(["x"]), "malformed"),
        ("aud", Value::Null, "malformed"),
        ("exp", json!(NOW - 60), "secret"),
        ("exp", json!(NOW - 61), "expired"),
        ("exp", json!("soon"), "malformed"),
        ("exp", Value::Null, "missing"),
        ("nbf", json!(NOW + 60), "secret"),
        ("nbf", json!(NOW + 61), "expired"),
    ] {
        assert_eq!(answer(&with(&good, name, value.clone())), expected, "{name}: {value}");
    }
    let proof = verifier.verify(&bearer(&token(&header, &good), "{}")).expect("a proof");
    assert_eq!(proof.key, 1);
    assert_eq!(verifier.withheld().headers, ["authorization"]);
}

#[test]
fn the_algorithm_is_the_configured_one_whatever_the_token_says() {
    let claims = json!({ "aud": "us", "email": "a@example.com", "email_verified": true, "exp": NOW + 10 });
    let rs256 = keyed(RS256, "rsa.jwks.json");
    let header = json!({ "alg": "RS256", "kid": kid("rsa.jwks.json") });
    let good = token(&header, &claims);
    assert_eq!(refusal(&rs256, &bearer(&good, "{}")), "secret");
    for (name, value, expected) in [
        ("alg", json!("none"), "malformed"),
        ("alg", json!("HS256"), "malformed"),
        ("alg", json!("ES256"), "malformed"),
        ("crit", json!(["exp"]), "malformed"),
        ("kid", json!("of nobody"), "malformed"),
        ("kid", Value::Null, "secret"),
    ] {
        let other = token(&with(&header, name, value.clone()), &claims);
        assert_eq!(refusal(&rs256, &bearer(&other, "{}")), expected, "{name}: {value}");
    }
    for (name, value) in
        [("email", json!("b@example.com")), ("email_verified", json!(false)), ("email", Value::Null)]
    {
        let other = token(&header, &with(&claims, name, value));
        assert_eq!(refusal(&rs256, &bearer(&other, "{}")), "malformed", "{name}");
    }
    let (message, _) = good.rsplit_once('.').expect("a signature");
    for wrong in [
        message.to_owned(),
        format!("{message}."),
        format!("{message}.AAAA"),
        format!("{good}.x"),
        String::new(),
    ] {
        assert_ne!(refusal(&rs256, &bearer(&wrong, "{}")), "secret", "{wrong}");
    }
    assert_eq!(refusal(&rs256, &request(&[("authorization", &good)], "{}")), "malformed", "no scheme's name");
}

#[test]
fn a_digest_in_the_token_proves_the_body() {
    let es256 = keyed(ES256, "p256.jwks.json");
    assert!(es256.covers_body());
    let header = json!({ "alg": "ES256", "kid": kid("p256.jwks.json") });
    let claims = json!({ "iat": NOW - 300, "request_body_sha256": hex::encode(Sha256::digest("{}")) });
    let answer =
        |claims: &Value, body: &str| refusal(&es256, &request(&[("x-jwt", &token(&header, claims))], body));
    assert_eq!(answer(&claims, "{}"), "signature");
    assert_eq!(answer(&claims, "{ }"), "mismatch");
    assert_eq!(answer(&with(&claims, "iat", json!(NOW - 301)), "{}"), "expired");
    assert_eq!(answer(&with(&claims, "iat", Value::Null), "{}"), "missing");
    assert_eq!(answer(&with(&claims, "request_body_sha256", Value::Null), "{}"), "missing");
}

#[test]
fn a_digest_of_the_request_binds_a_token_to_its_address() {
    let scheme = "{ algorithm: jwt, prefix: 'JWT ', message: atlassian_qsh, jwt: { algorithms: [HS256] } }";
    let verifier = verifier(scheme, &[SECRET]);
    // POST&/hooks/jira&a=1,2&b=%20x, `jwt` left out and names sorted.
    let qsh = hex::encode(Sha256::digest("POST&/hooks/jira&a=1,2&b=%20x"));
    let token = token(&json!({ "alg": "HS256" }), &json!({ "exp": NOW, "qsh": qsh }));
    let answer = |uri: &str| {
        let headers = [("authorization", format!("JWT {token}"))];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        refusal(&verifier, &Request { uri: uri.parse().expect("a target"), ..request(&headers, "{}") })
    };
    assert_eq!(answer("/hooks/jira?b=+x&a=2&jwt=z&a=1"), "secret");
    assert_eq!(answer("/hooks/jira/?b=+x&a=2&a=1"), "secret");
    assert_eq!(answer("/hooks/jira?b=+x&a=2"), "mismatch");
    assert_eq!(answer("/hooks/other?b=+x&a=2&a=1"), "mismatch");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_of_a_token_fails(at: prop::sample::Index, bit in 0..7u8) {
        let header = json!({ "alg": "RS256", "kid": kid("rsa.jwks.json") });
        let claims = json!({ "aud": "us", "email": "a@example.com", "email_verified": true, "exp": NOW + 10 });
        let good = token(&header, &claims);
        let mut bytes = good.clone().into_bytes();
        bytes[at.index(good.len())] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes)
            && changed.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let rs256 = keyed(RS256, "rsa.jwks.json");
            prop_assert_ne!(refusal(&rs256, &bearer(&changed, "{}")), "secret", "{}", changed);
        }
    }
}

#[test]
fn a_token_may_lack_its_times_only_where_it_is_bound_to_the_body() {
    let scheme =
        "{ algorithm: jwt, jwt: { algorithms: [HS256], issuer: them, body_hash: sha256, max_age: off } }";
    let unsaid = verifier(&scheme.replace(", max_age: off", ""), &[SECRET]);
    let aged = verifier(&scheme.replace("off", "5m"), &[SECRET]);
    let verifier = verifier(scheme, &[SECRET]);
    let body = "{\"id\":1}";
    let claims = json!({ "iss": "them", "sha256": hex::encode(Sha256::digest(body)) });
    let refused = |claims: &Value, body: &str| {
        refusal(&verifier, &bearer(&token(&json!({ "alg": "HS256" }), claims), body))
    };
    assert_eq!(refused(&claims, body), "signature");
    let timeless = bearer(&token(&json!({ "alg": "HS256" }), &claims), body);
    assert_eq!([refusal(&unsaid, &timeless), refusal(&aged, &timeless)], ["signature", "missing"]);
    assert_eq!(refused(&claims, "{\"id\":2}"), "mismatch");
    assert_eq!(
        refused(&with(&claims, "exp", json!(NOW - 3600)), body),
        "expired",
        "what it says still counts"
    );
    assert_eq!(refused(&with(&claims, "nbf", json!(NOW + 3600)), body), "expired");
    assert_eq!(refused(&with(&claims, "iat", json!(NOW - 86_400)), body), "signature");
    let unbound = super::spec(&scheme.replace("body_hash: sha256, ", ""));
    let problems = Verifier::compile(&unbound).expect_err("anything could be sent with it");
    assert_eq!(problems.iter().map(|problem| &*problem.field).collect::<Vec<_>>(), ["jwt.max_age"]);
}

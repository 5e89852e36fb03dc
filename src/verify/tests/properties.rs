//! Properties over generated requests: signing and verifying agree, every flipped bit is noticed, and no bytes
//! make the stage panic.

use super::{
    GITHUB, LIKEMAGIC, PROPEXO, STANDARD, SYNCAROO, computed, covers, refusal, request, syncaroo, verifier,
};
use crate::{
    request::Request,
    verify::{Assurance, VerifyError, member, rewrite::rewrite},
};
use http::HeaderValue;
use proptest::prelude::*;

/// Every way to sign that the presets and the generic schemes have.
fn schemes() -> Vec<String> {
    let mut all: Vec<String> = [LIKEMAGIC, GITHUB, PROPEXO, STANDARD, SYNCAROO].map(str::to_owned).into();
    all.push(syncaroo("json_stringify"));
    all.push(PROPEXO.replace("encoding: auto", "encoding: base64url, message: json_stringify"));
    all.push("{ algorithm: token, header: authorization, prefix: 'Bearer ' }".to_owned());
    all.extend(
        [
            "{ algorithm: basic }",
            "{ algorithm: token, header: [x-token, x-old] }",
            "{ algorithm: hmac-sha256, header: X-Sig-*, encoding: hex }",
            "{ algorithm: hmac-sha1, header: x-s, encoding: hex, key: sha1, message: '{sha256}' }",
            "{ algorithm: hmac-sha256, header: x-s, separator: ';', prefix: 'h1=', encoding: hex, \
             message: '{field:ts}:{body}', timestamp: { at: field:ts } }",
            "{ algorithm: hmac-sha256, header: x-s, encoding: hex, url: 'https://a.example/b', \
             message: '{method}{url}{body}{header:x-t}', timestamp: { header: x-t, unit: http-date } }",
            "{ algorithm: hmac-sha1, header: x-s, encoding: hex, key: base64, message: '{body}[{/a}]:[{/b/c}:]' }",
        ]
        .map(str::to_owned),
    );
    for algorithm in computed() {
        let place = if algorithm.is_hmac() { "" } else { ", key_position: suffix" };
        let name = algorithm.name();
        all.push(format!("{{ algorithm: {name}, header: x-s, encoding: base64{place} }}"));
        all.push(format!(
            "{{ algorithm: {name}, header: x-s, prefix: 'v0=', message: 'v0:{{header:x-t}}:{{body}}'{place}, \
             timestamp: {{ header: x-t, unit: ms }} }}"
        ));
    }
    all
}

/// A secret that every key form can read: base64 of at least 24 bytes.
fn secret() -> impl Strategy<Value = String> {
    "[A-Za-z0-9+/]{32,64}".prop_map(|text| text.chars().take(text.len() / 4 * 4).collect())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            object_of(inner).prop_map(serde_json::Value::Object),
        ]
    })
}

fn object_of(
    value: impl Strategy<Value = serde_json::Value>,
) -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    let name = prop_oneof![3 => any::<String>(), 1 => "[0-9]{1,3}", 1 => Just("nested".to_owned())];
    prop::collection::btree_map(name, value, 0..5).prop_map(|members| members.into_iter().collect())
}

/// A JSON object as text, compact or indented, without a top-level `hash`.
fn object() -> impl Strategy<Value = String> {
    (object_of(json()), any::<bool>()).prop_map(|(mut members, pretty)| {
        members.remove("hash");
        let value = serde_json::Value::Object(members);
        if pretty { format!("{value:#}\n") } else { value.to_string() }
    })
}

/// A secret that is about to be rotated out; base64 too.
const OLDER: &str = "anOlderSecret000anOlderSecret000";

fn signed(scheme: &str, secret: &str, body: &str) -> (crate::verify::Verifier, Request) {
    let verifier = verifier(scheme, &[OLDER, secret]);
    let mut request = request(&[("webhook-id", "msg_1")], body);
    super::set(&verifier, &[secret]).expect("a secret");
    verifier.sign(&mut request, super::now()).expect("a signature");
    super::set(&verifier, &[OLDER, secret]).expect("secrets");
    (verifier, request)
}

fn same_but_for_the_case_of_its_scheme(one: &[u8], other: &HeaderValue) -> bool {
    let blank = one.iter().position(|byte| *byte == b' ').expect("a scheme's name");
    let (name, rest) = other.as_bytes().split_at(blank);
    name.eq_ignore_ascii_case(&one[..blank]) && *rest == one[blank..]
}

fn flip(bytes: &[u8], at: prop::sample::Index, bit: u8) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[at.index(bytes.len())] ^= 1 << bit;
    flipped
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_signed_verifies_with_the_right_secret_only(body in object(), secret in secret(), other in secret()) {
        prop_assume!(secret != other);
        for scheme in schemes() {
            let (verifier, request) = signed(&scheme, &secret, &body);
            let proof = verifier.verify(&request);
            prop_assert_eq!(proof.as_ref().map(|proof| proof.key), Ok(1), "{}", scheme);
            let covered = if verifier.covers_body() { Assurance::Signature } else { Assurance::Secret };
            prop_assert_eq!(proof.map(|proof| proof.assurance), Ok(covered), "{}", scheme);
            super::set(&verifier, &[&other]).expect("a secret");
            prop_assert_eq!(verifier.verify(&request), Err(VerifyError::Mismatch), "{}", scheme);
        }
    }

    #[test]
    fn a_flipped_bit_of_the_body_fails(body in object(), secret in secret(), at: prop::sample::Index, bit in 0..8u8) {
        // The forms that write the body again are blind to its spacing, on purpose.
        for scheme in schemes().iter().filter(|scheme| !scheme.contains("json_str")) {
            let (verifier, mut request) = signed(scheme, &secret, &body);
            if !verifier.covers_body() {
                continue;
            }
            let flipped = flip(&request.body, at, bit);
            // In the signature's own text, the case of a hex digit says nothing.
            if !flipped.eq_ignore_ascii_case(&request.body) {
                request.body = flipped.into();
                prop_assert!(verifier.verify(&request).is_err(), "{} took {:?}", scheme, request.body);
            }
        }
    }

    #[test]
    fn a_flipped_bit_of_any_header_fails(body in object(), secret in secret(), at: prop::sample::Index, bit in 0..8u8) {
        for scheme in schemes() {
            let (verifier, request) = signed(&scheme, &secret, &body);
            for (name, value) in &request.headers {
                let flipped = flip(value.as_bytes(), at, bit);
                let Ok(flipped) = HeaderValue::from_bytes(&flipped) else { continue };
                let is_signature = !covers(&verifier, name);
                if name == "webhook-id" && is_signature {
                    continue; // not part of this scheme
                }
                // The case of hex digits says nothing; the case of base64 and tokens does.
                let is_hex = scheme.contains("encoding: hex") || scheme.contains("auto") || scheme.contains("v0=");
                if is_hex && is_signature && flipped.as_bytes().eq_ignore_ascii_case(value.as_bytes()) {
                    continue;
                }
                // Nor does the case of an authorization scheme's name.
                if name == "authorization" && same_but_for_the_case_of_its_scheme(value.as_bytes(), &flipped) {
                    continue;
                }
                let mut forged = super::request(&[], &request.body);
                forged.headers = request.headers.clone();
                forged.headers.insert(name, flipped);
                prop_assert!(verifier.verify(&forged).is_err(), "{scheme}: {name}: {:?}", forged.headers);
            }
        }
    }

    #[test]
    fn a_flipped_bit_of_the_secret_fails(body in object(), secret in secret(), at: prop::sample::Index, bit in 0..4u8) {
        for scheme in schemes() {
            let (verifier, request) = signed(&scheme, &secret, &body);
            let Ok(other) = String::from_utf8(flip(secret.as_bytes(), at, bit)) else { continue };
            if super::set(&verifier, &[&other]).is_ok() {
                prop_assert_eq!(refusal(&verifier, &request), "mismatch", "{}", scheme);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        value in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
        for scheme in schemes() {
            let verifier = verifier(&scheme, &["c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"]);
            let mut request = request(&[], &body);
            for name in ["lm-webhook-secret", "x-hub-signature-256", "propexo-signature", "webhook-id", "x-s", "x-t",
                "webhook-timestamp", "webhook-signature", "authorization"] {
                request.headers.insert(name, value.clone());
            }
            prop_assert!(verifier.verify(&request).is_err(), "{}", scheme);
        }
    }

    #[test]
    fn json_like_text_never_panics(body in r#"[\[\]{}",:\\u0-9a-fhs \n-]{0,60}"#) {
        let member = format!("{{\"hash\":\"00\",{body}}}");
        for scheme in ["raw_cut", "json_stringify"].map(syncaroo) {
            let verifier = verifier(&scheme, &["key"]);
            for body in [&body, &member] {
                prop_assert!(verifier.verify(&request(&[], body)).is_err());
            }
        }
    }

    #[test]
    fn a_cut_body_is_the_serialisation_without_the_member(
        before in object_of(json()), after in object_of(json()), pretty: bool,
    ) {
        // Written by hand member by member, so that the position of `hash` is chosen.
        let write = |value: &serde_json::Value| if pretty { format!("{value:#}") } else { value.to_string() };
        let members = |part: &serde_json::Map<String, serde_json::Value>| -> Vec<String> {
            part.iter().filter(|(name, _)| *name != "hash")
                .map(|(name, value)| format!("{}:{}", serde_json::to_string(name).expect("text"), write(value)))
                .collect()
        };
        let (open, comma, close) = if pretty { ("{\n  ", ",\n  ", "\n}") } else { ("{", ",", "}") };
        let all = |hash: Option<String>| {
            let list: Vec<String> = members(&before).into_iter().chain(hash).chain(members(&after)).collect();
            format!("{open}{}{close}", list.join(comma))
        };
        let body = all(Some(r#""hash":"0a""#.to_owned()));
        let found = member::find(body.as_bytes(), "hash").expect("an object").expect("a hash");
        prop_assert_eq!(String::from_utf8([found.before, found.after].concat()).expect("text"), all(None));
        prop_assert_eq!(found.value, "0a");
    }

    #[test]
    fn a_text_written_again_means_the_same(value in json()) {
        // Numbers go through a double, as in JavaScript.
        let text = value.to_string();
        let again = rewrite(&text, None).expect("JSON");
        prop_assert_eq!(rewrite(&format!("{value:#}"), None), Some(again.clone()));
        prop_assert_eq!(rewrite(std::str::from_utf8(&again).expect("text"), None), Some(again.clone()));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&again).is_ok());
    }
}

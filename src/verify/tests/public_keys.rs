//! Signatures that are checked with public keys: keys in every form, properties over generated ones, and the
//! certificates that a request names.

use super::{NOW, refusal, request, spec, verifier};
use crate::{
    request::Request,
    verify::{Verifier, VerifyError, grammar},
};
use proptest::prelude::*;
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};
use std::fs;

const SCHEMES: [&str; 2] = ["ed25519", "ecdsa-p256"];

fn scheme(algorithm: &str) -> String {
    format!(
        "{{ algorithm: {algorithm}, header: x-s, encoding: base64, message: '{{header:x-t}}{{body}}', \
         timestamp: {{ header: x-t }} }}"
    )
}

/// Returns a fresh private key as PKCS#8 in base64, and its public half.
fn pair(algorithm: &str) -> (String, Vec<u8>) {
    let random = SystemRandom::new();
    let (pkcs8, public) = if algorithm == "ed25519" {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
        (pkcs8, pair.public_key().as_ref().to_vec())
    } else {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        (pkcs8, pair.expect("a key").public_key().as_ref().to_vec())
    };
    (grammar::to_base64(pkcs8.as_ref()), public)
}

pub(super) fn fixture(file: &str) -> String {
    let path = format!("{}/tests/fixtures/keys/{file}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).expect("a fixture")
}

#[test]
fn a_key_is_read_in_every_form_that_senders_show() {
    for (algorithm, forms) in [
        ("ed25519", ["ed25519-1.hex", "ed25519-1.pem"].as_slice()),
        ("ecdsa-p256", ["p256-1.spki", "p256-1.pem"].as_slice()),
    ] {
        let private = fixture(forms[1]);
        let signer = verifier(&scheme(algorithm), &[&private]);
        let mut request = request(&[], "{}");
        signer.sign(&mut request, super::now()).expect("a signature");
        for form in forms {
            let text = fixture(form);
            assert_eq!(refusal(&verifier(&scheme(algorithm), &[&text]), &request), "signature", "{form}");
        }
        assert_eq!(refusal(&signer, &request), "signature");
    }
    let hex = fixture("ed25519-1.hex");
    let whpk = format!("whpk_{}", grammar::to_base64(&hex::decode(hex.trim()).expect("hex")));
    let mut request = request(&[], "{}");
    verifier(&scheme("ed25519"), &[&fixture("ed25519-1.pem")])
        .sign(&mut request, super::now())
        .expect("a signature");
    assert_eq!(refusal(&verifier(&scheme("ed25519"), &[&whpk]), &request), "signature");
    let stranger = verifier(&scheme("ed25519"), &[&fixture("ed25519-2.hex")]);
    assert_eq!(refusal(&stranger, &request), "mismatch");
}

#[test]
fn what_is_no_key_for_the_algorithm_is_told_without_being_shown() {
    for (algorithm, text) in [("ed25519", "canary"), ("ed25519", "MFkwEwYHKoZI"), ("ecdsa-p256", "0011")] {
        let verifier = Verifier::compile(&spec(&scheme(algorithm))).expect("a scheme");
        let problems = super::set(&verifier, &[text]).expect_err("no key");
        assert!(!format!("{problems:?}").contains(text), "{problems:?}");
        assert!(!verifier.is_keyed());
    }
    let p256 = fixture("p256-1.spki");
    let ed25519 = Verifier::compile(&spec(&scheme("ed25519"))).expect("a scheme");
    assert!(super::set(&ed25519, &[&p256]).is_err(), "a key of another algorithm");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_private_key_signs_its_public_half_verifies_and_no_other(
        body in prop::collection::vec(any::<u8>(), 1..80), at: prop::sample::Index, bit in 0..8u8,
    ) {
        for algorithm in SCHEMES {
            let ((private, public), (_, other)) = (pair(algorithm), pair(algorithm));
            let public = grammar::to_base64(&public);
            let verifier = verifier(&scheme(algorithm), &[&private]);
            let mut good = request(&[], &body);
            verifier.sign(&mut good, super::now()).expect("a signature");
            super::set(&verifier, &[&grammar::to_base64(&other), &public]).expect("keys");
            prop_assert_eq!(verifier.verify(&good).map(|proof| proof.key), Ok(1));

            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1 << bit;
            let forged = Request { body: changed.into(), ..good.clone() };
            prop_assert_eq!(refusal(&verifier, &forged), "mismatch", "{}", algorithm);

            let mut later = good.clone();
            later.headers.insert("x-t", (NOW + 1).into());
            prop_assert_eq!(refusal(&verifier, &later), "mismatch", "{}", algorithm);

            let signature = grammar::base64_key(good.headers["x-s"].to_str().expect("text")).expect("base64");
            let mut changed = signature.clone();
            changed[at.index(signature.len())] ^= 1 << bit;
            let mut forged = good.clone();
            forged.headers.insert("x-s", grammar::to_base64(&changed).parse().expect("a value"));
            prop_assert_eq!(refusal(&verifier, &forged), "mismatch", "{}", algorithm);

            super::set(&verifier, &[&grammar::to_base64(&other)]).expect("a key");
            prop_assert_eq!(refusal(&verifier, &good), "mismatch", "{}", algorithm);
        }
    }
}

pub(super) const CERTIFIED: &str = "{ algorithm: rsa-x509, header: x-s, encoding: base64, message: '{header:x-id}|{crc32}', \
     certificate: { at: header:x-cert, hosts: ['api.*.example.com'], path: '/*.pem', files: [own.pem] } }";
const CERTIFICATE: &str = "https://api.eu.example.com/one.pem";

/// Signs with one of the fixtures' RSA keys.
fn rsa(message: &str, key: u8) -> String {
    let pkcs8 = crate::verify::der::pem(&fixture(&format!("rsa-{key}.pem")), "PRIVATE KEY").expect("PEM");
    let pair = RsaKeyPair::from_pkcs8(&pkcs8).expect("a key");
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .expect("a signature");
    grammar::to_base64(&signature)
}

pub(super) fn certified(body: &str, certificate: &str) -> Request {
    let message = format!("id|{}", crc32fast::hash(body.as_bytes()));
    request(&[("x-id", "id"), ("x-cert", certificate), ("x-s", &rsa(&message, 1))], body)
}

#[test]
fn a_certificate_of_the_operator_verifies_wherever_the_sender_keeps_it() {
    let verifier = verifier(CERTIFIED, &[]);
    assert_eq!(refusal(&verifier, &certified("{}", CERTIFICATE)), "unkeyed", "the file was not read yet");
    assert_eq!(verifier.files(), ["own.pem"]);
    verifier.set_file("own.pem", &fixture("certificate-2.pem")).expect("a certificate");
    assert_eq!(refusal(&verifier, &certified("{}", CERTIFICATE)), "mismatch");
    verifier.set_file("own.pem", &fixture("certificate-1.pem")).expect("a certificate");
    // A CRC can be made to fit: the body is not proven.
    assert_eq!(refusal(&verifier, &certified("{}", CERTIFICATE)), "secret");
    assert_eq!(
        refusal(&verifier, &Request { body: "{ }".into(), ..certified("{}", CERTIFICATE) }),
        "mismatch"
    );
    verifier.set_file("own.pem", "not PEM").expect_err("no certificate");
    assert_eq!(refusal(&verifier, &certified("{}", CERTIFICATE)), "secret", "what was good stays");
    for wrong in [
        "http://api.eu.example.com/one.pem",
        "https://api.eu.example.com:8443/one.pem",
        "https://user@api.eu.example.com/one.pem",
        "https://api.eu.example.com@evil.example/one.pem",
        "https://api.a.b.example.com/one.pem",
        "https://api..example.com/one.pem",
        "https://evil.example/api.eu.example.com/one.pem",
        "https://api.eu.example.com/one.txt",
        "https://api.eu.example.com.evil.example/one.pem",
        "/one.pem",
        "",
    ] {
        assert_eq!(refusal(&verifier, &certified("{}", wrong)), "malformed", "{wrong}");
    }
}

#[test]
fn a_certificate_that_is_not_here_yet_is_named_and_nothing_is_believed() {
    let verifier = verifier(&CERTIFIED.replace(", files: [own.pem]", ""), &[]);
    let missing = verifier.verify(&certified("{}", CERTIFICATE));
    assert_eq!(missing, Err(VerifyError::KeyUnavailable(CERTIFICATE.to_owned())));
    assert!(verifier.is_keyed() && !verifier.needs_secret());
}

//! What verification costs: each scheme beside the bare primitive over the same bytes, for a body of 1 KB and one of
//! 100 KB. In the one core that calls; nothing else is measured.
//!
//! The bare primitive has its key prepared and its message in one piece, and compares: no header is looked up, no text
//! decoded, no time judged. That is all that the difference can be.

use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use hookway::{
    clock,
    request::Request,
    verify::{Verifier, VerifySpec},
};
use ring::{
    rand::SystemRandom,
    signature::{
        self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::{fs, hint::black_box, path::Path, time::Duration};
use tokio::time::Instant;

/// The shared secret.
const SECRET: &str = "a secret of some thirty-two bytes";

/// The bodies' lengths in bytes.
const SIZES: [usize; 2] = [1_000, 100_000];

/// The largest ratio to the bare primitive for a body of 100 KB.
pub(crate) const BOUND: f64 = 1.1;

/// One scheme over one body.
pub(crate) struct Row {
    pub(crate) scheme: &'static str,
    pub(crate) bytes: usize,
    /// Microseconds per request, ours and the bare primitive's.
    pub(crate) ours: f64,
    pub(crate) bare: f64,
    /// The median of the rounds' own ratios.
    pub(crate) ratio: f64,
}

/// A signed request, its verifier, and the primitive over the same bytes.
struct Case {
    scheme: &'static str,
    verifier: Verifier,
    request: Request,
    bare: Box<dyn Fn() -> bool>,
}

/// Measures every scheme; `window` is how long one of a round's two measurements takes.
pub(crate) fn run(window: Duration, rounds: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for bytes in SIZES {
        for case in cases(bytes) {
            rows.push(measure(&case, bytes, window, rounds));
        }
    }
    rows
}

fn measure(case: &Case, bytes: usize, window: Duration, rounds: usize) -> Row {
    assert!(case.verifier.verify(&case.request).is_ok(), "{}: our own request is refused", case.scheme);
    assert!((case.bare)(), "{}: the primitive refuses it", case.scheme);
    let mut samples: Vec<(f64, f64)> = Vec::new();
    for _ in 0..rounds.max(3) {
        let ours = microseconds(window, || case.verifier.verify(black_box(&case.request)).is_ok());
        samples.push((ours, microseconds(window, || (case.bare)())));
    }
    let median = |pick: fn(&(f64, f64)) -> f64| {
        let mut picked: Vec<f64> = samples.iter().map(pick).collect();
        picked.sort_by(f64::total_cmp);
        picked[picked.len() / 2]
    };
    let (ours, bare) = (median(|sample| sample.0), median(|sample| sample.1));
    Row { scheme: case.scheme, bytes, ours, bare, ratio: median(|(ours, bare)| ours / bare) }
}

/// Returns the time of one call, in microseconds.
fn microseconds(window: Duration, mut call: impl FnMut() -> bool) -> f64 {
    let (begun, mut calls) = (Instant::now(), 0_u32);
    while begun.elapsed() < window {
        for _ in 0..8 {
            assert!(black_box(call()), "a verified request is refused");
        }
        calls += 8;
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

fn cases(bytes: usize) -> Vec<Case> {
    let body = body(bytes);
    let at = clock::now();
    let second = at.as_second().to_string();
    let timed = [second.as_bytes(), &body].concat();
    let dotted = [second.as_bytes(), b".", &body].concat();
    let plain =
        |algorithm: &str| json!({ "algorithm": algorithm, "header": "x-signature", "encoding": "hex" });
    let with_time = |algorithm: &str| {
        json!({ "algorithm": algorithm, "header": "x-signature", "encoding": "base64",
            "message": "{header:x-time}{body}", "timestamp": { "header": "x-time" } })
    };
    let listed = json!({ "algorithm": "hmac-sha256", "header": "x-signature", "separator": ",", "prefix": "v1=",
        "encoding": "hex", "message": "{field:t}.{body}", "timestamp": { "at": "field:t" } });
    vec![
        signed("hmac-sha256", &plain("hmac-sha256"), SECRET, &body, hmac::<Hmac<Sha256>>(body.to_vec())),
        signed("hmac-sha1", &plain("hmac-sha1"), SECRET, &body, hmac::<Hmac<Sha1>>(body.to_vec())),
        signed("hmac-sha256, t= and v1= in a list", &listed, SECRET, &body, hmac::<Hmac<Sha256>>(dotted)),
        signed("ed25519", &with_time("ed25519"), &key("ed25519-1"), &body, ed25519(timed.clone())),
        signed("ecdsa-p256", &with_time("ecdsa-p256"), &key("p256-1"), &body, ecdsa(timed)),
        rsa(&body),
        jwt(&body),
    ]
}

/// Returns the case of a scheme that Hookway can sign itself.
fn signed(
    scheme: &'static str,
    spec: &Value,
    secret: &str,
    body: &Bytes,
    bare: Box<dyn Fn() -> bool>,
) -> Case {
    let verifier = verifier(spec, Some(secret));
    let mut request = request(body);
    verifier.sign(&mut request, clock::now()).expect("a scheme that can sign");
    Case { scheme, verifier, request, bare }
}

fn rsa(body: &Bytes) -> Case {
    let spec = json!({ "algorithm": "rsa-x509", "header": "x-signature", "encoding": "base64",
        "certificate": { "files": ["own.pem"] } });
    let verifier = verifier(&spec, None);
    verifier.set_file("own.pem", &key("certificate-1")).expect("a certificate");
    let pair = RsaKeyPair::from_pkcs8(&der(&key("rsa-1"))).expect("an RSA key");
    let mut tag = vec![0; pair.public().modulus_len()];
    pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut tag).expect("a signature");
    let mut request = request(body);
    request.headers.insert("x-signature", value(&STANDARD.encode(&tag)));
    let bare = public(&signature::RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref(), body.to_vec(), tag);
    Case { scheme: "rsa-x509", verifier, request, bare }
}

fn jwt(body: &Bytes) -> Case {
    let spec = json!({ "algorithm": "jwt", "jwt": { "algorithms": ["HS256"], "body_hash": "digest" } });
    let verifier = verifier(&spec, Some(SECRET));
    let digest = hex::encode(Sha256::digest(body));
    let claims = json!({ "exp": clock::now().as_second() + 3600, "digest": digest }).to_string();
    let message = [r#"{"alg":"HS256"}"#, &claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let state = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    let tag = state.clone().chain_update(&message).finalize().into_bytes();
    let mut request = request(body);
    let token = format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(tag));
    request.headers.insert("authorization", value(&token));
    let (body, digest) = (body.clone(), Sha256::digest(body));
    let bare = move || {
        state.clone().chain_update(&message).verify_slice(&tag).is_ok() && Sha256::digest(&body) == digest
    };
    Case { scheme: "jwt, HS256, digest of the body", verifier, request, bare: Box::new(bare) }
}

fn hmac<M: Mac + KeyInit + Clone + 'static>(message: Vec<u8>) -> Box<dyn Fn() -> bool> {
    let state = <M as KeyInit>::new_from_slice(SECRET.as_bytes()).expect("any key");
    let tag = state.clone().chain_update(&message).finalize().into_bytes();
    Box::new(move || state.clone().chain_update(&message).verify_slice(&tag).is_ok())
}

fn ed25519(message: Vec<u8>) -> Box<dyn Fn() -> bool> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(&key("ed25519-1"))).expect("an Ed25519 key");
    let tag = pair.sign(&message).as_ref().to_vec();
    public(&signature::ED25519, pair.public_key().as_ref(), message, tag)
}

fn ecdsa(message: Vec<u8>) -> Box<dyn Fn() -> bool> {
    let (algorithm, random) = (&signature::ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, &der(&key("p256-1")), &random).expect("a P-256 key");
    let tag = pair.sign(&random, &message).expect("a signature").as_ref().to_vec();
    public(&signature::ECDSA_P256_SHA256_ASN1, pair.public_key().as_ref(), message, tag)
}

fn public(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: Vec<u8>,
    tag: Vec<u8>,
) -> Box<dyn Fn() -> bool> {
    let key = UnparsedPublicKey::new(algorithm, key.to_vec());
    Box::new(move || key.verify(&message, &tag).is_ok())
}

fn verifier(spec: &Value, secret: Option<&str>) -> Verifier {
    let spec: VerifySpec = serde_json::from_value(spec.clone()).expect("a scheme of this file");
    let verifier = Verifier::compile(&spec).expect("a scheme of this file");
    if let Some(secret) = secret {
        verifier.set_secrets(vec![SecretString::from(secret)]).expect("a secret of this file");
    }
    verifier
}

fn request(body: &Bytes) -> Request {
    let (headers, uri) = (HeaderMap::new(), Uri::from_static("/hooks/bench"));
    Request { method: Method::POST, uri, headers, body: body.clone(), received: clock::now() }
}

/// Returns a JSON body of about this length.
fn body(bytes: usize) -> Bytes {
    format!(r#"{{"type":"bench","padding":"{}"}}"#, "x".repeat(bytes)).into()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("base64")
}

/// Returns a key of the tests, as PEM.
fn key(name: &str) -> String {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name).with_extension("pem");
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).expect("base64")
}

//! The keys of the fixtures: for each scheme two that the source has, and a third that it has not. All of them are for tests
//! alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;

/// Which of the three keys.
pub(super) const FOREIGN: usize = 2;

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys");

/// What a scheme needs to verify, and to sign.
pub(super) struct Keys {
    /// The source's secrets.
    pub(super) secrets: Vec<String>,
    /// What signs, by number; empty where `forge` does.
    pub(super) signing: Vec<String>,
    /// What the source says of `verify` beside the preset.
    pub(super) verify: Value,
}

/// Returns the path of a file among the keys.
pub(super) fn path(file: &str) -> String {
    format!("{KEYS}/{file}")
}

/// Reads a file among the keys.
pub(super) fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap()
}

/// Returns the keys of a preset by its effective `verify`.
pub(super) fn of(preset: &str, verify: &Value) -> Keys {
    let pems = |kind: &str| (1..=3).map(|number| read(&format!("{kind}-{number}.pem"))).collect();
    let shared = |secrets: Vec<String>| Keys {
        signing: secrets.clone(),
        secrets: secrets.into_iter().take(FOREIGN).collect(),
        verify: json!({}),
    };
    let algorithm = verify["algorithm"].as_str().unwrap_or("hmac-sha256");
    match algorithm {
        "none" => Keys { secrets: Vec::new(), signing: Vec::new(), verify: json!({}) },
        "basic" => shared(texts(preset).iter().map(|text| format!("hookway:{text}")).collect()),
        "ed25519" => {
            Keys { secrets: public("ed25519", "hex", verify), signing: pems("ed25519"), verify: json!({}) }
        }
        "ecdsa-p256" => {
            Keys { secrets: public("p256", "spki", verify), signing: pems("p256"), verify: json!({}) }
        }
        "rsa-x509" => {
            let files = [path("certificate-1.pem"), path("certificate-2.pem")];
            let mut certificate = verify["certificate"].clone();
            certificate["files"] = json!(files);
            Keys { secrets: Vec::new(), signing: Vec::new(), verify: json!({ "certificate": certificate }) }
        }
        "jwt" => match verify["jwt"]["algorithms"][0].as_str().unwrap() {
            "HS256" => shared(texts(preset)),
            "RS256" => jwks("rsa.jwks.json"),
            "ES256" => jwks("p256.jwks.json"),
            other => panic!("{preset}: no fixture keys for {other}"),
        },
        _ => shared(texts(preset).iter().map(|text| encoded(text, verify["key"].as_str())).collect()),
    }
}

fn texts(preset: &str) -> Vec<String> {
    ["", "-next", "-foreign"].iter().map(|which| format!("fixture-{preset}-secret{which}")).collect()
}

/// Writes a secret in the form in which its sender shows it.
fn encoded(text: &str, form: Option<&str>) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    match form {
        None | Some("utf8" | "sha1") => text.to_owned(),
        Some("hex") => hex::encode(bytes),
        Some("base64") => STANDARD.encode(bytes),
        Some("whsec") => format!("whsec_{}", STANDARD.encode(bytes)),
        Some(other) => panic!("no fixture keys of the form {other}"),
    }
}

fn public(kind: &str, end: &str, verify: &Value) -> Vec<String> {
    let keys = (1..=FOREIGN).map(|number| read(&format!("{kind}-{number}.{end}")).trim().to_owned());
    let whpk = |hexadecimal: String| format!("whpk_{}", STANDARD.encode(hex::decode(hexadecimal).unwrap()));
    if verify["key"] == "whpk" { keys.map(whpk).collect() } else { keys.collect() }
}

fn jwks(file: &str) -> Keys {
    let verify = json!({ "jwt": { "jwks": path(file) } });
    Keys { secrets: Vec::new(), signing: Vec::new(), verify }
}

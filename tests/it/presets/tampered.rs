//! One flipped bit. Whatever a preset's signature covers can't be changed by anybody without the key: not one bit of the
//! body, not one of what carries the proof, and no proof of one request stands for another.

use super::{
    outcome::Outcome,
    presets, sample,
    source::{self, Source},
};
use hookway::request::Request;
use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode;

/// Bits of each body and of each header that are flipped: spread over the whole, the ends among them.
const FLIPS: usize = 24;

/// Samples of a preset that are tried.
const SAMPLES: usize = 4;

/// Presets that sign a part of the body, or what it means instead of its bytes.
const IN_PART: [&str; 3] = ["adyen", "aws-sns", "mailgun"];

/// Returns places spread over so many bytes, the first and the last among them, each with a bit.
fn places(length: usize) -> impl Iterator<Item = (usize, u8)> {
    let flips = FLIPS.min(length);
    (0..flips).map(move |flip| (flip * (length - 1) / flips.saturating_sub(1).max(1), 1 << (flip * 5 % 8)))
}

fn signed(source: &Source, number: usize) -> (Request, Request) {
    let sample = &source.samples()[number];
    let plain = sample::request(source, sample, &sample.names[0], source::now());
    let signed = source.signed(&plain, 0);
    (plain, signed)
}

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused { .. } | Outcome::Unanswered(_))
}

/// Returns what was accepted though it should not have been.
fn accepted(source: &Source, what: &str, request: Request) -> Option<String> {
    let outcome = source.judge(request);
    (!is_refused(&outcome)).then(|| format!("{}: {what}: {outcome}", source.name))
}

/// Returns the keyed presets whose signature covers the body.
fn covering() -> impl Iterator<Item = Source> {
    presets().into_iter().map(Source::new).filter(|source| source.is_keyed() && source.covers_body())
}

/// Twilio signs what the fields of a form say, and the digits behind a `%` have no case.
fn means_the_same(source: &Source, one: &[u8], other: &[u8]) -> bool {
    source.name == "twilio" && percent_decode(one).eq(percent_decode(other))
}

#[test]
fn a_flipped_bit_anywhere_in_a_signed_body_is_refused() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for source in covering().filter(|source| !IN_PART.contains(&source.name)) {
        for number in 0..source.samples().len().min(SAMPLES) {
            let (_, request) = signed(&source, number);
            assert!(!is_refused(&source.judge(request.clone())), "{}: the sample itself", source.name);
            for (place, bit) in places(request.body.len()) {
                let mut body = request.body.to_vec();
                body[place] ^= bit;
                if means_the_same(&source, &request.body, &body) {
                    continue;
                }
                let what = format!("sample {number}, byte {place} ^ {bit:#04x}");
                wrong.extend(accepted(&source, &what, Request { body: body.into(), ..request.clone() }));
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried} were taken:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 2000, "only {tried}");
}

/// Returns the headers that signing added or changed, less the time, which is no proof by itself.
fn proofs(plain: &Request, signed: &Request) -> Vec<HeaderName> {
    let names = signed.headers.keys().filter(|name| plain.headers.get(*name) != signed.headers.get(*name));
    names.cloned().collect()
}

/// Tells whether two texts of a proof are one: hexadecimal digits and the name of a scheme have no case.
fn says_the_same(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[test]
fn a_flipped_bit_anywhere_in_what_proves_a_request_is_refused() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for source in presets().into_iter().map(Source::new).filter(Source::is_keyed) {
        let (plain, request) = signed(&source, 0);
        for name in proofs(&plain, &request) {
            let value = request.headers[&name].as_bytes().to_vec();
            for (place, bit) in places(value.len()) {
                let mut other = value.clone();
                other[place] ^= bit;
                let Ok(changed) = HeaderValue::from_bytes(&other) else { continue };
                if says_the_same(&value, &other) {
                    continue;
                }
                let mut request = request.clone();
                request.headers.insert(name.clone(), changed);
                let what = format!(
                    "{name}: {:?} for {:?}",
                    String::from_utf8_lossy(&other),
                    String::from_utf8_lossy(&value)
                );
                wrong.extend(accepted(&source, &what, request));
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried} were taken:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 1000, "only {tried}");
}

#[test]
fn what_proves_one_request_proves_no_other() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for source in covering().filter(|source| source.samples().len() > 1) {
        let (plain, first) = signed(&source, 0);
        let (_, second) = signed(&source, 1);
        let names = proofs(&plain, &first);
        if names.is_empty() || first.body == second.body {
            continue;
        }
        let mut mixed = second.clone();
        for name in names {
            mixed.headers.insert(name.clone(), first.headers[&name].clone());
        }
        wrong.extend(accepted(&source, "the proof of another sample", mixed));
        tried += 1;
    }
    assert_eq!(wrong, [""; 0]);
    assert!(tried > 20, "only {tried}");
}

#[test]
fn a_signed_request_without_any_one_of_its_proofs_is_refused() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for source in presets().into_iter().map(Source::new).filter(Source::is_keyed) {
        let (plain, request) = signed(&source, 0);
        for name in proofs(&plain, &request) {
            let mut request = request.clone();
            request.headers.remove(&name);
            wrong.extend(accepted(&source, &format!("without {name}"), request));
            tried += 1;
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(tried > 60, "only {tried}");
}

/// True where a key of one may prove something to the other: both read the same files.
fn share_keys(sources: [&Source; 2]) -> bool {
    let filed = ["jwt", "rsa-x509", "ed25519", "ecdsa-p256"];
    sources.iter().all(|source| source.verify()["algorithm"].as_str().is_some_and(|it| filed.contains(&it)))
}

#[test]
fn a_request_of_one_preset_is_refused_by_each_other_that_has_other_keys() {
    let sources: Vec<Source> = presets().into_iter().map(Source::new).filter(Source::is_keyed).collect();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (place, sender) in sources.iter().enumerate() {
        let (_, request) = signed(sender, 0);
        // Not every pair: each with those that stand near it in the alphabet, which share most.
        for receiver in sources.iter().skip(place + 1).take(12) {
            if share_keys([receiver, sender]) {
                continue;
            }
            wrong.extend(accepted(receiver, &format!("a request to {}", sender.name), request.clone()));
            tried += 1;
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(tried > 300, "only {tried}");
}

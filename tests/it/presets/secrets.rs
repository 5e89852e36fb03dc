//! What is secret stays here. For every preset: nothing that Hookway writes of a request, accepted, put aside, refused or
//! captured, holds a secret of its source, in any of the forms in which the sender might have sent it.

use super::{
    presets, sample,
    source::{self, Source},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookway::{
    delivery::{Delivery, Quota},
    event::envelope::{self, Binding, Origin},
    explain::Captured,
    request::Request,
};

const ORIGIN: Origin<'_> = Origin { replica: "node-1", path: "direct" };

/// Presets of a shared secret, which is what can be told.
fn shared() -> impl Iterator<Item = Source> {
    let is_shared = |source: &Source| {
        let public = ["jwt", "rsa-x509", "ed25519", "ecdsa-p256"];
        source.is_keyed() && source.verify()["algorithm"].as_str().is_none_or(|it| !public.contains(&it))
    };
    presets().into_iter().map(Source::new).filter(is_shared)
}

fn signed(source: &Source) -> Request {
    let sample = &source.samples()[0];
    source.signed(&sample::request(source, sample, &sample.names[0], source::now()), 0)
}

/// Every text that gives a secret away: as it is configured, its bytes as hex and base64, and percent-encoded.
fn forms(source: &Source) -> Vec<String> {
    let each = source.secrets().iter().flat_map(|secret| {
        let bare = secret.strip_prefix("whsec_").unwrap_or(secret).to_owned();
        let escaped =
            percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        [secret.clone(), bare, escaped, STANDARD.encode(secret), hex::encode(secret)]
    });
    each.collect()
}

/// Returns what of it gives a secret away.
fn told(source: &Source, what: &str, written: &[u8]) -> Option<String> {
    let is_in = |form: &String| written.windows(form.len()).any(|window| window == form.as_bytes());
    let found = forms(source).into_iter().find(is_in)?;
    Some(format!("{}: {what} holds {found:?}:\n{}", source.name, String::from_utf8_lossy(written)))
}

/// Whether a request shows the secret as it is: what verifies by sending it.
fn sends_it(source: &Source, request: &Request) -> bool {
    let mut written = format!("{} {:?}", request.uri, request.headers).into_bytes();
    written.extend_from_slice(&request.body);
    told(source, "the request", &written).is_some()
}

#[test]
fn nothing_that_is_published_holds_a_secret_of_its_source() {
    let (mut wrong, mut sent) = (Vec::new(), 0);
    for source in shared() {
        let request = signed(&source);
        sent += usize::from(sends_it(&source, &request));
        // In the body it stands where the sender put it, and bodies are published byte for byte.
        let in_body = told(&source, "the body", &request.body).is_some();
        for event in source.events(request).unwrap_or_default().iter().filter(|_| !in_body) {
            wrong.extend(told(&source, "the envelope", &envelope::structured(event, ORIGIN)));
            for binding in [Binding::Kafka, Binding::Nats] {
                let headers = format!("{:?}", envelope::binary_headers(event, ORIGIN, binding));
                wrong.extend(told(&source, "the record's headers", headers.as_bytes()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sent > 2, "only {sent} presets send it at all");
}

#[test]
fn nothing_that_is_put_aside_holds_a_secret_of_its_source() {
    let (mut wrong, mut aside) = (Vec::new(), 0);
    for source in shared() {
        let mut request = signed(&source);
        // Where the proof stands beside the body, any body can come with it that the key signed.
        if source.verify()["from"].is_null() && source.verify()["member"].is_null() {
            request.body = "no json, and no form".into();
            request = source.signed(&unproven(&source, request), 0);
        }
        let in_body = told(&source, "the body", &request.body).is_some();
        for event in source.events(request).unwrap_or_default().iter().filter(|_| !in_body) {
            aside += usize::from(event.quarantine.is_some());
            wrong.extend(told(&source, "what was put aside", &envelope::structured(event, ORIGIN)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(aside > 20, "only {aside} were put aside");
}

/// Takes away what signing added.
fn unproven(source: &Source, request: Request) -> Request {
    let sample = &source.samples()[0];
    let plain = sample::request(source, sample, &sample.names[0], source::now());
    Request { headers: plain.headers, uri: plain.uri, ..request }
}

#[test]
fn nothing_that_is_said_of_a_refused_request_holds_a_secret_and_its_capture_is_read_back() {
    let (mut wrong, mut captured, mut withheld) = (Vec::new(), 0, 0);
    for source in shared() {
        let (verifier, explainer) = source.explained();
        let right = signed(&source);
        let mut late = right.clone();
        late.body = [&right.body[..], b" "].concat().into();
        let mut unsigned = unproven(&source, right.clone());
        unsigned.headers.insert("x-copied", source.secrets()[0].parse().unwrap());
        for request in [right, late, unsigned] {
            let file = explainer.captured(&request, &verifier.withheld(), "401 signature_invalid");
            wrong.extend(told(&source, "the capture", &file));
            let again =
                Captured::parse(&file, None).unwrap_or_else(|error| panic!("{}: {error}", source.name));
            assert_eq!(again.request.method, request.method, "{}", source.name);
            assert_eq!(
                again.request.headers.len(),
                request.headers.len(),
                "{}: no line more or less",
                source.name
            );
            withheld += again.withheld.len();
            captured += 1;
            let Err(error) = verifier.verify(&request) else { continue };
            wrong.extend(told(&source, "the error", error.to_string().as_bytes()));
            let cause = explainer.cause(&request, &error);
            wrong.extend(told(&source, "the cause", format!("{cause:?}").as_bytes()));
            let shares = [1, 1].map(|part| Quota::new(part).take(part).unwrap());
            let refused = Delivery::new(request, shares).verify(&verifier).unwrap_err();
            wrong.extend(told(&source, "the refusal", format!("{:?}", refused.error).as_bytes()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(captured > 100 && withheld > 5, "{captured} captured, {withheld} withheld");
}

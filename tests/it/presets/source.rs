//! A source that is configured as a person would: a preset, its keys, and what the preset asks for (the public URL, constants).
//! It verifies and normalizes as the pipeline does, without HTTP.

use super::{
    forge,
    keys::{self, Keys},
    outcome::Outcome,
};
use hookway::{
    config,
    delivery::{Delivery, Quota},
    event::{
        Event, Identity,
        envelope::{self, Origin},
    },
    explain::Explainer,
    normalize::Normalizer,
    request::{Request, slot::Params},
    respond::{Effect, Responders, Step},
    senders::{self, Compiled, SampleSpec, SenderSpec},
    verify::Verifier,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// What the constants that presets ask for are in the fixtures.
const PARAMS: [(&str, &str); 7] = [
    ("topic_arn", "arn:aws:sns:eu-central-1:123456789012:doors"),
    ("webhook_id", "8PT597110X687430LKGECATA"),
    ("key_id", "fixture_public_key"),
    ("verify_token", "fixture-verify-token"),
    ("audience", "https://hooks.example.test/hooks/fixture"),
    ("email", "push@acme.iam.gserviceaccount.com"),
    ("tenant_id", "84bd8158-6d4d-4958-8b9f-9d6445542f95"),
];

/// One configured source.
pub(super) struct Source {
    pub(super) name: &'static str,
    /// The effective document.
    pub(super) document: Value,
    /// What the source says of `verify` beside the preset.
    own: Value,
    spec: SenderSpec,
    params: Params,
    keys: Keys,
    verifier: Verifier,
    normalizer: Normalizer,
    responders: Responders,
}

/// Returns the time at which every fixture is received.
pub(super) fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// Returns the document that a preset's name stands for.
pub(super) fn effective(name: &str) -> Value {
    let mut document = config::preset_document(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    if let Some(document) = document.as_object_mut() {
        document.remove("variants");
    }
    document
}

impl Source {
    pub(super) fn new(name: &'static str) -> Self {
        let mut document = effective(name);
        let keys = keys::of(name, &document["verify"]);
        let mut own = keys.verify.clone();
        if name == "syncaroo" {
            own["algorithm"] = json!("hmac-sha256");
        }
        let message = document["verify"]["message"].as_str().unwrap_or_default();
        if message.contains("{url") || ["twilio", "atlassian_qsh"].contains(&message) {
            own["url"] = json!(format!("https://hooks.example.test/hooks/{name}"));
        }
        senders::overlay(&mut document, json!({ "verify": own }));
        let text = document.to_string();
        let asked = PARAMS.iter().filter(|(param, _)| text.contains(&format!("{{param:{param}}}")));
        let params: Params = asked.map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let mut spec: SenderSpec =
            serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        spec.sender.get_or_insert_with(|| name.to_owned());
        spec.params =
            Some(params.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
        let Compiled { verifier, responders, normalizer, .. } = compiled(name, &spec, &params);
        verifier.set_secrets(keys.secrets.iter().map(|secret| secret.as_str().into()).collect()).unwrap();
        Self { name, document, own, spec, params, keys, verifier, normalizer, responders }
    }

    /// Returns the same source before it has any secret.
    pub(super) fn unkeyed(name: &'static str) -> Self {
        let source = Self::new(name);
        source.verifier.set_secrets(Vec::new()).unwrap();
        source
    }

    pub(super) fn verify(&self) -> &Value {
        &self.document["verify"]
    }

    /// Returns what a person writes for it, with its secrets in files of this folder.
    pub(super) fn configured(&self, folder: &Path) -> Value {
        let files = self.keys.secrets.iter().enumerate().map(|(number, secret)| {
            let file = folder.join(format!("{}-{number}", self.name));
            fs::write(&file, secret).unwrap();
            format!("file:{}", file.display())
        });
        let params: BTreeMap<&str, &str> =
            self.params.iter().map(|(name, value)| (&**name, &**value)).collect();
        // The presets for any sender leave it to the operator to say where the id stands.
        let is_generic = self.document["event"]["type_prefix"] == "dev.hookway";
        json!({
            "event": if is_generic { json!({ "id": "/id" }) } else { json!({}) },
            "preset": self.name, "secrets": files.collect::<Vec<_>>(), "params": params, "verify": self.own,
        })
    }

    pub(super) fn secrets(&self) -> &[String] {
        &self.keys.secrets
    }

    /// Returns its verifier once more, and what explains a refusal by it.
    pub(super) fn explained(&self) -> (Verifier, Explainer) {
        let Compiled { scheme, verifier, .. } = compiled(self.name, &self.spec, &self.params);
        let explainer = Explainer::new(scheme);
        let secrets = || self.keys.secrets.iter().map(|secret| secret.as_str().into()).collect::<Vec<_>>();
        explainer.set_secrets(&secrets());
        verifier.set_secrets(secrets()).unwrap();
        (verifier, explainer)
    }

    pub(super) fn param(&self, name: &str) -> &str {
        &self.params[name]
    }

    pub(super) fn samples(&self) -> &[SampleSpec] {
        self.spec.samples.as_deref().unwrap_or_default()
    }

    /// True where a changed body must be refused.
    pub(super) fn covers_body(&self) -> bool {
        self.verifier.covers_body()
    }

    /// True where requests prove something by a key.
    pub(super) fn is_keyed(&self) -> bool {
        self.verify()["algorithm"] != "none"
    }

    /// Signs a request as the sender does, at the time it was made.
    pub(super) fn signed(&self, request: &Request, key: usize) -> Request {
        let mut request = request.clone();
        let at = request.received;
        if matches!(self.verify()["algorithm"].as_str(), Some("jwt" | "rsa-x509" | "none")) {
            forge::sign(self, &mut request, key);
            return request;
        }
        let signer = compiled(self.name, &self.spec, &self.params).verifier;
        signer.set_secrets(vec![self.keys.signing[key].as_str().into()]).unwrap();
        signer.sign(&mut request, at).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        request
    }

    /// Returns the text of a signing key.
    pub(super) fn signing(&self, key: usize) -> &str {
        &self.keys.signing[key]
    }

    /// Returns the events of an authentic request that is no handshake.
    pub(super) fn events(&self, request: Request) -> Option<Vec<Event>> {
        let is_handshake =
            |step| self.responders.answer(&request, step, &self.verifier).is_ok_and(|it| it.is_some());
        if is_handshake(Step::Unverified) || is_handshake(Step::Verified) {
            return None;
        }
        let shares = [1, 1].map(|part| Quota::new(part).take(part).unwrap());
        let delivery = Delivery::new(request, shares).verify(&self.verifier).ok()?;
        Some(self.normalizer.normalize(&delivery))
    }

    /// Answers, or verifies and normalizes a request.
    pub(super) fn judge(&self, request: Request) -> Outcome {
        if let Some(outcome) = self.shake(&request, Step::Unverified) {
            return outcome;
        }
        let body = request.body.clone();
        let shares = [1, 1].map(|part| Quota::new(part).take(part).unwrap());
        let delivery = match Delivery::new(request, shares).verify(&self.verifier) {
            Ok(delivery) => delivery,
            Err(why) => {
                return Outcome::Refused { class: why.error.reason(), detail: why.error.to_string() };
            }
        };
        if let Some(outcome) = self.shake(delivery.request(), Step::Verified) {
            return outcome;
        }
        let origin = Origin { replica: "fixture", path: "direct" };
        let events = self.normalizer.normalize(&delivery).into_iter().map(|event| {
            assert!(
                is_of(&event.data, &body, &self.spec),
                "{}: the data is not the sender's bytes",
                self.name
            );
            let mut envelope: Value = serde_json::from_slice(&envelope::structured(&event, origin)).unwrap();
            let attributes = envelope.as_object_mut().unwrap();
            attributes.remove("data");
            attributes.remove("data_base64");
            if event.identity == Identity::Fresh && event.quarantine.is_none() {
                attributes["id"] = json!("$uuid");
            }
            envelope
        });
        Outcome::Accepted { key: delivery.proof().key, events: events.collect() }
    }
}

impl Source {
    fn shake(&self, request: &Request, step: Step) -> Option<Outcome> {
        let handshake = match self.responders.answer(request, step, &self.verifier) {
            Ok(handshake) => handshake?,
            Err(error) => return Some(Outcome::Unanswered(error.to_string())),
        };
        let reply = handshake.reply;
        let text = std::str::from_utf8(&reply.body).unwrap();
        let body = match text {
            "" => Value::Null,
            text => serde_json::from_str::<Value>(text)
                .ok()
                .filter(Value::is_object)
                .unwrap_or_else(|| json!(text)),
        };
        let headers =
            reply.headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())));
        Some(Outcome::Answered {
            status: reply.status,
            headers: Value::Object(headers.collect()),
            body,
            effect: handshake.effect.map(|effect| match effect {
                Effect::Capture(_) => "capture".to_owned(),
                Effect::Confirm(address) => format!("confirm {address}"),
            }),
        })
    }
}

/// Tells whether an event's data is a part of the body; of an element that held several events, without the others.
fn is_of(data: &[u8], body: &[u8], spec: &SenderSpec) -> bool {
    let is_parted = spec.event.as_ref().is_some_and(|event| event.one_of.is_some());
    let mut rest = body.iter();
    data.is_empty()
        || body.windows(data.len()).any(|part| part == data)
        || is_parted && data.iter().all(|byte| rest.any(|other| other == byte))
}

fn compiled(name: &str, spec: &SenderSpec, params: &Params) -> Compiled {
    let compiled =
        Compiled::new(spec, "fixture", params).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
    for file in compiled.verifier.files() {
        let text = fs::read_to_string(&file).unwrap();
        compiled.verifier.set_file(&file, &text).unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
    }
    compiled
}

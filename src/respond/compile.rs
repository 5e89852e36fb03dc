//! From the `respond` part of a document to responders, or to all that is wrong with it.

use super::{
    Step,
    condition::{Condition, Expected},
    confirm::Address,
    responder::{Body, Responder},
    spec::{ConfirmSpec, HandshakeMethod, HandshakeReply, RespondSpec, WhenSpec},
    template::{Json, Template},
    value::Value,
};
use crate::request::{SpecProblem, slot::Slot};
use http::{HeaderName, Method};

/// Headers of an answer that are ours to write, or would lead the sender elsewhere.
const NOT_FOR_DOCUMENTS: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "location",
    "set-cookie",
    "transfer-encoding",
    "upgrade",
];

const SLOT_FIX: &str = "see docs/senders.md, slots";

pub(super) fn compile(
    specs: &[RespondSpec],
    declared: &dyn Fn(&str) -> bool,
) -> Result<Vec<Responder>, Vec<SpecProblem>> {
    let (mut list, mut problems) = (Vec::new(), Vec::new());
    for (place, spec) in specs.iter().enumerate() {
        let mut compiler = Compiler { at: format!("respond[{place}]"), declared, problems: Vec::new() };
        let responder = compiler.responder(spec);
        if specs.iter().take(place).any(|earlier| earlier.name == spec.name) {
            compiler.report("name", "another handshake has this name", "give each a name of its own");
        }
        if compiler.problems.is_empty() {
            list.push(responder);
        }
        problems.extend(compiler.problems);
    }
    if problems.is_empty() { Ok(list) } else { Err(problems) }
}

struct Compiler<'d> {
    at: String,
    declared: &'d dyn Fn(&str) -> bool,
    problems: Vec<SpecProblem>,
}

impl Compiler<'_> {
    fn responder(&mut self, spec: &RespondSpec) -> Responder {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if spec.name.is_empty() || spec.name.len() > 63 || !spec.name.chars().all(is_letter) {
            let fix = "name it for log and metrics, as `crc`";
            self.report("name", "expected 1 to 63 lower-case letters, digits, hyphens and underscores", fix);
        }
        if spec.capture.is_some() && spec.verified {
            let fix = "take `verified` out: before the secret is known nothing can be verified";
            self.report("verified", "a handshake that hands over the secret can't be verified", fix);
        }
        if spec.confirm.is_some() && !spec.verified {
            let fix = "write `verified: true`";
            self.report("confirm", "only a verified request may name an address to fetch", fix);
        }
        if spec.confirm.is_some() && spec.capture.is_some() {
            self.report("confirm", "a handshake either confirms or captures", "make two of it");
        }
        let method = method(spec.when.method);
        let status = spec.reply.status.unwrap_or(200);
        let (body, headers) = (self.body(&spec.reply, status), self.headers(&spec.reply));
        Responder {
            name: spec.name.as_str().into(),
            condition: self.condition(&spec.when, &method, spec.verified),
            method,
            step: if spec.verified { Step::Verified } else { Step::Unverified },
            status,
            body,
            headers,
            capture: spec.capture.as_ref().and_then(|slot| self.value("capture", slot)),
            confirm: spec.confirm.as_ref().and_then(|confirm| self.address(confirm)),
        }
    }

    fn condition(&mut self, when: &WhenSpec, method: &Method, verified: bool) -> Condition {
        let is_bare = when.has.is_empty() && when.is.is_empty() && when.matches.is_empty();
        if is_bare && method == Method::POST {
            let fix = "say by what it differs from an event, as `when: { is: { /type: url_verification } }`";
            self.report("when", "this handshake would take every event", fix);
        }
        if verified && (method == Method::HEAD || method == Method::OPTIONS) {
            self.report("verified", "no sender signs this method", "take `verified` out");
        }
        let has = when.has.iter().filter_map(|slot| self.value("when.has", slot)).collect();
        let matches = when.matches.iter();
        let matches = matches.filter_map(|(slot, form)| Some((self.value("when.matches", slot)?, *form)));
        let matches = matches.collect();
        let mut is = Vec::new();
        for (slot, texts) in &when.is {
            let expected: Vec<Expected> = texts.iter().map(Expected::parse).collect();
            if expected.is_empty() {
                self.report("when.is", format!("`{slot}` has no text to be"), "write the text it must be");
            }
            for name in expected.iter().filter_map(Expected::param) {
                self.declared("when.is", name);
            }
            is.extend(self.value("when.is", slot).map(|value| (value, expected)));
        }
        Condition { has, is, matches }
    }

    fn body(&mut self, reply: &HandshakeReply, status: u16) -> Body {
        if !(200..=299).contains(&status) {
            let message = format!("expected a status from 200 to 299, found {status}");
            self.report("reply.status", message, "only a 2xx is an agreement");
        }
        let body = match (&reply.text, &reply.json) {
            (Some(_), Some(_)) => {
                self.report("reply", "an answer is either a text or JSON", "take one of the two out");
                Body::Empty
            }
            (Some(text), None) => self.template("reply.text", text).map_or(Body::Empty, Body::Text),
            (None, Some(json)) => self.json(json),
            (None, None) => Body::Empty,
        };
        if status == 204 && !matches!(body, Body::Empty) {
            self.report("reply", "an answer with status 204 has no body", "take the body out, or answer 200");
        }
        body
    }

    fn json(&mut self, json: &serde_json::Value) -> Body {
        match Json::parse(json.clone()) {
            Ok(json) => {
                for slot in json.templates.iter().flat_map(Template::slots) {
                    self.known("reply.json", slot);
                }
                Body::Json(json)
            }
            Err(message) => {
                self.report("reply.json", message, SLOT_FIX);
                Body::Empty
            }
        }
    }

    fn headers(&mut self, reply: &HandshakeReply) -> Vec<(HeaderName, Template)> {
        let mut headers = Vec::new();
        for (name, value) in &reply.headers {
            let template = self.template("reply.headers", value);
            let legal =
                name.parse().ok().filter(|name: &HeaderName| !NOT_FOR_DOCUMENTS.contains(&name.as_str()));
            match (legal, template) {
                (Some(name), Some(template)) => headers.push((name, template)),
                (Some(_), None) => {}
                (None, _) => {
                    let message = format!("`{}` can't be set", name.escape_debug());
                    self.report("reply.headers", message, "take it out, or mend its name");
                }
            }
        }
        headers
    }

    fn address(&mut self, confirm: &ConfirmSpec) -> Option<Address> {
        let is_open = |host: &String| !host.trim_matches(['*', '.']).contains('.');
        if confirm.hosts.is_empty() || confirm.hosts.iter().any(is_open) {
            let fix = "write the hosts of the sender, as `hosts: [ sns.*.amazonaws.com ]`";
            self.report("confirm.hosts", "expected hosts with a domain of their own", fix);
        }
        let at = self.value("confirm.at", &confirm.at)?;
        Some(Address::new(at, &confirm.hosts))
    }

    fn template(&mut self, field: &str, text: &str) -> Option<Template> {
        let template = Template::parse(text).map_err(|message| self.report(field, message, SLOT_FIX)).ok()?;
        for slot in template.slots() {
            self.known(field, slot);
        }
        Some(template)
    }

    fn value(&mut self, field: &str, text: &str) -> Option<Value> {
        let value = Value::parse_plain(text).map_err(|message| self.report(field, message, SLOT_FIX)).ok()?;
        for slot in value.slots() {
            self.known(field, slot);
        }
        Some(value)
    }

    fn known(&mut self, field: &str, slot: &Slot) {
        if let Slot::Param(name) = slot {
            self.declared(field, name);
        }
    }

    fn declared(&mut self, field: &str, name: &str) {
        if !(self.declared)(name) {
            let message = format!("`params.{name}` is not set");
            let fix = format!(
                "write `params: {{ {name}: env:NAME }}` at the source, or `respond: []` to do without"
            );
            self.report(field, message, fix);
        }
    }

    fn report(&mut self, field: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(SpecProblem::new(format!("{}.{field}", self.at), message, fix));
    }
}

fn method(method: Option<HandshakeMethod>) -> Method {
    match method.unwrap_or(HandshakeMethod::Post) {
        HandshakeMethod::Get => Method::GET,
        HandshakeMethod::Head => Method::HEAD,
        HandshakeMethod::Options => Method::OPTIONS,
        HandshakeMethod::Post => Method::POST,
    }
}

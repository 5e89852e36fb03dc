//! Third stage: turns a verified delivery into events, by the sender's [`EventSpec`].
//!
//! The body is scanned once, without building a tree (`json`); templates (`template`) then find the
//! event's name, object, key, id and time. An authentic delivery is never lost: what can't be mapped becomes
//! an event for the quarantine, with the reason.

mod compile;
mod form;
mod json;
mod spec;
mod template;
mod time;

pub use compile::CompileError;
pub use spec::{AllowPart, AllowSpec, EventSpec, Format, RuleSpec, Scalar, Shape};

use crate::{
    delivery::{Delivery, Verified},
    event::{Event, Quarantine, Reason},
};
use axum::http::{HeaderMap, HeaderName, header};
use form::Form;
use json::{Found, Pointers};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{fmt::Write as _, sync::Arc};
use template::Values;

/// Why an authentic delivery could not be mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unmappable {
    reason: Reason,
    detail: String,
}

impl Unmappable {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// What a URI's path segment holds as it is (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Longest id, key, subject or type in bytes; beyond it a broker's subject or header would break.
const MAX_ATTRIBUTE: usize = 1024;

/// Maps one source's deliveries to events. Compiled once, at start.
#[derive(Debug)]
pub struct Normalizer {
    source_name: Arc<str>,
    source: Arc<str>,
    format: Format,
    pointers: Pointers,
    forms: Vec<Form>,
    withheld: Vec<HeaderName>,
}

impl Normalizer {
    /// Returns the events of a delivery; at least one. Those that can't be mapped carry the reason.
    pub fn normalize(&self, delivery: &Delivery<Verified>) -> Vec<Event> {
        let request = delivery.request();
        let scanned = self.scan(delivery);
        let is_json = matches!(scanned, Ok(Some(_)));
        let mapped = scanned.and_then(|found| {
            let values = Values::new(found.unwrap_or_else(|| self.pointers.nothing()), request);
            self.map(delivery, &values, is_json)
        });
        vec![mapped.unwrap_or_else(|unmappable| self.unmapped(delivery, is_json, unmappable))]
    }

    /// Returns the request's headers less the credentials, as the quarantine keeps them.
    pub fn kept_headers(&self, headers: &HeaderMap) -> HeaderMap {
        const CREDENTIALS: [HeaderName; 3] =
            [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];
        let mut kept = headers.clone();
        for name in CREDENTIALS.iter().chain(&self.withheld) {
            kept.remove(name);
        }
        kept
    }

    /// Scans the body as JSON. `None`: it is something else, and the format allows that.
    fn scan<'a>(&self, delivery: &'a Delivery<Verified>) -> Result<Option<Found<'a>>, Unmappable> {
        let request = delivery.request();
        if self.format == Format::Any && !names_json(&request.headers) {
            return Ok(None);
        }
        match self.pointers.scan(&request.body) {
            Ok(found) => Ok(Some(found)),
            Err(_) if self.format == Format::Any => Ok(None),
            Err(error) => Err(Unmappable::new(Reason::Malformed, error.to_string())),
        }
    }

    fn map(
        &self,
        delivery: &Delivery<Verified>,
        values: &Values<'_>,
        is_json: bool,
    ) -> Result<Event, Unmappable> {
        if let Some(member) = values.repeated() {
            let detail =
                format!("a member on the way to {member} stands twice, and the sender's meaning is unclear");
            return Err(Unmappable::new(Reason::Ambiguous, detail));
        }
        let form =
            self.forms.iter().find(|form| form.has.is_none_or(|leaf| values.has(leaf))).ok_or_else(|| {
                Unmappable::new(Reason::Unrecognized, "the body has none of the sender's known shapes")
            })?;
        let name = form
            .kind
            .render(values)?
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Unmappable::new(Reason::Unrecognized, "the body does not name the event"))?;
        let identity = form.identify(&name, values)?;
        let source = match &form.account {
            Some(account) => match account.render(values)? {
                Some(account) => self.below(&account),
                None => Arc::clone(&self.source),
            },
            None => Arc::clone(&self.source),
        };
        let time = match &form.time {
            Some(time) => time.render(values)?.and_then(|text| time::parse(&text)),
            None => None,
        };
        let kind = form.prefix.as_ref().map_or_else(|| name.clone(), |prefix| format!("{prefix}.{name}"));
        let mut event = self.bare(delivery, kind, identity.id, is_json);
        event.id_is_stable = identity.id_is_stable;
        event.subject = identity.subject;
        event.key = identity.key;
        event.source = source;
        event.time = time;
        check_attributes(&event)?;
        if let Some(detail) = form.disallowed(values)? {
            let headers = self.kept_headers(&delivery.request().headers);
            event.quarantine = Some(Box::new(Quarantine { reason: Reason::NotAllowed, detail, headers }));
        }
        Ok(event)
    }

    /// Returns the envelope's `source` for an account of the sender.
    fn below(&self, account: &str) -> Arc<str> {
        let mut source = String::with_capacity(self.source.len() + account.len() + 1);
        source.push_str(&self.source);
        // Writing to a String cannot fail.
        let _written = write!(source, "/{}", utf8_percent_encode(account, UNRESERVED));
        source.into()
    }

    /// Returns the event that carries an unmappable delivery into the quarantine.
    fn unmapped(&self, delivery: &Delivery<Verified>, is_json: bool, why: Unmappable) -> Event {
        let id = format!("sha256:{}", template::sha256_hex(&delivery.request().body));
        let mut event = self.bare(delivery, "dev.hookway.quarantined".to_owned(), id, is_json);
        let headers = self.kept_headers(&delivery.request().headers);
        event.quarantine = Some(Box::new(Quarantine { reason: why.reason, detail: why.detail, headers }));
        event
    }

    fn bare(&self, delivery: &Delivery<Verified>, kind: String, id: String, data_is_json: bool) -> Event {
        let request = delivery.request();
        let named = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = match named {
            Some(named) if !data_is_json || is_json_type(named) => Some(named.to_owned()),
            // The body is JSON whatever the sender calls it, and the envelope must not contradict itself.
            Some(_) | None => data_is_json.then(|| "application/json".to_owned()),
        };
        Event {
            id,
            id_is_stable: false,
            source: Arc::clone(&self.source),
            source_name: Arc::clone(&self.source_name),
            kind,
            subject: None,
            key: None,
            time: None,
            recorded: request.received,
            content_type,
            assurance: delivery.proof().assurance,
            data: request.body.clone(),
            data_is_json,
            quarantine: None,
        }
    }
}

/// Refuses attributes that an envelope or a broker could not carry.
fn check_attributes(event: &Event) -> Result<(), Unmappable> {
    let attributes = [
        ("id", Some(event.id.as_str())),
        ("type", Some(event.kind.as_str())),
        ("subject", event.subject.as_deref()),
        ("key", event.key.as_deref()),
        ("source", Some(&*event.source)),
    ];
    for (name, value) in attributes {
        let Some(value) = value else { continue };
        if value.is_empty() {
            return Err(Unmappable::new(Reason::Unrecognized, format!("the event's {name} is empty")));
        }
        if value.len() > MAX_ATTRIBUTE {
            let detail = format!("the event's {name} has {} bytes, more than {MAX_ATTRIBUTE}", value.len());
            return Err(Unmappable::new(Reason::Malformed, detail));
        }
        // CloudEvents 1.0.2, section 3.1: strings hold no control characters and no noncharacters.
        if value.chars().any(|c| c.is_control() || is_noncharacter(c)) {
            let detail = format!("the event's {name} holds a control character");
            return Err(Unmappable::new(Reason::Malformed, detail));
        }
    }
    Ok(())
}

fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

fn names_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|value| value.to_str().is_ok_and(is_json_type))
}

/// Tells whether a media type names JSON (RFC 6839: `+json` too).
fn is_json_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests;

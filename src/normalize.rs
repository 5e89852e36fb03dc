//! Third stage: turns a verified delivery into events, by the sender's [`EventSpec`].
//!
//! The body is scanned once, without building a tree (`json`); templates (`template`) then find the
//! event's name, object, key, id and time (`mapping`). A body that holds several events is divided first (`split`,
//! `batch`), and `CloudEvents` are passed through (`cloud`). An authentic delivery is never lost: what can't be
//! mapped becomes an event for the quarantine, with the reason.

mod attributes;
mod batch;
mod cloud;
mod compile;
mod doubts;
mod form;
mod json;
mod mapping;
mod media;
mod place;
mod siblings;
mod spec;
mod split;
mod template;
mod values;

pub use compile::Setting;
pub use spec::{AllowPart, AllowSpec, Empty, EventSpec, Format, RuleSpec, Scalar, Shape};

use crate::{
    delivery::{Delivery, Verified},
    event::{Assurance, Event, Reason},
    request::{
        Kept, Request, SpecProblem, Withheld,
        slot::{
            Params,
            form::{essence_of, is_form},
        },
    },
};
use cloud::CloudStanding;
use form::Form;
use json::{Found, ScanError};
use mapping::{Data, Shared};
use split::Split;
use std::sync::Arc;
use template::grammar::Tries;
use values::Values;

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

/// Maps one source's deliveries to events. Compiled once, at start.
#[derive(Debug)]
pub struct Normalizer {
    source_name: Arc<str>,
    source: Arc<str>,
    format: Format,
    split: Option<Split>,
    empty: Empty,
    /// The preset for bodies of another format.
    instead: Option<String>,
    /// What its document says that may be meant otherwise.
    constants: Vec<SpecProblem>,
    reads_path: bool,
    tries: Tries,
    forms: Vec<Form>,
    /// Whether equal bytes may be different events, so that only a fresh id tells them apart.
    mints_ids: bool,
    withheld: Withheld,
    params: Params,
    /// Whether the id alone names the event.
    ids_are_unique: bool,
    cloud: CloudStanding,
}

impl Normalizer {
    /// True where an event takes something from the path behind the source's own, which then may be longer.
    pub fn reads_path(&self) -> bool {
        self.reads_path
    }

    /// Returns the events of a delivery; none only where the sender's document says that an empty list is a sign of
    /// life. Those that can't be mapped carry the reason.
    pub fn normalize(&self, delivery: &Delivery<Verified>) -> Vec<Event> {
        self.normalize_again(delivery.request(), delivery.proof().assurance)
    }

    /// The same for a request that was verified when it came: its envelope in the quarantine says what was found then, and
    /// a replay does not look for it again.
    pub fn normalize_again(&self, request: &Request, assurance: Assurance) -> Vec<Event> {
        let shared = Shared::new(self, request, assurance);
        let mut events = match (self.format, &self.split) {
            (Format::Cloudevents, _) => self.cloud_events(&shared),
            (_, Some(split)) => self.elements(&shared, split),
            (_, None) => return vec![self.whole(&shared)],
        };
        siblings::tell_apart(&mut events);
        events
    }

    /// True where a body may hold several events.
    pub fn divides(&self) -> bool {
        self.split.is_some()
    }

    /// Returns what the quarantine keeps of a request beside its body.
    pub fn keep(&self, request: &Request) -> Kept {
        self.withheld.keep(request)
    }

    /// Returns the one event of a delivery that is not divided.
    fn whole(&self, shared: &Shared<'_>) -> Event {
        let request = shared.request();
        let scanned = self.scan(request);
        let is_json = matches!(scanned, Ok(Some(_)));
        let data = || Data { bytes: request.body.clone(), is_json };
        let mapped = scanned.and_then(|found| {
            let found = found.unwrap_or_else(|| self.tries.whole.nothing());
            self.map(shared, &Values::new(request, &self.params, &found, &shared.digest), data())
        });
        mapped.unwrap_or_else(|unmappable| self.unmapped(shared, None, data(), unmappable))
    }

    /// Scans the body as JSON. `None`: it is something else, and the format allows that.
    fn scan<'a>(&self, request: &'a Request) -> Result<Option<Found<'a>>, Unmappable> {
        match self.format {
            Format::Form => self.check_form(request).map(|()| None),
            Format::Any if !media::names_json(&request.headers) => Ok(None),
            Format::Any => Ok(self.tries.whole.scan(&request.body).ok()),
            Format::Json | Format::Cloudevents => {
                let scanned = self.tries.whole.scan(&request.body);
                scanned.map(Some).map_err(|error| self.no_json(request, error))
            }
        }
    }

    fn check_form(&self, request: &Request) -> Result<(), Unmappable> {
        if is_form(&request.headers) {
            return Ok(());
        }
        let found = essence_of(&request.headers).unwrap_or("no content type");
        Err(self.another(format!("expected a form (urlencoded or multipart) and found {found}")))
    }

    fn no_json(&self, request: &Request, error: ScanError) -> Unmappable {
        if is_form(&request.headers) {
            return self.another("expected JSON and found a form".to_owned());
        }
        error.into()
    }

    /// Says that a body has another format, and which preset reads it.
    fn another(&self, mut detail: String) -> Unmappable {
        if let Some(preset) = &self.instead {
            detail.extend([", which the preset `", preset, "` reads"]);
        }
        Unmappable::new(Reason::Malformed, detail)
    }
}

#[cfg(test)]
mod tests;

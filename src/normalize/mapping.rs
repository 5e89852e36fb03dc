//! Makes an event of what the templates find, or the event that carries what they do not find into the quarantine.

use super::{
    Normalizer, Unmappable, attributes, media,
    values::{Trace, Values},
};
use crate::{
    clock,
    event::{Assurance, Event, Identity, Quarantine, Reason},
    request::{ESCAPED, Kept, Request, slot::Standing},
};
use bytes::Bytes;
use http::header;
use percent_encoding::utf8_percent_encode;
use std::{cell::OnceCell, fmt::Write as _, sync::Arc};

/// The bytes of one event.
#[derive(Debug, Clone)]
pub(super) struct Data {
    pub(super) bytes: Bytes,
    /// True for one valid JSON text.
    pub(super) is_json: bool,
}

/// What the events of one delivery share; each part is made where the first event needs it.
#[derive(Debug)]
pub(super) struct Shared<'d> {
    request: &'d Request,
    /// What verification found of it.
    assurance: Assurance,
    normalizer: &'d Normalizer,
    /// The body's SHA-256.
    pub(super) digest: OnceCell<String>,
    kept: OnceCell<Arc<Kept>>,
}

impl<'d> Shared<'d> {
    pub(super) fn new(normalizer: &'d Normalizer, request: &'d Request, assurance: Assurance) -> Self {
        Self { request, assurance, normalizer, digest: OnceCell::new(), kept: OnceCell::new() }
    }

    pub(super) fn request(&self) -> &'d Request {
        self.request
    }

    fn quarantine(&self, reason: Reason, detail: String) -> Quarantine {
        let keep = || Arc::new(self.normalizer.keep(self.request()));
        Quarantine::new(reason, detail, Arc::clone(self.kept.get_or_init(keep)))
    }
}

impl Normalizer {
    pub(super) fn map(
        &self,
        shared: &Shared<'_>,
        values: &Values<'_>,
        data: Data,
    ) -> Result<Event, Unmappable> {
        if let Some(member) = values.repeated() {
            return Err(ambiguous(member));
        }
        let mut fitting = None;
        for form in &self.forms {
            if form.fits(values)? {
                fitting = Some(form);
                break;
            }
        }
        let form = fitting.ok_or_else(|| {
            Unmappable::new(Reason::Unrecognized, "the body has none of the sender's known shapes")
        })?;
        // What was read before the name decides nothing about it.
        values.traced();
        let name = form
            .kind
            .render(values)?
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Unmappable::new(Reason::Unrecognized, "the body does not name the event"))?;
        let type_is_unsigned = values.traced().is_unsigned;
        let naming = form.identify(&name, values)?;
        let account = form.account.as_ref().map_or(Ok(None), |account| account.render(values))?;
        let account = account.filter(|account| !account.is_empty());
        let source = account.map_or_else(|| Arc::clone(&self.source), |account| self.below(&account));
        let time = form.time.as_ref().map_or(Ok(None), |time| time.find(values, clock::read))?;
        let kind = match &form.prefix {
            Some(prefix) => [prefix.as_str(), ".", &name].concat(),
            None => name,
        };
        let mut event = self.bare(shared, kind, naming.id, data);
        event.identity = self.identity(shared, naming.trace);
        if event.identity == Identity::Bytes && naming.trace.has_digest && values.is_held_by(&event.id) {
            event.identity = Identity::BytesInId;
        }
        event.subject = naming.subject;
        event.key = naming.key;
        event.source = source;
        event.time = time;
        event.type_is_unsigned = type_is_unsigned;
        attributes::check(&event)?;
        if let Some(detail) = form.disallowed(values)? {
            event.quarantine = Some(Box::new(shared.quarantine(Reason::NotAllowed, detail)));
        }
        Ok(event)
    }

    /// Returns by what repeats of an event are known whose id was made of this.
    pub(super) fn identity(&self, shared: &Shared<'_>, id: Trace) -> Identity {
        let is_proven = shared.assurance.proves_the_sender();
        match id.standing {
            _ if id.is_fresh => Identity::Fresh,
            None if id.has_digest => Identity::Digest,
            // An id that somebody else could have written suppresses nothing by itself, whatever the document says.
            Some(Standing::Signed | Standing::Vouched) if self.ids_are_unique && is_proven => Identity::Id,
            Some(_) | None => Identity::Bytes,
        }
    }

    /// Returns the envelope's `source` for an account of the sender.
    fn below(&self, account: &str) -> Arc<str> {
        let mut source = String::with_capacity(self.source.len() + account.len() + 1);
        source.push_str(&self.source);
        // Writing to a String cannot fail.
        let _written = write!(source, "/{}", utf8_percent_encode(account, ESCAPED));
        source.into()
    }

    /// Returns the event that carries what is unmappable into the quarantine: the whole body, or one element.
    pub(super) fn unmapped(
        &self,
        shared: &Shared<'_>,
        element: Option<usize>,
        data: Data,
        why: Unmappable,
    ) -> Event {
        // A whole body that is not understood is never taken for a repeat: what tells two of equal bytes apart may stand in
        // their headers, so each has an id of its own, for consumers too. An element is, because the others of its request
        // are what a sender repeats it for.
        let (id, identity) = match element {
            Some(index) => {
                let body = &shared.request().body;
                let digest = shared.digest.get_or_init(|| super::values::sha256_hex(body));
                let identity = if self.mints_ids { Identity::Fresh } else { Identity::Bytes };
                (format!("sha256:{digest}/{index}"), identity)
            }
            None => (clock::uuid().to_string(), Identity::Fresh),
        };
        let mut event = self.bare(shared, "dev.hookway.quarantined".to_owned(), id, data);
        event.identity = identity;
        event.quarantine = Some(Box::new(shared.quarantine(why.reason, why.detail)));
        event
    }

    /// Returns an event with what every event has.
    pub(super) fn bare(&self, shared: &Shared<'_>, kind: String, id: String, data: Data) -> Event {
        let request = shared.request();
        let named = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = match named {
            Some(named) if !data.is_json || media::is_json(named) => Some(named.to_owned()),
            // The body is JSON whatever the sender calls it, and the envelope must not contradict itself.
            Some(_) | None => data.is_json.then(|| "application/json".to_owned()),
        };
        Event {
            id,
            identity: Identity::Fresh,
            id_conflicts: false,
            in_turn: false,
            source: Arc::clone(&self.source),
            source_name: Arc::clone(&self.source_name),
            kind,
            subject: None,
            key: None,
            time: None,
            recorded: request.received,
            content_type,
            assurance: shared.assurance,
            data: data.bytes,
            data_is_json: data.is_json,
            type_is_unsigned: false,
            carried: None,
            quarantine: None,
        }
    }
}

pub(super) fn ambiguous(member: &str) -> Unmappable {
    let detail = format!("a member on the way to {member} stands twice, and the sender's meaning is unclear");
    Unmappable::new(Reason::Ambiguous, detail)
}
